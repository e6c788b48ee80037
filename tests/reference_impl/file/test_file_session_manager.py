"""The reference FileSessionManager: writers, faults, crashes, and what is done to whole sessions."""

import asyncio
import errno
import gc
import logging
import multiprocessing
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file import journal_file, reading
from session_conformance.reference_impl.file.scanning import scan
from session_conformance.reference_impl.log.commit_lines import commit_line
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException
from strands.types.session import Session, SessionAgent, SessionMessage, SessionType

from tests.reference_impl.agents import add, open_agent, say, text_message, texts_of, update


def journal_of(folder: Path, session_id: str = "s") -> Path:
    return folder / f"journal_{session_id}" / "journal"


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_opening_writes_not_one_byte(tmp_path: Path) -> None:
    say(tmp_path, "one")
    before = snapshot(tmp_path)
    for _ in range(3):
        agent = open_agent(tmp_path)
        asyncio.run(agent.start())
        asyncio.run(agent.stop())
    assert snapshot(tmp_path) == before


def test_an_append_is_one_write_and_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("warm")))
    calls: list[str] = []
    write, sync = os.pwrite, journal_file._sync
    monkeypatch.setattr(journal_file.os, "pwrite", lambda *a: (calls.append("write"), write(*a))[1])
    monkeypatch.setattr(journal_file, "_sync", lambda fd: (calls.append("sync"), sync(fd))[1])
    asyncio.run(add(agent, text_message("one")))
    assert calls == ["write", "sync"]


def test_a_constructors_messages_are_one_commit(tmp_path: Path) -> None:
    open_agent(tmp_path, messages=[text_message(str(n)) for n in range(50)])
    assert scan(journal_of(tmp_path).read_bytes()).number == 2  # the session, and the agent with all of them
    assert texts_of(tmp_path) == [str(n) for n in range(50)]


def test_a_commit_that_a_crash_cut_short_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    say(tmp_path, "one", "two")
    path = journal_of(tmp_path)
    data = path.read_bytes()
    found = scan(data)
    line = commit_line(found.number, b'[{"op":"message"}]', found.before)[:-5]
    path.write_bytes(data[: found.end] + line + data[found.end + len(line) :])
    with caplog.at_level(logging.WARNING):
        assert texts_of(tmp_path) == ["one", "two"]
    assert str(found.end) in caplog.text
    say(tmp_path, "three")
    assert texts_of(tmp_path) == ["one", "two", "three"]
    assert scan(path.read_bytes()).torn == 0


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "json", "binary", "link", "gone", "folder", "other"])
def test_damage_is_an_error_that_names_session_and_file(tmp_path: Path, damage: str) -> None:
    say(tmp_path, "one", "two")
    say(tmp_path, "another", session_id="t")
    path = journal_of(tmp_path)
    data = path.read_bytes()
    harmful: dict[str, Any] = {
        "cut": lambda: path.write_bytes(data[: len(data) // 2]),
        "empty": lambda: path.write_bytes(b""),
        "flip": lambda: path.write_bytes(data.replace(b"one", b"ono")),
        "json": lambda: path.write_text("{}"),
        "binary": lambda: path.write_bytes(b"\xff\xfe" * 100),
        "link": lambda: (path.rename(tmp_path / "elsewhere"), path.symlink_to(tmp_path / "elsewhere")),
        "gone": path.unlink,
        "folder": lambda: (path.unlink(), path.mkdir()),
        "other": lambda: path.write_bytes(journal_of(tmp_path, "t").read_bytes()),
    }
    harmful[damage]()
    before = snapshot(tmp_path)
    with pytest.raises(SessionException, match="'s'") as caught:
        open_agent(tmp_path)
    assert "journal" in str(caught.value) or damage == "other"
    assert snapshot(tmp_path) == before
    assert texts_of(tmp_path, "t") == ["another"]


@pytest.mark.parametrize("seen", ["its end only", "its beginning only"])
def test_a_reader_that_sees_half_of_a_write_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: str
) -> None:
    """A read beside a write may miss any of its bytes, wherever the two passed each other."""
    say(tmp_path, "one", "two", "three")
    whole = journal_of(tmp_path).read_bytes()
    end = scan(whole).end
    begin = whole.rindex(b"\n", 0, end - 1) + 1
    missed = range(begin, begin + 77) if seen == "its end only" else range(begin + 77, end)
    half = bytearray(whole)
    half[missed.start : missed.stop] = bytes(len(missed))
    reads = iter([half])
    read_all = reading._read_all
    monkeypatch.setattr(reading, "_read_all", lambda *given: next(reads, None) or read_all(*given))
    assert texts_of(tmp_path) == ["one", "two", "three"]


def test_two_managers_interleave_and_overwrite_nothing(tmp_path: Path) -> None:
    one, two = open_agent(tmp_path), open_agent(tmp_path)
    for number in range(20):
        asyncio.run(add(one, text_message(f"one {number}")))
        asyncio.run(add(two, text_message(f"two {number}")))
    assert texts_of(tmp_path) == [f"{who} {number}" for number in range(20) for who in ("one", "two")]


def _write_many(folder: str, name: str, ready: Any, go: Any) -> None:
    agent = open_agent(Path(folder))
    ready.release()
    go.wait()
    for number in range(40):
        asyncio.run(add(agent, text_message(f"{name} {number}")))


def test_processes_interleave_and_overwrite_nothing(tmp_path: Path) -> None:
    say(tmp_path, "first")
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    names = ["a", "b", "c"]
    processes = [context.Process(target=_write_many, args=(str(tmp_path), name, ready, go)) for name in names]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    go.set()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    found = texts_of(tmp_path)
    assert found[0] == "first"
    assert len(found) == 121
    for name in names:
        assert [text for text in found if text.startswith(name + " ")] == [f"{name} {n}" for n in range(40)]


def test_an_update_replaces_in_place_whoever_wrote_meanwhile(tmp_path: Path) -> None:
    one, two = open_agent(tmp_path), open_agent(tmp_path)
    first = text_message("draft")
    asyncio.run(add(one, first))
    asyncio.run(add(two, text_message("between")))
    asyncio.run(update(one, {**first, "content": [{"text": "final"}]}))
    assert texts_of(tmp_path) == ["final", "between"]


@pytest.mark.parametrize("call", ["pwrite", "_sync"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_what_could_not_be_written_is_written_with_the_next_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: int
) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("before")))

    def fails(*_: Any) -> int:
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patched:
        patched.setattr(journal_file.os if call == "pwrite" else journal_file, call, fails)
        with pytest.raises(SessionException, match="cannot write"):
            asyncio.run(add(agent, text_message("during")))
    assert texts_of(tmp_path) == ["before"]
    asyncio.run(add(agent, text_message("after")))
    assert texts_of(tmp_path) == ["before", "during", "after"]


