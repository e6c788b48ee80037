"""Session files beside other processes: creations, forks, deletions, and care for sessions that are being written.

Two open files of one process keep each other out as those of two processes do. So what another process does at a
certain moment is done by the same one, where a function that is called at that moment is replaced.
"""

import asyncio
import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, file_session_manager
from session_conformance.reference_impl.file import copies, journal_file, reading, removal
from session_conformance.reference_impl.file import folders as session_folders
from session_conformance.reference_impl.file.handle import Handle
from session_conformance.reference_impl.file.journal_file import JournalFile
from session_conformance.reference_impl.log import sdk_layout
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, say, text_message, texts_of
from tests.reference_impl.forks import in_a_child


def journal_of(folder: Path, session_id: str = "s") -> Path:
    return folder / f"journal_{session_id}" / "journal"


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: Any, function: str, do: Callable[[], object], *, after: bool = False
) -> None:
    """Do something once, just before a function is called for the first time, or after."""
    original, todo = getattr(module, function), [do]

    def replaced(*given: Any, **named: Any) -> Any:
        if after:
            result = original(*given, **named)
            if todo:
                todo.pop()()
            return result
        if todo:
            todo.pop()()
        return original(*given, **named)

    monkeypatch.setattr(module, function, replaced)


def say_and_close(folder: Path, *texts: str, session_id: str = "s") -> None:
    agent = open_agent(folder, session_id)
    asyncio.run(add(agent, *map(text_message, texts)))
    agent._session_manager.close()  # type: ignore[union-attr]


def make_old(folder: Path, session_id: str = "s") -> None:
    os.utime(journal_of(folder, session_id), (1, 1))


def damage(folder: Path) -> bytes:
    path = journal_of(folder)
    damaged = path.read_bytes().replace(b'"two"', b'"owt"')
    path.write_bytes(damaged)
    return damaged


# -- creations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slow", "quick"), [("user-voice", "user"), ("user", "user-voice"), ("s", "s")])
def test_a_creation_in_progress_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: str, quick: str) -> None:
    meanwhile(monkeypatch, journal_file, "sync_folder", lambda: say_and_close(tmp_path, quick, session_id=quick))
    say(tmp_path, slow, session_id=slow)
    assert texts_of(tmp_path, quick) == ([quick] if slow != quick else [quick, slow])
    assert texts_of(tmp_path, slow) == ([slow] if slow != quick else [quick, slow])
    assert names_in(tmp_path) == {f"journal_{slow}", f"journal_{quick}"}


@pytest.mark.parametrize("after", [False, True], ids=["before it is open", "before it is locked"])
def test_a_creation_that_was_taken_for_a_crashs_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    removed: list[str] = []

    def clears_up() -> None:
        removed.extend(names_in(tmp_path))
        monkeypatch.undo()
        session_folders.remove_leftovers(tmp_path / "journal_s")
        assert names_in(tmp_path) == set()

    meanwhile(monkeypatch, session_folders, "open_folder", clears_up, after=after)
    say(tmp_path, "one")
    assert len(removed) == 1
    assert texts_of(tmp_path) == ["one"]
    assert names_in(tmp_path) == {"journal_s"}


def test_clean_up_leaves_a_creation_in_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)

    def cleans_up() -> None:
        assert FileSessionManager.clean_up(timedelta(0), str(tmp_path), now=tomorrow) == []

    meanwhile(monkeypatch, journal_file, "sync_folder", cleans_up)
    say(tmp_path, "one")
    assert texts_of(tmp_path) == ["one"]


