"""The model of a file system: it follows a real process exactly, and a power cut takes what it may and no more."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from session_conformance.harness import Session
from session_conformance.harness.conversations import Die
from session_conformance.harness.faults import Contents, Durability, Untraceable
from session_conformance.harness.faults.file_operations import read_steps
from session_conformance.harness.faults.file_system import ROOT, Resize, SetName, Sync, Write, killed_within, kind_of
from session_conformance.harness.faults.tracing import traced, unavailable

needs_tracer = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))


def do_everything(session: Session, _: Die) -> str:
    folder = session.workspace.folder
    os.chdir(folder)
    Path("before").write_text("changed")
    Path("sub dir/ü").mkdir(parents=True)
    descriptor = os.open("sub dir/ü/file", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(descriptor, b'line\n"quoted", [brackets] {x} <angles> \\x00')
    os.pwrite(descriptor, b"ZZ", 2)
    os.writev(descriptor, [b"one, ", b"two"])
    os.lseek(descriptor, 3, os.SEEK_SET)
    os.write(descriptor, b"sought")
    os.read(descriptor, 4)
    other = os.dup(descriptor)
    os.write(other, b"shared position")
    os.ftruncate(descriptor, 200)
    os.fsync(descriptor)
    os.close(descriptor)
    with Path("appended").open("ab") as file:
        file.write(b"a")
        file.flush()
        file.write(b"b")
    with Path("appended").open("r+b") as file:
        file.read(1)
        file.write(b"X")
    os.truncate("appended", 1)
    Path("sub dir/ü/file").rename("moved")
    Path("appended").replace("moved-too")
    os.link("moved", "linked")
    Path("symbolic").symlink_to("moved")
    Path("gone").write_bytes(b"x" * 10000)
    Path("gone").unlink()
    Path("sub dir/ü").rmdir()
    folder_descriptor = os.open(".", os.O_RDONLY)
    os.mkdir("relative", dir_fd=folder_descriptor)
    os.rename("moved-too", "relative/moved", src_dir_fd=folder_descriptor)
    shutil.copyfile("moved", "copied")
    os.chdir("/")
    return ""


def exchanges_files(session: Session, _: Die) -> str:
    outside = session.workspace.folder.parent / "outside"
    outside.write_text("x")
    outside.rename(session.workspace.folder / "inside")
    return ""


@needs_tracer
def test_replayed_operations_give_what_is_on_disk(session: Session) -> None:
    folder = session.workspace.folder
    (folder / "before").write_text("before it began")
    contents = Contents.of_folder(folder)
    _, lines = traced(do_everything, session)
    steps = read_steps(lines, str(folder), str(folder), contents)
    assert {"openat", "write", "pwrite64", "writev", "ftruncate", "fsync", "rename", "unlink", "rmdir"} <= {
        step.call for step in steps
    }
    for step in steps:
        assert step.operation is not None
        contents.apply(step.operation)
    assert contents.digest() == Contents.of_folder(folder).digest()


@needs_tracer
def test_what_cannot_be_followed_is_said(session: Session) -> None:
    _, lines = traced(exchanges_files, session)
    with pytest.raises(Untraceable, match="into the workspace"):
        read_steps(lines, str(session.workspace.folder), "/", Contents.of_folder(session.workspace.folder))


def test_a_descriptor_that_was_closed_is_anothers_before_the_close_has_ended() -> None:
    path = "".join(f"\\x{byte:02x}" for byte in b"/folder/file")
    steps = read_steps(
        [
            "1 close(5</elsewhere> <unfinished ...>",
            f'2 openat(AT_FDCWD, "{path}", O_RDWR|O_CREAT, 0600) = 5</folder/file>',
            "1 <... close resumed>) = 0",
            "2 fsync(5</folder/file>) = 0",
        ],
        "/folder",
        "/",
        Contents(),
    )
    assert [step.operation for step in steps] == [SetName(ROOT, "file", 1, "file"), Sync(1)]


def test_contents_are_written_as_they_were_read(tmp_path: Path) -> None:
    contents = Contents()
    contents.apply(SetName(ROOT, "folder", 1, "directory"))
    contents.apply(SetName(1, "file", 2, "file"))
    contents.apply(Write(2, 3, b"data"))
    contents.apply(SetName(ROOT, "link", 3, "link", "folder/file"))
    contents.write_to(tmp_path)
    assert (tmp_path / "link").read_bytes() == b"\0\0\0data"
    assert Contents.of_folder(tmp_path).digest() == contents.digest()
    contents.apply(Resize(2, 4))
    assert Contents.of_folder(tmp_path).digest() != contents.digest()


def begun() -> tuple[Contents, Durability]:
    """Return a folder with a durable file of the bytes "old"."""
    contents = Contents()
    contents.apply(SetName(ROOT, "file", 1, "file"))
    contents.apply(Write(1, 0, b"old"))
    return contents, Durability(contents)


def holds(durability: Durability) -> Iterator[dict[str, bytes]]:
    for state in (durability.nothing_lost(), *durability.states()):
        yield {path: bytes(state.contents.files[node]) for path, node in state.contents.paths()}


def test_a_kill_within_a_write_leaves_a_part_of_it() -> None:
    contents, _ = begun()
    left = [bytes(state.contents.files[1]) for state in killed_within(contents, Write(1, 3, b"and new"))]
    assert left == [b"olda", b"oldand", b"oldand ne"]


def test_every_crash_is_of_a_kind() -> None:
    contents, durability = begun()
    assert {state.kind for state in killed_within(contents, Write(1, 3, b"and new"))} == {"killed within a write"}
    durability.apply(Write(1, 100, b"x" * 1000))
    durability.apply(SetName(ROOT, "new", 2, "file"))
    assert [durability.nothing_lost().kind, *dict.fromkeys(state.kind for state in durability.states())] == [
        "nothing was lost", "all that was not synced was lost", "bytes were lost, names were not",
        "names were lost, bytes were not", "one thing was lost", "all but one thing was lost",
        "a part of a write was lost",
    ]  # fmt: skip


def test_every_operation_is_of_a_kind() -> None:
    operations = {
        "a write": Write(1, 0, b""), "a resizing": Resize(1, 0), "a removal": SetName(ROOT, "a", None),
        "a creation": SetName(ROOT, "a", 2, "file"), "a renaming": SetName(ROOT, "a", 2, moved_from=(ROOT, "b")),
        "a sync": Sync(None),
    }  # fmt: skip
    assert {kind: kind_of(operation) for kind, operation in operations.items()} == {kind: kind for kind in operations}


def test_what_is_synced_stays_and_what_is_not_may_go() -> None:
    _, durability = begun()
    durability.apply(Write(1, 3, b"new"))
    assert {tuple(state.items()) for state in holds(durability)} == {
        (("file", b"old"),), (("file", b"oldnew"),), (("file", b"old\0\0\0"),)
    }  # fmt: skip
    durability.apply(Sync(1))
    assert list(holds(durability)) == [{"file": b"oldnew"}]


def test_a_synced_file_may_lose_its_name() -> None:
    _, durability = begun()
    durability.apply(SetName(ROOT, "new", 2, "file"))
    durability.apply(Write(2, 0, b"data"))
    durability.apply(Sync(2))
    assert {"file": b"old"} in holds(durability)
    durability.apply(Sync(ROOT))
    assert list(holds(durability)) == [{"file": b"old", "new": b"data"}]


def test_a_rename_may_be_kept_without_the_bytes() -> None:
    _, durability = begun()
    durability.apply(SetName(ROOT, "file.new", 2, "file"))
    durability.apply(Write(2, 0, b"data"))
    durability.apply(SetName(ROOT, "file", 2, moved_from=(ROOT, "file.new")))
    states = list(holds(durability))
    assert {"file": b""} in states
    assert {"file": b"old"} in states
    assert {"file": b"data"} in states


def test_sectors_of_a_write_are_lost_whole() -> None:
    _, durability = begun()
    durability.apply(Write(1, 100, b"x" * 1000))
    boundary = 1024 - 100  # of the sectors' ends, the first one behind the middle
    assert {state["file"][100:] for state in holds(durability)} == {
        b"", b"x" * 1000, bytes(1000), b"x" * boundary, bytes(boundary) + b"x" * (1000 - boundary)
    }  # fmt: skip


def test_syncing_everything_leaves_nothing_to_lose() -> None:
    _, durability = begun()
    durability.apply(Write(1, 0, b"new"))
    durability.apply(SetName(ROOT, "file", None))
    durability.apply(Sync(None))
    assert list(holds(durability)) == [{}]


def durable_after(*done: Write | Sync, refused: Sync | None = None) -> bytes:
    """Return what is durable of the file where a sync fails after the first operation and the others follow."""
    _, durability = begun()
    durability.apply(done[0])
    if refused is not None:
        durability.refuse(refused)
    for operation in done[1:]:
        durability.apply(operation)
    later = durability.copy()
    assert bytes(later.durable.files[1]) == bytes(durability.durable.files[1])
    later.apply(Sync(None))  # a copy forgets what the first forgot
    assert bytes(later.durable.files[1]) == bytes(durability.durable.files[1])
    return bytes(durability.durable.files[1])


def test_no_sync_makes_durable_what_one_that_failed_was_to_make_so() -> None:
    assert durable_after(Write(1, 0, b"new"), Sync(1)) == b"new"
    assert durable_after(Write(1, 0, b"new"), Sync(1), refused=Sync(1)) == b"old"
    assert durable_after(Write(1, 0, b"new"), Sync(1), refused=Sync(2)) == b"new"
    assert durable_after(Write(1, 0, b"new"), Sync(None), refused=Sync(None)) == b"old"


def test_what_is_written_again_is_synced_with_the_page_it_is_in() -> None:
    failed = Write(1, 3, b"first")
    same_page, next_page = Write(1, 8, b"second"), Write(1, 4096, b"second")
    assert durable_after(failed, same_page, Sync(1), refused=Sync(1)) == b"oldfirstsecond"
    assert durable_after(failed, next_page, Sync(1), refused=Sync(1)) == b"old" + bytes(4093) + b"second"


def test_a_write_in_place_that_is_lost_leaves_what_was_there() -> None:
    before = Contents()
    before.apply(SetName(ROOT, "file", 1, "file"))
    before.apply(Write(1, 0, b"durable bytes"))
    durability = Durability(before)
    durability.apply(Write(1, 0, b"durable BYTES and more"))
    left = {bytes(state.contents.files[1]) for state in durability.states()}
    assert left == {b"durable bytes", b"durable bytes" + bytes(9)}