def test_what_could_not_be_written_is_written_once_when_the_agent_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("before")))

    def fails(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "_sync", fails)
        with pytest.raises(SessionException, match="cannot write"):
            asyncio.run(add(agent, text_message("the last words")))
    asyncio.run(agent.stop())
    assert texts_of(tmp_path) == ["before", "the last words"]


def test_a_commit_that_was_written_though_it_seemed_not_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("before")))
    written = os.pwrite

    def sync_fails(_: int) -> None:
        # and from now on nothing can be taken back either
        monkeypatch.setattr(journal_file.os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "gone")))
        raise OSError(errno.EIO, "the disk does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "_sync", sync_fails)
        with pytest.raises(SessionException):
            asyncio.run(add(agent, text_message("during")))
    monkeypatch.setattr(journal_file.os, "pwrite", written)
    asyncio.run(add(agent, text_message("after")))
    assert texts_of(tmp_path) == ["before", "during", "after"]


def test_a_refused_message_is_not_tried_again(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    tool_use = {"toolUseId": "1", "name": "t", "input": {1, 2}}
    with pytest.raises(SessionException, match="JSON has no form for it"):
        asyncio.run(add(agent, {**text_message("x"), "content": [{"toolUse": tool_use}]}))
    asyncio.run(add(agent, text_message("fine")))
    asyncio.run(agent.stop())
    assert texts_of(tmp_path) == ["fine"]


def test_a_redaction_leaves_nothing_and_other_managers_go_on(tmp_path: Path) -> None:
    agent, other = open_agent(tmp_path), None
    asyncio.run(add(agent, text_message("harmless"), text_message("secret")))
    other = open_agent(tmp_path)
    redacted = {**agent.messages[-1], "content": [{"text": "[redacted]"}]}
    agent._session_manager.redact_latest_message(redacted, agent)  # type: ignore[union-attr]
    assert not [path for path, (data, _) in snapshot(tmp_path).items() if b"secret" in data]
    asyncio.run(add(other, text_message("from the other")))
    asyncio.run(add(agent, text_message("from the one")))
    assert texts_of(tmp_path) == ["harmless", "[redacted]", "from the other", "from the one"]


def test_sessions_are_listed_deleted_and_cleaned_up(tmp_path: Path) -> None:
    folder = str(tmp_path)
    for id in ("old", "young", "in-use", "Upper Case"):
        say(tmp_path, f"I am {id}", session_id=id)
    gc.collect()  # agents and managers refer to each other, and until they are collected they have the session open
    week_ago = datetime.now(timezone.utc) - timedelta(days=7)
    for id in ("old", "in-use"):
        os.utime(journal_of(tmp_path, id), (week_ago.timestamp(),) * 2)
    keeps_it_open = FileSessionManager("in-use", storage_dir=folder)
    listed = {info.session_id: info for info in FileSessionManager.list_sessions(folder)}
    assert set(listed) == {"old", "young", "in-use", "Upper Case"}
    assert abs(listed["old"].updated_at - week_ago) < timedelta(seconds=1)
    assert listed["old"].created_at > week_ago
    assert FileSessionManager.clean_up(timedelta(days=1), folder) == ["old"]
    keeps_it_open.close()
    assert FileSessionManager.clean_up(timedelta(days=1), folder) == ["in-use"]
    FileSessionManager("young", storage_dir=folder).delete_session("young")
    assert [info.session_id for info in FileSessionManager.list_sessions(folder)] == ["Upper Case"]
    assert texts_of(tmp_path, "young") == []
    with pytest.raises(SessionException, match="does not exist"):
        FileSessionManager("young", storage_dir=folder).delete_session("never")


def test_a_deleted_session_does_not_come_back_under_an_open_manager(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    FileSessionManager("other", storage_dir=str(tmp_path)).delete_session("s")
    with pytest.raises(SessionException, match="gone"):
        asyncio.run(add(agent, text_message("late")))
    assert texts_of(tmp_path) == []


def test_verify_and_repair_bring_back_what_is_whole(tmp_path: Path) -> None:
    say(tmp_path, "one", "two", "three")
    path, folder = journal_of(tmp_path), str(tmp_path)
    assert FileSessionManager.verify("s", folder).ok
    damaged = path.read_bytes().replace(b'"two"', b'"owt"')
    path.write_bytes(damaged)
    found = FileSessionManager.verify("s", folder)
    assert not found.ok
    assert "byte" in found.problems[0]
    repaired = FileSessionManager.repair("s", folder)
    assert repaired.lost
    assert repaired.damaged_file is not None
    assert repaired.damaged_file.read_bytes() == damaged
    assert texts_of(tmp_path) == ["one", "three"]
    assert FileSessionManager.verify("s", folder).ok
    assert FileSessionManager.repair("s", folder).damaged_file is None


def test_a_session_of_the_sdks_manager_opens_with_all_its_messages(tmp_path: Path) -> None:
    old = open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)), state={"k": [1]})
    messages = [text_message(str(n)) for n in range(12)]
    messages.append({**text_message("x"), "content": [{"image": {"format": "png", "source": {"bytes": b"\0\xff"}}}]})
    asyncio.run(add(old, *messages))
    before = {path: data for path, data in snapshot(tmp_path).items() if "session_s" in path}
    agent = open_agent(tmp_path)
    assert agent.messages == messages
    assert agent.state.get() == {"k": [1]}
    asyncio.run(add(agent, text_message("new")))
    assert {path: data for path, data in snapshot(tmp_path).items() if "session_s" in path} == before
    assert len(open_agent(tmp_path).messages) == 14
    FileSessionManager("s", storage_dir=str(tmp_path)).delete_session("s")
    assert open_agent(tmp_path).messages == []


