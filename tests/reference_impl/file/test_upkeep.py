"""Upkeep of many sessions: removals that are cut short, what a clean-up skips, and what stands in a session's place."""

import asyncio
import contextlib
import gc
import logging
import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, file_session_manager
from session_conformance.reference_impl.file import removal
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException
from strands.types.session import Session, SessionMessage

from tests.reference_impl.agents import add, open_agent, say, text_message, texts_of

pytestmark = pytest.mark.usefixtures("quickly_collected")


def close_all() -> None:
    gc.collect()  # agents and managers refer to each other, and until they are collected they have the session open


def age(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)


class Killed(BaseException):
    """What stands for the end of the process."""


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("call", range(8))
def test_a_removal_that_was_cut_short_is_finished_when_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int, imported: bool
) -> None:
    if imported:
        open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    say(tmp_path, "my pin is 1234")
    say(tmp_path, "of another", session_id="s-2")
    close_all()
    calls = iter(range(100))

    def dies(do: Callable[..., Any]) -> Callable[..., Any]:
        def replaced(*given: Any, **named: Any) -> Any:
            if next(calls) == call:
                raise Killed
            return do(*given, **named)

        return replaced

    with monkeypatch.context() as patched:
        for module, name in ((os, "rename"), (os, "unlink"), (os, "rmdir"), (removal, "sync_folder"), (Path, "rename")):
            patched.setattr(module, name, dies(getattr(module, name)))
        with contextlib.suppress(Killed):
            file_session_manager.delete_session("s", str(tmp_path))
    if next(calls) > call:  # it was killed: whoever is told so tries again
        left = {path.name for path in tmp_path.iterdir()} - {"journal_s-2"}
        if left:
            file_session_manager.delete_session("s", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"journal_s-2"}
    with pytest.raises(SessionException, match="does not exist"):
        file_session_manager.delete_session("s", str(tmp_path))
    assert texts_of(tmp_path) == []


def in_bytes(folder: Path, word: bytes) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and word in path.read_bytes()]


def redact(folder: Path, id: int) -> None:
    manager = FileSessionManager("s", storage_dir=str(folder))
    stored = manager.read_message("s", "default", id)
    assert stored is not None
    replacement: Any = {"role": "user", "content": [{"text": "[redacted]"}]}
    manager.update_message("s", "default", SessionMessage(stored.message, id, replacement))
    manager.close()


