"""A journal stays in proportion to what it holds, whatever happens beside its compaction."""

import asyncio
import contextlib
import errno
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, file_session_manager
from session_conformance.reference_impl.file import compaction, journal_file
from session_conformance.reference_impl.file.compaction import Compaction
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, say, text_message, texts_of


@pytest.fixture(autouse=True)
def small_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "SMALL", 20_000)
    monkeypatch.setattr(journal_file, "_sync", lambda _: None)


def journal(folder: Path) -> Path:
    return folder / "journal_s" / "journal"


def names(folder: Path) -> list[str]:
    return [path.name for path in (folder / "journal_s").iterdir()]


def set_state(agent: Any, times: int, size: int = 1000) -> None:
    for number in range(times):
        agent.state.set("number", f"{number} " + "x" * size)
        agent._session_manager.sync_agent(agent)


def test_a_state_that_is_set_often_takes_little_and_loses_nothing(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, *map(text_message, "abc")))
    sizes, numbers = [], set()
    for _ in range(40):
        set_state(agent, 10)
        sizes.append(journal(tmp_path).stat().st_size)
        numbers.add(journal(tmp_path).stat().st_ino)
    assert max(sizes) < 120_000, "of 400 kB that were written"
    assert len(numbers) > 1
    again = open_agent(tmp_path)
    assert again.state.get("number") == "9 " + "x" * 1000
    assert texts_of(tmp_path) == ["a", "b", "c"]
    assert FileSessionManager.verify("s", str(tmp_path)).ok
    agent._session_manager.close()  # type: ignore[union-attr]
    assert names(tmp_path) == ["journal"]


def test_messages_alone_are_not_written_again(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    number = journal(tmp_path).stat().st_ino
    asyncio.run(add(agent, *(text_message("w" * 500) for _ in range(200))))
    agent._session_manager.close()  # type: ignore[union-attr]
    assert journal(tmp_path).stat().st_ino == number


def test_the_waste_that_others_left_is_folded_by_whoever_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Compaction, "begin_if_due", lambda *_: None)
        set_state(open_agent(tmp_path), 100)
    assert journal(tmp_path).stat().st_size > 100_000
    agent = open_agent(tmp_path)
    set_state(agent, 1)
    agent._session_manager.close()  # type: ignore[union-attr]
    assert journal(tmp_path).stat().st_size < 20_000


