"""A process is asked what it still has open or mapped of a folder."""

import mmap
import os
from pathlib import Path

from session_conformance.harness.process import holds, maps


def test_a_file_that_is_open_is_held_until_it_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "deeper" / "data"
    file.parent.mkdir()
    file.write_bytes(b"x")
    assert not holds(os.getpid(), tmp_path)
    with file.open("rb"):
        assert holds(os.getpid(), tmp_path)
        assert not maps(os.getpid(), tmp_path)
        assert not holds(os.getpid(), tmp_path / "deep")
    assert not holds(os.getpid(), tmp_path)


def test_a_file_that_is_mapped_is_held_though_it_is_closed(tmp_path: Path) -> None:
    with (tmp_path / "data").open("w+b") as file:
        file.write(b"x")
        file.flush()
        mapped = mmap.mmap(file.fileno(), 1)
    assert maps(os.getpid(), tmp_path)
    assert holds(os.getpid(), tmp_path)
    mapped.close()
    assert not holds(os.getpid(), tmp_path)


def test_of_a_process_that_is_gone_nothing_is_held(tmp_path: Path) -> None:
    assert not holds(2**22 + 1, tmp_path)
