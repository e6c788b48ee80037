"""Restoring: what a reader finds in each state that a crash left. Each is made when its turn comes, and read once."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..conversations import ProcessDied, ReadingProcess, Session
from ..process import Hang, holds
from ..timeline import Reading
from ._copies import FolderCopy
from .file_system import Contents
from .recording import CrashState

READERS = 2
"""How many processes read at the same time."""

_MOST_HANGS = 3
"""How many readings that do not end are waited for: each takes a minute."""

_WAITING = 100
"""How many states are known at once at most."""

_IN_MEMORY = Path("/dev/shm")
"""Where Linux has files in memory: there a sync costs nothing."""

_SMALL = 2**20
"""In bytes: a store up to this size is copied to memory, a larger one to disk."""

_MOST_HELD = 100
"""So many states at most are read by a process that keeps files of each open: it would run out of descriptors."""


class Restorations:
    """Reads the states that crashes of one session left.

    Args:
        session: The session.
        size: How many bytes its workspace holds.
    """

    def __init__(self, session: Session, size: int) -> None:
        self._session = session
        self._is_small = size <= _SMALL
        self._in_memory = self._is_small and _has_room(_IN_MEMORY, size)
        self._known: dict[str, Reading] = {}
        self._readings: dict[str, Reading] = {}
        self._hangs = 0

    def known(self, contents: Contents) -> Reading | None:
        """Return what was read from a state, or None where nothing was yet."""
        return self._known.get(contents.digest())

    def each(self, crashes: Iterable[CrashState]) -> Iterator[tuple[CrashState, Reading]]:
        """Yield crashes, and what a reader restores after them, in their order.

        Raises:
            Hang: Several readings did not come to an end.
        """
        with contextlib.ExitStack() as stack:
            place = _IN_MEMORY if self._in_memory else None
            folder = tempfile.TemporaryDirectory("-crash", "session-conformance-", place, ignore_cleanup_errors=True)
            root = Path(stack.enter_context(folder))
            free = deque(_Reader(self._session, root / f"{number}", self._is_small) for number in range(READERS))
            for reader in free:
                stack.callback(reader.close)
            waiting: deque[tuple[CrashState, str, _Reader | None]] = deque()

            def first() -> tuple[CrashState, Reading]:
                crash, digest, reader = waiting.popleft()
                if reader is not None:
                    self._known[digest] = self._interned(self._outcome(reader))
                    free.append(reader)
                return crash, self._known[digest]

            begun: set[str] = set()
            for crash in crashes:
                digest = crash.state.contents.digest()
                if digest in self._known or digest in begun:
                    waiting.append((crash, digest, None))
                else:
                    while not free:
                        yield first()
                    reader = free.popleft()
                    reader.begin(crash.state.contents)
                    begun.add(digest)
                    waiting.append((crash, digest, reader))
                if len(waiting) > _WAITING:
                    yield first()
            while waiting:
                yield first()

    def _outcome(self, reader: _Reader) -> Reading:
        try:
            return reader.reading()
        except ProcessDied as error:
            return Reading(error=f"ProcessDied: {error}")
        except Hang as hang:
            self._hangs += 1
            if self._hangs == _MOST_HANGS:
                raise
            return Reading(error=f"Hang: {hang}")

    def _interned(self, reading: Reading) -> Reading:
        """Return the same object for the same outcome: there are many states, and few outcomes."""
        return self._readings.setdefault(reading.to_json(), reading)


@dataclass
class _Reader:
    """A process, and the folder that it reads in."""

    session: Session
    root: Path
    is_small: bool
    _copy: FolderCopy | None = None
    _process: ReadingProcess | None = None
    _turns: int = 0
    _held: int = 0

    def begin(self, contents: Contents) -> None:
        self._turns += 1
        folder = self.root / str(self._turns)
        if self._copy is None:
            folder.mkdir(parents=True)
            self._copy = FolderCopy(folder)
        if self._process is None:
            self._process = ReadingProcess(self.session)
        # Nothing changes below a process that has it open: what it remembers of a path is not of this one.
        self._copy.move_to(folder)
        self._copy.become(contents)
        self._process.begin(folder)

    def reading(self) -> Reading:
        assert self._process is not None
        assert self._copy is not None
        reading = self._process.reading()
        process_id = self._process.process_id
        if process_id is not None and holds(process_id, self._copy.folder):
            self._part(self._process, self._copy)
        return reading

    def _part(self, process: ReadingProcess, copy: FolderCopy) -> None:
        """Have the next state made of other files than those that the process has open, or read by another process."""
        self._held += 1
        if self.is_small:  # to write it whole costs less than to load the backend anew
            shutil.rmtree(copy.folder, ignore_errors=True)
            self._copy = None
        if not self.is_small or self._held % _MOST_HELD == 0:
            process.close()

    def close(self) -> None:
        if self._process is not None:
            self._process.close()


def _has_room(place: Path, size: int) -> bool:
    return place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > 10 * (size + _SMALL)