def test_the_repository_methods_keep_the_sdks_contract(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    with pytest.raises(SessionException, match="already exists"):
        manager.create_session(Session("s", SessionType.AGENT))
    assert manager.read_agent("s", "a") is None
    assert manager.read_session("absent") is None
    agent = SessionAgent("a", {"k": 1}, {})
    manager.create_agent("s", agent)
    for id in (*range(12), 100, 99):
        manager.create_message("s", "a", SessionMessage(text_message(str(id)), id))
    numbers = [found.message_id for found in manager.list_messages("s", "a")]
    assert numbers == [*range(12), 99, 100]
    assert [found.message_id for found in manager.list_messages("s", "a", limit=2, offset=10)] == [10, 11]
    assert manager.list_messages("s", "a", offset=50) == []
    first = manager.read_message("s", "a", 0)
    assert first is not None
    changed = SessionMessage(text_message("changed"), 0, created_at="1970-01-01T00:00:00+00:00")
    manager.update_message("s", "a", changed)
    again = manager.read_message("s", "a", 0)
    assert again is not None
    assert again.created_at == first.created_at
    assert again.message["content"] == [{"text": "changed"}]
    with pytest.raises(SessionException):
        manager.update_message("s", "a", SessionMessage(text_message("x"), 7777))
    with pytest.raises(ValueError, match="integer"):
        manager.read_message("s", "a", "0")  # type: ignore[arg-type]
    with pytest.raises(SessionException):
        manager.update_agent("s", SessionAgent("b", {}, {}))


@pytest.mark.asyncio
async def test_the_event_loop_goes_on_while_storage_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    agent = open_agent(tmp_path)
    sync, may_go = journal_file._sync, threading.Event()

    def slow(descriptor: int) -> None:
        may_go.wait()
        sync(descriptor)

    monkeypatch.setattr(journal_file, "_sync", slow)

    storing = asyncio.ensure_future(add(agent, text_message("slow")))
    turns = 0
    while turns < 100:  # each is a turn of the loop while the message is being stored
        await asyncio.sleep(0)
        turns += not storing.done()
    may_go.set()
    await storing
    assert turns == 100
    assert texts_of(tmp_path) == ["slow"]
