"""Workspaces: what is stored there is told as it is, also where a backend replaces files in the background."""

from pathlib import Path

import pytest
from session_conformance.harness import Workspace
from session_conformance.harness.faults.file_system import Contents


def test_a_file_that_is_replaced_while_others_are_read_is_read_under_its_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "journal.new").write_bytes(b"rewritten")
    read = Path.read_bytes

    def rename_then_read(path: Path) -> bytes:
        if path.name == "journal.new":  # it was seen, and is renamed before it is read
            path.rename(tmp_path / "journal")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", rename_then_read)
    assert Workspace(tmp_path).stored_files() == {"journal": b"rewritten"}


def test_a_folder_in_which_files_never_stay_is_not_looked_at_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "journal").write_bytes(b"rewritten")

    def gone(path: Path) -> bytes:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_bytes", gone)
    with pytest.raises(FileNotFoundError, match="journal"):
        Workspace(tmp_path).stored_files()


def test_what_a_folder_holds_is_told_as_of_one_moment_where_a_file_is_removed_as_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / "passing").write_bytes(b"for a while")
    read = Path.read_bytes

    def remove_then_read(path: Path) -> bytes:
        if path.name == "passing":
            path.unlink()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", remove_then_read)
    contents = Contents.of_folder(tmp_path)
    assert [list(names) for names in contents.names.values()] == [["kept"]]
    assert [bytes(data) for data in contents.files.values()] == [b"kept"]
