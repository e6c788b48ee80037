"""What a process does around its sessions: threads that outlive the main one, exits, folders, links, event loops."""

import asyncio
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.log import threads

from tests.reference_impl.agents import add, open_agent, say, text_message, texts_of

OUTLIVES = """
import asyncio, sys, threading
from tests.reference_impl.agents import add, open_agent, text_message

async def voice():
    agent = open_agent(sys.argv[1])
    await agent.start()
    await add(agent, text_message("before"))
    threading.main_thread().join()
    await add(agent, text_message("after the main thread ended"))
    agent.state.set("turn", 1)
    await agent.stop()

threading.Thread(target=asyncio.run, args=(voice(),)).start()
"""

OUTLIVES_ON_S3 = """
import asyncio, threading
from session_conformance.reference_impl import S3SessionManager
from tests.reference_impl.agents import add, open_agent, text_message
from tests.reference_impl.s3.memory_s3 import Bucket, Client, Session

client = Client(Bucket())

def opened():
    return open_agent(None, manager=S3SessionManager("s", "bucket", boto_session=Session(client)))

asyncio.run(add(opened(), *(text_message(f"{number} ".ljust(2000, "x")) for number in range(40))))

def restore():
    threading.main_thread().join()
    agent = opened()  # from many objects, which are fetched at once
    assert len(agent.messages) == 40
    agent._session_manager.redact_latest_message(text_message("redacted"), agent)
    agent._session_manager.delete_session("s")

threading.Thread(target=restore).start()
"""

AT_EXIT = """
import asyncio, atexit, sys
from tests.reference_impl.agents import add, open_agent, text_message

agent = open_agent(sys.argv[1])

def say_goodbye():
    asyncio.run(add(agent, text_message("goodbye")))
    message = text_message("and thanks")
    agent.messages.append(message)
    agent._session_manager.append_message(message, agent)
    agent._session_manager.sync_agent(agent)
    assert len(open_agent(sys.argv[1]).messages) == 3

atexit.register(say_goodbye)
asyncio.run(add(agent, text_message("hello")))
"""

BROKEN_OFF = """
import threading
from session_conformance.reference_impl.log.at_once import at_once

start, hangs = threading.Thread.start, threading.Event()

def rings(thread):
    start(thread)
    raise KeyboardInterrupt

threading.Thread.start = rings
try:
    at_once(lambda _: hangs.wait(), range(2))
except KeyboardInterrupt:
    pass
"""


def run(script: str, folder: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_thread_that_outlives_the_main_one_restores_and_redacts_on_s3(tmp_path: Path) -> None:
    run(OUTLIVES_ON_S3, tmp_path)


def test_a_thread_that_outlives_the_main_one_stores_all(tmp_path: Path) -> None:
    run(OUTLIVES, tmp_path)
    assert texts_of(tmp_path) == ["before", "after the main thread ended"]
    assert open_agent(tmp_path).state.get("turn") == 1


def test_an_exit_handler_stores_and_restores(tmp_path: Path) -> None:
    run(AT_EXIT, tmp_path)
    assert texts_of(tmp_path) == ["hello", "goodbye", "and thanks"]


def test_what_a_signal_broke_off_keeps_no_process_from_ending(tmp_path: Path) -> None:
    """A thread whose start was broken off may never get to its work, and nobody waits for it any more."""
    run(BROKEN_OFF, tmp_path)


def test_a_relative_folder_is_the_one_that_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(here)
    agent = open_agent(Path("sessions"))
    manager = FileSessionManager("other", storage_dir="sessions")
    monkeypatch.chdir(elsewhere)
    asyncio.run(add(agent, text_message("hello")))
    manager.delete_session("other")
    assert texts_of(here / "sessions") == ["hello"]
    assert [path.name for path in (here / "sessions").iterdir()] == ["journal_s"]
    assert list(elsewhere.iterdir()) == []
    assert manager.storage_dir == "sessions", "the folder is kept as it was given, as the SDK keeps it"


@pytest.mark.parametrize("below", ["", "sub"])
@pytest.mark.parametrize("is_there", [True, False], ids=["the folder is there", "the folder is made"])
def test_a_link_is_the_folder_that_it_leads_to(tmp_path: Path, below: str, is_there: bool) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    if is_there:
        real.mkdir()
    link.symlink_to(real)
    say(link / below, "hello")
    say(link / below, "and on")
    assert texts_of(real / below) == texts_of(link / below) == ["hello", "and on"]
    assert [info.session_id for info in FileSessionManager.list_sessions(str(link / below))] == ["s"]
    assert FileSessionManager.verify("s", str(link / below)).ok
    FileSessionManager("s", storage_dir=str(link / below)).delete_session("s")
    assert [path.name for path in (real / below).iterdir()] == []


def test_a_link_that_is_turned_elsewhere_leaves_a_manager_where_it_was(tmp_path: Path) -> None:
    one, other, current = tmp_path / "one", tmp_path / "other", tmp_path / "current"
    one.mkdir()
    other.mkdir()
    current.symlink_to(one)
    agent = open_agent(current)
    current.unlink()
    current.symlink_to(other)
    asyncio.run(add(agent, text_message("hello")))
    assert texts_of(one) == ["hello"]
    assert list(other.iterdir()) == []


def test_a_session_that_is_a_link_is_refused(tmp_path: Path) -> None:
    say(tmp_path / "elsewhere", "not yours")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "journal_s").symlink_to(tmp_path / "elsewhere" / "journal_s")
    with pytest.raises(Exception, match="link"):
        texts_of(tmp_path / "here")


def test_event_loops_one_after_the_other(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    for number in range(3):
        asyncio.run(add(agent, text_message(str(number))))
    assert texts_of(tmp_path) == ["0", "1", "2"]


def test_event_loops_at_once_share_a_manager(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agents = [open_agent(tmp_path, manager=manager, agent_id=name) for name in "abc"]

    def talk(agent: Any) -> None:
        asyncio.run(add(agent, *(text_message(f"{agent.agent_id}{number}") for number in range(20))))

    at_once = [threading.Thread(target=talk, args=(agent,)) for agent in agents]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join(60)
    for agent in agents:
        restored = open_agent(tmp_path, agent_id=agent.agent_id)
        assert restored.messages == agent.messages


def test_a_timeout_ends_the_wait_for_a_lock_that_somebody_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "PATIENCE", 0.05)
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("before")))
    held = os.open(tmp_path / "journal_s" / "journal", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(asyncio.wait_for(add(agent, text_message("meanwhile")), 0.05))
    finally:
        os.close(held)
    asyncio.run(add(agent, text_message("after")))
    assert texts_of(tmp_path) == ["before", "meanwhile", "after"], "what was told of is stored once the lock is free"