def test_what_crashes_left_of_a_session_goes_with_its_next_creation(tmp_path: Path) -> None:
    for name in ("s-01234567", "s-89abcdef", "s-voice-01234567", "s-00000000-01234567"):
        (tmp_path / f".unfinished-journal_{name}").mkdir()
        (tmp_path / f".unfinished-journal_{name}" / "journal").write_bytes(b"half")
    say(tmp_path, "one")
    anothers = {".unfinished-journal_s-voice-01234567", ".unfinished-journal_s-00000000-01234567"}
    assert names_in(tmp_path) == {"journal_s", *anothers}
    assert FileSessionManager.clean_up(timedelta(days=1), str(tmp_path)) == []
    assert names_in(tmp_path) == {"journal_s", *anothers}
    for name in anothers:
        os.utime(tmp_path / name, (1, 1))
    assert FileSessionManager.clean_up(timedelta(days=1), str(tmp_path)) == []
    assert names_in(tmp_path) == {"journal_s"}


def test_a_creation_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(copies, "sync_all", fails)
    with pytest.raises(SessionException, match="make room"):
        open_agent(tmp_path)
    assert names_in(tmp_path) == set()


# -- forks -------------------------------------------------------------------------------------------------


def test_a_forked_child_is_kept_out_while_its_parent_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say_and_close(tmp_path, "one")
    journal = JournalFile(journal_of(tmp_path).parent, "s")
    flock = fcntl.flock

    def writes() -> None:
        monkeypatch.setattr(fcntl, "flock", lambda file, how: flock(file, how | fcntl.LOCK_NB))
        with pytest.raises(SessionException, match="temporarily unavailable"), journal.writing():
            pass

    with journal.writing():
        assert in_a_child(writes)() == 0
        assert in_a_child(lambda: None)() == 0
        other = os.open(journal_of(tmp_path), os.O_RDONLY)
        with pytest.raises(BlockingIOError):  # no child took the parent's lock with it
            flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.close(other)


def test_parent_and_child_both_write_and_lose_nothing(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("before")))
    for number in range(3):
        assert in_a_child(lambda: asyncio.run(add(agent, text_message("child"))))() == 0
        asyncio.run(add(agent, text_message(f"parent {number}")))
    expected = ["before", *(text for number in range(3) for text in ("child", f"parent {number}"))]
    assert texts_of(tmp_path) == expected


def test_what_waits_in_a_parents_line_is_the_parents_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, append, full = open_agent(tmp_path), JournalFile.append, True

    def attempt(self: JournalFile, body: bytes, label: str = "") -> None:
        if full:
            raise SessionException("no room")
        append(self, body, label)

    def speaks() -> None:
        nonlocal full
        full = False
        asyncio.run(add(agent, text_message("child")))

    monkeypatch.setattr(JournalFile, "append", attempt)
    with pytest.raises(SessionException, match="no room"):
        asyncio.run(add(agent, text_message("late")))
    assert in_a_child(speaks)() == 0
    full = False
    asyncio.run(add(agent, text_message("parent")))
    assert texts_of(tmp_path) == ["child", "late", "parent"]


def test_a_child_that_never_uses_the_session_does_not_keep_it_open(tmp_path: Path) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("one")))
    born, may_end = os.pipe(), os.pipe()

    def waits() -> None:
        os.write(born[1], b"!")
        os.read(may_end[0], 1)

    ended = in_a_child(waits)
    os.read(born[0], 1)
    looker = JournalFile(journal_of(tmp_path).parent, "s")
    with looker.unused() as unused:
        assert not unused  # the parent has it
    agent._session_manager.close()  # type: ignore[union-attr]
    with looker.unused() as unused:
        assert unused
    os.write(may_end[1], b"!")
    assert ended() == 0
    for descriptor in (*born, *may_end):
        os.close(descriptor)


# -- verifying, listing and repairing ----------------------------------------------------------------------


def test_half_of_a_write_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say_and_close(tmp_path, "one", "two")
    folder, path = str(tmp_path), journal_of(tmp_path)
    half = bytearray(path.read_bytes())
    half[half.index(b'"two"')] = 0
    read_all = reading._read_all
    reads = iter([bytearray(half)])
    monkeypatch.setattr(reading, "_read_all", lambda *given: next(reads, None) or read_all(*given))
    assert FileSessionManager.verify("s", folder).ok
    assert next(reads, None) is None


