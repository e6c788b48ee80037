"""Copies on disk hold one state after another, whatever a reader does to them in between."""

import random
from pathlib import Path

import pytest
from session_conformance.harness.faults import Contents
from session_conformance.harness.faults import _copies as copies
from session_conformance.harness.faults._copies import FolderCopy
from session_conformance.harness.faults.file_system import ROOT, SetName, Write


def states() -> list[Contents]:
    chance = random.Random(20261126)
    contents = Contents()
    contents.apply(SetName(ROOT, "folder", 1, "directory"))
    contents.apply(SetName(1, "large", 2, "file"))
    contents.apply(SetName(ROOT, "small", 3, "file"))
    made = []
    for number in range(40):
        contents.apply(Write(2, chance.randrange(2**18), chance.randbytes(1000)))
        contents.apply(Write(3, number, b"small"))
        if number % 5 == 0:
            contents.apply(SetName(ROOT, "link", 100 + number, "link", f"target {number}"))
        if number % 7 == 0:
            contents.apply(SetName(ROOT, "small" if number % 2 else "moved", 3, moved_from=(ROOT, "small")))
        if number % 11 == 0:
            contents.apply(SetName(1, "large", None))
            contents.apply(SetName(1, "large", 2))
        made.append(contents.copy())
    chance.shuffle(made)
    return made


def tamper(folder: Path, number: int) -> None:
    """Change what lies there, as restoring from it may."""
    large = folder / "folder" / "large"
    if number % 6 == 0:
        data = large.read_bytes()
        large.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif number % 6 == 1:
        large.unlink()
    elif number % 6 == 2:
        (folder / "folder" / "lock").mkdir()
        (folder / "folder" / "lock" / "owner").write_text("me")
    elif number % 6 == 3:
        large.rename(folder / "elsewhere")
        large.mkdir()
    elif number % 6 == 4:
        large.chmod(0)


@pytest.mark.parametrize("compared", [0, 2**20], ids=["known by their times", "compared"])
def test_a_copy_holds_each_state_exactly(compared: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_COMPARED", compared)
    (tmp_path / "0").mkdir()
    copy = FolderCopy(tmp_path / "0")
    for number, contents in enumerate(states()):
        copy.move_to(tmp_path / str(number))
        copy.become(contents)
        assert Contents.of_folder(copy.folder).digest() == contents.digest()
        tamper(copy.folder, number)