def beside(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Do something while a journal is folded, when it was read and is not yet put in place."""
    put, todo = Compaction._put_in_place, [do]

    def replaced(*given: Any) -> Any:
        if todo:
            todo.pop()()
        return put(*given)

    monkeypatch.setattr(Compaction, "_put_in_place", replaced)


def outgrows(agent: Any) -> None:
    set_state(agent, 17)
    agent._session_manager._store._log.rest()


def test_what_follows_a_long_commit_does_not_wait_until_that_is_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, fold = threading.Event(), Compaction._fold

    def held(self: Compaction, *given: Any) -> bool:
        assert goes_on.wait(60)
        return fold(self, *given)

    monkeypatch.setattr(Compaction, "_fold", held)
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("an image of " + "x" * 50_000)))
    talk = threading.Thread(target=lambda: asyncio.run(add(agent, *map(text_message, "abc"))), daemon=True)
    talk.start()
    talk.join(20)
    waited = talk.is_alive()
    goes_on.set()
    talk.join()
    assert not waited
    assert texts_of(tmp_path)[1:] == ["a", "b", "c"]


def test_what_is_appended_meanwhile_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = open_agent(tmp_path), open_agent(tmp_path, agent_id="b")

    def others_write() -> None:
        say_to(two, "of another manager")
        say_to(one, "of its own")
        say_to(two, "of another manager again")

    beside(monkeypatch, others_write)
    outgrows(one)
    say_to(one, "then")
    say_to(two, "and then")
    assert texts_of(tmp_path) == ["of its own", "then"]
    texts = [block["text"] for message in open_agent(tmp_path, agent_id="b").messages for block in message["content"]]
    assert texts == ["of another manager", "of another manager again", "and then"]
    assert FileSessionManager.verify("s", str(tmp_path)).ok


def test_what_others_appended_meanwhile_is_news_to_whoever_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it numbers what it adds as if that had not been said, and redacts another message than it means."""
    one, two = open_agent(tmp_path), open_agent(tmp_path)
    beside(monkeypatch, lambda: say_to(two, "of another manager"))
    for size in range(4000, 4010):
        set_state(one, 1, size)
        one._session_manager._store._log.rest()  # type: ignore[union-attr]
    say_to(one, "my card is 4111")
    redaction: Any = {"role": "user", "content": [{"text": "[redacted]"}]}
    one._session_manager.redact_latest_message(redaction, one)  # type: ignore[union-attr]
    assert texts_of(tmp_path) == ["of another manager", "[redacted]"]


def say_to(agent: Any, text: str) -> None:
    asyncio.run(add(agent, text_message(text)))


@pytest.mark.parametrize("by", ["itself", "another"])
def test_what_is_redacted_meanwhile_stays_redacted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    agent = open_agent(tmp_path)
    say_to(agent, "my card is 4111")

    def redacts() -> None:
        manager: Any = agent._session_manager if by == "itself" else FileSessionManager("s", storage_dir=str(tmp_path))
        stored = manager.read_message("s", "default", 0)
        stored.redact_message = {"role": "user", "content": [{"text": "[redacted]"}]}
        manager.update_message("s", "default", stored)
        named = [path for path in (tmp_path / "journal_s").iterdir() if b"card is" in path.read_bytes()]
        assert named == [], "right after the call"

    beside(monkeypatch, redacts)
    outgrows(agent)
    say_to(agent, "then")
    assert texts_of(tmp_path) == ["[redacted]", "then"]
    assert not any(b"card is" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_what_is_deleted_meanwhile_and_begun_anew_stays_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = open_agent(tmp_path)
    say_to(agent, "my pin is 1234")

    def deletes() -> None:
        file_session_manager.delete_session("s", str(tmp_path))
        say(tmp_path, "somebody else")

    beside(monkeypatch, deletes)
    with contextlib.suppress(SessionException):  # it may be gone before the last of these
        set_state(agent, 17)
    agent._session_manager._store._log._compaction.wait()  # type: ignore[union-attr]
    assert texts_of(tmp_path) == ["somebody else"]
    assert {path.name for path in tmp_path.rglob("*")} == {"journal_s", "journal"}


def test_a_compaction_that_fails_is_no_failure_of_what_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compaction, "new_file", fails)
    agent = open_agent(tmp_path)
    set_state(agent, 60)
    say_to(agent, "stored")
    assert texts_of(tmp_path) == ["stored"]
    assert "could not be compacted" in caplog.text


def test_a_process_that_is_killed_while_it_folds_leaves_the_session_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = os.fork()
    if not child:
        monkeypatch.setattr(compaction, "sync_all", lambda _: os._exit(9))
        try:
            agent = open_agent(tmp_path)
            say_to(agent, "acknowledged")
            outgrows(agent)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = [name for name in names(tmp_path) if name != "journal"]
    assert len(left) == 1
    assert re.fullmatch(r"journal\.new-[0-9a-f]{32}", left[0])
    agent = open_agent(tmp_path)
    assert texts_of(tmp_path) == ["acknowledged"]
    outgrows(agent)
    assert names(tmp_path) == ["journal"]


class Mirrored:
    """Stores everything backwards."""

    def seal(self, data: bytes, session_id: str) -> bytes:
        return data[::-1]

    def open(self, data: bytes, session_id: str) -> bytes:
        return data[::-1]


def test_what_is_sealed_is_folded_and_sealed(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path), at_rest=Mirrored())
    agent = open_agent(tmp_path, manager=manager)
    say_to(agent, "one")
    set_state(agent, 200)
    manager.close()
    assert journal(tmp_path).stat().st_size < 60_000
    again = open_agent(tmp_path, manager=FileSessionManager("s", storage_dir=str(tmp_path), at_rest=Mirrored()))
    assert again.state.get("number") == "199 " + "x" * 1000
    assert len(again.messages) == 1


def test_a_folder_that_could_not_be_synced_leaves_the_journal_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    log = agent._session_manager._store._log  # type: ignore[union-attr]

    syncs, works = [], journal_file.sync_all

    def fails_once(descriptor: int) -> None:  # what is written after that is synced anew
        syncs.append(descriptor)
        if len(syncs) == 1:
            raise OSError(errno.EIO, "the disk does not answer")
        works(descriptor)

    number = journal(tmp_path).stat().st_ino
    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "sync_all", fails_once)
        outgrows(agent)
    assert syncs
    assert journal(tmp_path).stat().st_ino != number
    with (tmp_path / "other").open("wb") as other:  # which gets the number of a descriptor that was closed
        say_to(agent, "then")
        assert log._handle._descriptor != other.fileno()
    assert texts_of(tmp_path) == ["then"]
