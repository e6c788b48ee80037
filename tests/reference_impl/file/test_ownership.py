"""What takes the place of a file belongs to whom that belonged: nobody is locked out of their own session."""

import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.log.ownership import take_after
from strands.session import FileSessionManager as SdkFileSessionManager

from tests.reference_impl.agents import open_agent, say, text_message

SOMEBODY = 65534
LIST = "system.posix_acl_access"
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="who is not root gives nothing away")


def owned(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


def redacted(folder: Path) -> None:
    manager = FileSessionManager("s", str(folder))
    agent = open_agent(folder, manager=manager)
    manager.append_message(text_message("a secret"), agent)
    manager.redact_latest_message(text_message("redacted"), agent)
    manager.close()


def folded(folder: Path) -> None:
    manager = FileSessionManager("s", str(folder))
    agent = open_agent(folder, manager=manager)
    for number in range(60):
        agent.state.set("long", f"{number}" + "x" * 60_000)
        manager.sync_agent(agent)
    manager.close()


def repaired(folder: Path) -> None:
    journal = folder / "journal_s" / "journal"
    data = journal.read_bytes()
    place = data.rindex(b"hello")
    with journal.open("r+b") as file:
        file.seek(place)
        file.write(b"HELLO")
    assert FileSessionManager.repair("s", str(folder)).damaged_file is not None


REPLACING: dict[str, Callable[[Path], None]] = {"redaction": redacted, "compaction": folded, "repair": repaired}


@pytest.mark.parametrize("replace", REPLACING.values(), ids=REPLACING.keys())
@pytest.mark.parametrize("rights", [0o600, 0o660, 0o640])
def test_a_journal_that_is_written_anew_is_open_to_whom_it_was(tmp_path: Path, replace: Any, rights: int) -> None:
    say(tmp_path, "first", "hello", "last")
    journal = tmp_path / "journal_s" / "journal"
    journal.chmod(rights)
    if IS_ROOT:
        os.chown(journal, SOMEBODY, SOMEBODY)
    before, was = owned(journal), journal.stat().st_ino
    with journal.open("rb"):  # nothing gets its number meanwhile
        replace(tmp_path)
        assert owned(journal) == before
        assert journal.stat().st_ino != was


def listing(*users: int, group: int = 0, mask: int = 6) -> bytes:
    """Return an access control list by which some users may read and write, as Linux keeps it (``acl(5)``)."""
    nobody = 0xFFFFFFFF
    entries = [
        (1, 6, nobody),
        *((2, 6, user) for user in users),
        (4, group, nobody),
        (16, mask, nobody),
        (32, 0, nobody),
    ]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def list_of(path: Path) -> bytes | None:
    try:
        return os.getxattr(path, LIST)
    except OSError:
        return None


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="the system has no such lists")
@pytest.mark.parametrize("replace", REPLACING.values(), ids=REPLACING.keys())
@pytest.mark.parametrize("is_listed", [True, False], ids=["a list of its own", "one for new files"])
def test_whom_an_access_control_list_names_is_locked_out_no_more_than_the_group_is_let_in(
    tmp_path: Path, replace: Any, is_listed: bool
) -> None:
    """The group bits of a mode are the most that a list gives somebody: the group had them all of a sudden."""
    say(tmp_path, "first", "hello", "last")
    journal = tmp_path / "journal_s" / "journal"
    try:
        if is_listed:
            os.setxattr(journal, LIST, listing(SOMEBODY))
        else:
            journal.chmod(0o640)
            os.setxattr(journal.parent, "system.posix_acl_default", listing(SOMEBODY))
    except OSError:
        pytest.skip("the file system has no such lists")
    before, was = (owned(journal), list_of(journal)), journal.stat().st_ino
    with journal.open("rb"):  # nothing gets its number meanwhile
        replace(tmp_path)
        assert (owned(journal), list_of(journal)) == before
        assert journal.stat().st_ino != was


@as_root
def test_what_root_hands_back_is_its_owners_alone(tmp_path: Path) -> None:
    sdk = open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    sdk._session_manager.append_message(text_message("first"), sdk)  # type: ignore[union-attr]
    [message] = tmp_path.rglob("message_0.json")
    message.chmod(0o644)
    os.chown(message, SOMEBODY, SOMEBODY)
    FileSessionManager("s", str(tmp_path)).hand_back()
    assert owned(message) == (SOMEBODY, SOMEBODY, 0o600)


def test_a_group_that_the_other_did_not_have_gets_no_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refused)
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch(), new.touch()
    old.chmod(0o660), new.chmod(0o600)
    with new.open("r+b") as file:
        assert take_after(file.fileno(), old)
    assert owned(new)[2] == 0o600


def test_what_is_no_file_is_not_taken_after(tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.touch()
    new.chmod(0o600)
    tmp_path.chmod(0o770)
    with new.open("r+b") as file:
        assert not take_after(file.fileno(), tmp_path)
        assert not take_after(file.fileno(), tmp_path / "none")
        os.link(new, tmp_path / "same")
        assert not take_after(file.fileno(), tmp_path / "same")