def test_a_repair_looks_and_rewrites_under_one_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, *map(text_message, ("one", "two", "three"))))
    damage(tmp_path)
    under_lock: list[bool] = []

    def tries() -> None:
        descriptor = os.open(journal_of(tmp_path), os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            under_lock.append(False)
        except BlockingIOError:
            under_lock.append(True)
        finally:
            os.close(descriptor)

    for function in ("look_at", "salvage"):
        meanwhile(monkeypatch, journal_file if function == "look_at" else file_session_manager, function, tries)
    meanwhile(monkeypatch, os, "link", tries)
    repaired = FileSessionManager.repair("s", str(tmp_path))
    assert under_lock == [True, True, True]
    assert repaired.damaged_file is not None
    asyncio.run(add(agent, text_message("from a manager that had it open")))
    assert texts_of(tmp_path) == ["one", "three", "from a manager that had it open"]


@pytest.mark.parametrize("left", [b"", b"{}", b"\0" * 8192])
def test_a_repair_where_nothing_is_whole_is_an_error_and_changes_nothing(tmp_path: Path, left: bytes) -> None:
    say_and_close(tmp_path, "one")
    journal_of(tmp_path).write_bytes(left)
    with pytest.raises(SessionException, match="nothing is whole"):
        FileSessionManager.repair("s", str(tmp_path))
    assert journal_of(tmp_path).read_bytes() == left
    assert names_in(journal_of(tmp_path).parent) == {"journal"}


def test_a_repair_keeps_the_damaged_journal_on_file_systems_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    for number in (1, 2):
        say_and_close(tmp_path, "one", "two")
        damaged = damage(tmp_path)
        kept = FileSessionManager.repair("s", str(tmp_path)).damaged_file
        assert kept == journal_of(tmp_path).with_name(f"journal.damaged-{number}")
        assert kept.read_bytes() == damaged
    assert texts_of(tmp_path) == ["one", "one"]


def test_a_session_that_is_removed_meanwhile_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path)
    cleans = lambda folder: FileSessionManager.clean_up(timedelta(1), folder)  # noqa: E731
    for module, care in ((file_session_manager, FileSessionManager.list_sessions), (removal, cleans)):
        for id in ("a", "b"):
            say_and_close(tmp_path, id, session_id=id)
            make_old(tmp_path, id)
        with monkeypatch.context() as patched:
            removes = lambda: file_session_manager.delete_session("b", folder)  # noqa: E731
            meanwhile(patched, module, "folders", removes, after=True)
            assert [getattr(found, "session_id", found) for found in care(folder)] == ["a"]


@pytest.mark.parametrize("moment", ["lock_unused", "hide"])
def test_a_session_that_is_removed_while_clean_up_is_about_to_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    say_and_close(tmp_path, "one")
    make_old(tmp_path)
    delete = file_session_manager.delete_session
    meanwhile(monkeypatch, removal, moment, lambda: delete("s", str(tmp_path)))
    assert FileSessionManager.clean_up(timedelta(days=1), str(tmp_path)) == []
    assert names_in(tmp_path) == set()


def test_a_session_that_was_written_before_clean_up_has_its_lock_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_and_close(tmp_path, "one")
    make_old(tmp_path)
    meanwhile(monkeypatch, removal, "lock_unused", lambda: say_and_close(tmp_path, "just said"))
    assert FileSessionManager.clean_up(timedelta(days=1), str(tmp_path)) == []
    assert texts_of(tmp_path) == ["one", "just said"]


def test_a_session_that_is_being_opened_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say_and_close(tmp_path, "one")
    make_old(tmp_path)
    removed: list[str] = []
    cleans_up = lambda: removed.extend(FileSessionManager.clean_up(timedelta(days=1), str(tmp_path)))  # noqa: E731
    meanwhile(monkeypatch, journal_file, "look_at", cleans_up)
    agent = open_agent(tmp_path)
    assert removed == []
    asyncio.run(add(agent, text_message("two")))
    assert texts_of(tmp_path) == ["one", "two"]