@pytest.mark.parametrize("then", ["begun anew", "redacted"])
def test_what_a_removal_that_was_cut_short_left_of_the_sdks_session_goes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    agent = open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    asyncio.run(add(agent, text_message("my pin is 1234")))
    if then == "redacted":
        say(tmp_path, "imported")
        close_all()
    with monkeypatch.context() as patched:
        patched.setattr(removal, "_remove", lambda _: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            file_session_manager.delete_session("s", str(tmp_path))
    assert in_bytes(tmp_path, b"my pin is 1234")
    if then == "redacted":
        redact(tmp_path, 0)
    else:
        say(tmp_path, "hello")
    assert in_bytes(tmp_path, b"my pin is 1234") == []


def test_nothing_of_what_is_redacted_is_there_under_another_name_once_it_is_gone_from_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(tmp_path, "my pin is 1234")
    close_all()
    (tmp_path / "journal_s" / "journal.new-0123").write_bytes(b"a folding was killed: my pin is 1234")
    found: list[list[str]] = []

    def replace(*given: Any, **named: Any) -> None:
        os_replace(*given, **named)
        found.append(in_bytes(tmp_path, b"my pin is 1234"))

    os_replace = os.replace
    monkeypatch.setattr(os, "replace", replace)
    redact(tmp_path, 0)
    assert found == [[]]


@pytest.mark.parametrize("length", [227, 247, 300], ids=["hidden", "longest of the SDK's", "too long for the SDK"])
@pytest.mark.parametrize("how", ["deleted", "cleaned up"])
def test_a_session_with_a_long_id_goes_like_any_other(tmp_path: Path, how: str, length: int) -> None:
    id = "x" * length
    if length < 250:
        open_agent(tmp_path, manager=SdkFileSessionManager(id, storage_dir=str(tmp_path)))
    manager = FileSessionManager(id, storage_dir=str(tmp_path))
    asyncio.run(add(open_agent(tmp_path, manager=manager), text_message("hello")))
    manager.close()
    if how == "deleted":
        file_session_manager.delete_session(id, str(tmp_path))
    else:
        assert FileSessionManager.clean_up(timedelta(days=-1), str(tmp_path)) == [id]
    assert list(tmp_path.iterdir()) == []


def test_a_clean_up_says_what_it_skipped_and_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for id in ("a", "damaged", "open", "copied", "emptied"):
        say(tmp_path, f"I am {id}", session_id=id)
    close_all()
    journal = tmp_path / "journal_damaged" / "journal"
    journal.write_bytes(journal.read_bytes().replace(b"I am damaged", b"I was whole!"))
    (tmp_path / "journal_emptied" / "journal").unlink()
    (tmp_path / "journal_copied").rename(tmp_path / "journal_copy")
    (tmp_path / "journal_link").symlink_to(tmp_path / "journal_a")
    (tmp_path / "journal_file").write_text("x")
    (tmp_path / "journal_fifo").mkdir()
    os.mkfifo(tmp_path / "journal_fifo" / "journal")
    age(tmp_path)
    holds = FileSessionManager("open", storage_dir=str(tmp_path))
    caplog.set_level(logging.WARNING)
    done = FileSessionManager.clean_up(timedelta(days=1), str(tmp_path))
    assert done == ["a"]
    reasons = {one.name: one.reason for one in done.skipped}
    assert set(reasons) == {f"journal_{id}" for id in ("damaged", "open", "copy", "emptied", "link", "file", "fifo")}
    assert "damaged at byte" in reasons["journal_damaged"]
    assert "open" in reasons["journal_open"]
    assert "copy" in reasons["journal_copy"]
    assert "no journal" in reasons["journal_emptied"]
    assert "symbolic link" in reasons["journal_link"]
    assert all(one.name in caplog.text for one in done.skipped)
    done = FileSessionManager.clean_up(timedelta(days=1), str(tmp_path), damaged=True)
    assert done == ["journal_damaged"]
    assert not (tmp_path / "journal_damaged").exists()
    holds.close()


def in_place(path: Path, what: str) -> None:
    if what == "a link to a folder":
        target = path.with_name("elsewhere")
        target.mkdir()
        path.symlink_to(target)
    elif what == "a link to nothing":
        path.symlink_to(path.with_name("nothing"))
    elif what == "a file":
        path.write_bytes(b"x")
    else:
        path.mkdir()
        journal = path / "journal"
        if what == "a pipe":
            os.mkfifo(journal)
        elif what == "a folder":
            journal.mkdir()
        elif what == "a link":
            journal.symlink_to("/etc/hostname")
        elif what in ("a giant", "a giant with a header"):
            begins = b'["strands-session-journal 1",\n' if what == "a giant with a header" else b""
            journal.write_bytes(begins)
            os.truncate(journal, 2**40)


@pytest.mark.parametrize(
    "what",
    [
        "a link to a folder",
        "a link to nothing",
        "a file",
        "a pipe",
        "a folder",
        "a link",
        "a giant",
        "a giant with a header",
        "nothing in it",
    ],
)
def test_what_stands_in_a_sessions_place_is_an_error_of_that_session_alone(tmp_path: Path, what: str) -> None:
    say(tmp_path, "one", session_id="fine")
    close_all()
    in_place(tmp_path / "journal_odd", what)
    with pytest.raises(SessionException):
        FileSessionManager("odd", storage_dir=str(tmp_path))
    assert [info.session_id for info in FileSessionManager.list_sessions(str(tmp_path))] == ["fine"]
    for care in (FileSessionManager.verify, FileSessionManager.repair):
        try:
            found = care("odd", str(tmp_path))
            assert getattr(found, "ok", True) is False
        except SessionException:
            continue
    assert texts_of(tmp_path, "fine") == ["one"]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_folders_and_files_are_their_owners_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    place = tmp_path / "sessions" / "of" / "callers"
    before = os.umask(mask)
    try:
        agent = open_agent(place)
        manager = agent._session_manager
        asyncio.run(add(agent, text_message("one")))
        manager.redact_latest_message(  # type: ignore[union-attr]
            {"role": "user", "content": [{"text": "[redacted]"}]}, agent
        )
        journal = place / "journal_s" / "journal"
        journal.write_bytes(journal.read_bytes().replace(b"redacted", b"detcader", 1))
        FileSessionManager.repair("s", str(place))
    finally:
        os.umask(before)
    for path in [tmp_path / "sessions", *(tmp_path / "sessions").rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_rewriting_beside_a_deletion_and_a_new_beginning_stays_in_its_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    manager: Any = agent._session_manager
    asyncio.run(add(agent, text_message("my pin is 1234")))
    replace = os.replace

    def late(*given: Any, **named: Any) -> None:
        file_session_manager.delete_session("s", str(tmp_path))
        say(tmp_path, "somebody else")
        replace(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", late)
        with pytest.raises(SessionException):
            manager.redact_latest_message({"role": "user", "content": [{"text": "[redacted]"}]}, agent)
    assert texts_of(tmp_path) == ["somebody else"]
    assert {path.name for path in tmp_path.rglob("*")} == {"journal_s", "journal"}


def test_one_manager_may_delete_a_session_and_begin_it_anew(tmp_path: Path) -> None:
    manager = FileSessionManager("x", storage_dir=str(tmp_path))
    for _ in range(3):
        manager.create_session(Session("s", "AGENT"))  # type: ignore[arg-type]
        say(tmp_path, "one")
        close_all()
        assert manager.read_session("s") is not None
        manager.delete_session("s")
        assert manager.read_session("s") is None
