"""Upkeep that the handler of a signal breaks off leaves no lock behind in a process that goes on."""

import fcntl
import itertools
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file import folders, removal

from tests.reference_impl.agents import open_agent, texts_of
from tests.reference_impl.log.interrupting import interrupted_at


class BrokenOff(BaseException):
    """What a handler raises: as ``KeyboardInterrupt``, it is no ``Exception``."""


def break_off() -> None:
    raise BrokenOff


def waits_for_nobody(folder: Path) -> bool:
    """Whether a session can be opened at once, and need not wait until this process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one raises in a finalizer
@pytest.mark.parametrize(
    "upkeep",
    [
        lambda folder: FileSessionManager.clean_up(timedelta(0), folder),
        lambda folder: FileSessionManager.clean_up(timedelta(0), folder, dry_run=True),
        lambda folder: removal.delete("s", Path(folder)),
    ],
    ids=["clean-up", "dry clean-up", "deletion"],
)
def test_a_handler_that_raises_at_any_line_locks_nobody_out(upkeep: Callable[[str], Any], tmp_path: Path) -> None:
    open_agent(tmp_path / "made")._session_manager.close()
    for line in itertools.count(1):
        place = tmp_path / str(line)
        shutil.copytree(tmp_path / "made", place)
        try:
            rang = interrupted_at(line, {removal, folders}, lambda place=place: upkeep(str(place)), break_off)  # type: ignore[misc]
        except BrokenOff:
            rang = True
        assert all(map(waits_for_nobody, place.iterdir())), f"line {line} of those that are run"
        if not rang:
            break
    assert line > 20
    assert texts_of(place) == []