def test_a_copy_of_a_sessions_folder_is_no_reason_to_remove_the_session(tmp_path: Path) -> None:
    say_and_close(tmp_path, "one")
    shutil.copytree(tmp_path / "journal_s", tmp_path / "journal_s-before-the-update")
    os.utime(tmp_path / "journal_s-before-the-update" / "journal", (1, 1))
    assert [info.session_id for info in FileSessionManager.list_sessions(str(tmp_path))] == ["s"]
    assert FileSessionManager.clean_up(timedelta(days=1), str(tmp_path)) == []
    assert texts_of(tmp_path) == ["one"]


def test_a_removal_whose_remains_another_process_clears_up_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_and_close(tmp_path, "one")
    make_old(tmp_path)

    def clears_up() -> None:
        monkeypatch.undo()
        [left] = session_folders.leftovers(tmp_path)
        session_folders.remove_leftover(left)

    meanwhile(monkeypatch, removal, "_remove", clears_up)
    file_session_manager.delete_session("s", str(tmp_path))
    assert names_in(tmp_path) == set()


# -- redactions --------------------------------------------------------------------------------------------


def test_a_redaction_names_the_copies_that_it_leaves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk_layout, "COARSE", 0)  # the SDK's files are known not to have changed since
    old = open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    asyncio.run(add(old, *map(text_message, ("one", "two", "secret"))))
    imported = open_agent(tmp_path)
    imported._session_manager.sync_agent(imported)  # type: ignore[union-attr]
    imported._session_manager.close()  # type: ignore[union-attr]
    damage(tmp_path)
    FileSessionManager.repair("s", str(tmp_path))
    assert caplog.text == ""
    agent = open_agent(tmp_path)
    redacted = {**agent.messages[-1], "content": [{"text": "[redacted]"}]}
    with caplog.at_level(logging.WARNING):
        agent._session_manager.redact_latest_message(redacted, agent)  # type: ignore[union-attr]
    holding = {path for path in tmp_path.rglob("*") if path.is_file() and b"secret" in path.read_bytes()}
    assert {path.name for path in holding} == {"journal.damaged-1", "message_2.json"}
    assert str(tmp_path / "journal_s" / "journal.damaged-1") in caplog.text
    assert str(tmp_path / "session_s") in caplog.text


def test_a_redaction_without_such_copies_warns_of_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("secret")))
    redacted = {**agent.messages[-1], "content": [{"text": "[redacted]"}]}
    agent._session_manager.redact_latest_message(redacted, agent)  # type: ignore[union-attr]
    assert caplog.text == ""


def test_a_lock_that_is_let_go_is_free_though_a_child_has_inherited_the_file(tmp_path: Path) -> None:
    """A child that was forked while a journal was folded waited for ever for what itself had open."""
    say(tmp_path, "hello")
    handle = Handle(tmp_path / "journal_s", "s")
    inherited = os.dup(handle.lock())
    handle.drop()
    with (tmp_path / "journal_s" / "journal").open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(inherited)
    of_parent = os.dup(handle.lock())
    handle.leave_to_parent()
    with (tmp_path / "journal_s" / "journal").open("rb") as journal, pytest.raises(BlockingIOError):
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(of_parent)


def test_who_opens_a_session_that_is_begun_anew_at_this_moment_holds_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_and_close(tmp_path, "one")
    flock, due = fcntl.flock, [True]

    def begun_anew(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_SH and due:
            due.clear()
            file_session_manager.delete_session("s", str(tmp_path))
            say_and_close(tmp_path, "new")
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", begun_anew)
    agent = open_agent(tmp_path)
    make_old(tmp_path)
    done = FileSessionManager.clean_up(timedelta(days=1), str(tmp_path))
    assert (list(done), [one.reason for one in done.skipped]) == ([], ["somebody has it open"])
    asyncio.run(add(agent, text_message("and on")))
    assert texts_of(tmp_path) == ["new", "and on"]
