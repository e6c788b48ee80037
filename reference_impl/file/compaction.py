"""Compaction: a journal is folded beside its writer, and takes the place of the one that outgrew what it holds.

A state that is set a thousand times leaves a thousand commits of which one counts. The journal is read, folded and
written on a thread of its own, while its writers go on; only what they appended meanwhile is copied while they wait.
Where they are faster than that, they wait for it: so a journal has never more than a few times what it holds.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ..log.commit_lines import ARRAY_END, commit_line, whole_commit
from .copies import NEW
from .handle import FILE
from .journal import Header, Scan, capacity_for, new_journal, reserve
from .posix import NO_LINKS, new_file, sync_all, write_at
from .reading import read_up_to_nul
from .scanning import follow_lines

logger = logging.getLogger(__name__)

SMALL = 400 * 1024
"""Up to how many bytes a journal is left as it is."""

Fold = Callable[[bytearray], list[bytes]]
"""Returns the bodies of the fewest commits that add up to those in a JSON array."""


class Journal(Protocol):
    """What is folded. But for its path, all is for while it is being written.

    Attributes:
        path: Where it is.
    """

    path: Path

    def writing(self) -> AbstractContextManager[bool]:
        """Keep every other writer out."""

    def header(self) -> Header | None:
        """Return the first line of the file that has the journal's name."""

    def known(self) -> Scan | None:
        """Return what was read or written last."""

    def descriptors(self) -> tuple[int, int]:
        """Return descriptors of the session's folder and of the journal."""

    def put_in_place(self, name: str, descriptor: int, found: Scan) -> None:
        """Give a file of the session's folder the journal's name."""


class Compaction:
    """Keeps a journal in proportion to what it holds.

    Args:
        journal: The journal.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._thread: threading.Thread | None = None
        self._not_below = 0
        self._begun_at = 0

    def begin_if_due(self, known: Scan, fold: Fold) -> None:
        """Begin to fold the journal if it has outgrown what it held when it was written; wait if it goes on growing."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            if known.end > self._begun_at + self._begun_at // 2:
                thread.join()
            return
        if known.end > max(SMALL, 2 * known.header.live, self._not_below):
            self._begun_at = known.end  # one commit may have been long, and the next is not to wait for that
            thread = threading.Thread(target=self._run, args=(replace(known), fold), name="session-compaction")
            with contextlib.suppress(RuntimeError):  # the process is ending
                thread.start()
                self._thread = thread

    def wait(self) -> None:
        """Return when nothing is being folded any more."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self, known: Scan, fold: Fold) -> None:
        self._not_below = 2 * known.end  # where it fails, or gains nothing, it can be done without for a while
        try:
            if self._compact(known, fold):
                self._not_below = 0
        except Exception as error:
            logger.warning(
                "file=<%s>, error=<%s> | the journal could not be compacted", self._journal.path, type(error).__name__
            )

    def _compact(self, known: Scan, fold: Fold) -> bool:
        """Fold the journal as it was known, and put that in its place; whether nothing came in between."""
        with contextlib.ExitStack() as descriptors:
            with self._journal.writing():
                held, _ = self._journal.descriptors()
                if self._journal.header() != known.header:
                    return True  # somebody wrote it anew
                # Opened and not duplicated: a duplicate would share the lock, and keep it when the other is closed.
                folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY | NO_LINKS, dir_fd=held)
                descriptors.callback(os.close, folder)
                source = os.open(FILE, os.O_RDONLY | NO_LINKS, dir_fd=folder)
                descriptors.callback(os.close, source)
            return self._fold(known, fold, folder, source)

    def _fold(self, known: Scan, fold: Fold, folder: int, source: int) -> bool:
        name = f"{NEW}{os.urandom(16).hex()}"
        try:
            with contextlib.ExitStack() as until_handed_over:
                # Made while nobody writes: whoever redacts something from here on removes its name.
                with self._journal.writing():
                    if self._journal.header() != known.header:
                        return True
                    target = new_file(name, folder)
                    until_handed_over.callback(os.close, target)
                data = _read(source, known.end)
                if not _may_shrink(data):
                    return False
                data += ARRAY_END
                content, found = new_journal([(body, "") for body in fold(data)], known.life)
                del data
                write_at(target, content, 0)
                sync_all(target)
                return self._put_in_place(name, target, known, found, until_handed_over)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)

    def _put_in_place(
        self, name: str, target: int, before: Scan, found: Scan, until_handed_over: contextlib.ExitStack
    ) -> bool:
        with self._journal.writing():
            known = self._journal.known()
            if known is None or known.header != before.header or known.torn or self._journal.header() != before.header:
                return True
            _, source = self._journal.descriptors()
            lines = read_up_to_nul(source, before.end)
            if follow_lines(lines, replace(before)) != len(lines):
                return False  # what a crash left is another's to clear
            reached = replace(found) if known.end == before.end else None
            position, added = 0, []
            while position < len(lines):
                commit = whole_commit(lines, position)
                assert commit is not None
                line = commit_line(found.number, commit.body, found.before, commit.label)
                added.append(line)
                found.follow(line)
                position = commit.stop
                if before.end + position == known.end:
                    reached = replace(found)
            if reached is None:
                return True
            if added:
                start, found.capacity = found.end - sum(map(len, added)), capacity_for(found.end)
                write_at(target, b"".join(added) + reserve(found.end, found.capacity), start)
                sync_all(target)
            reached = replace(reached, capacity=found.capacity)
            until_handed_over.pop_all()  # from here on the journal closes it, whatever comes of it
            self._journal.put_in_place(name, target, reached)
        return True


def _read(descriptor: int, end: int) -> bytearray:
    data = bytearray()
    while len(data) < end and (chunk := os.pread(descriptor, end - len(data), len(data))):
        data += chunk
    return data


def _may_shrink(data: bytearray) -> bool:
    """Whether enough of the commits may count no more: messages that are added count for as long as the session lives.

    Told from their first bytes, so that a session that only grows by messages costs next to nothing.
    """
    messages = sum(match.end() - match.start() for match in _ONE_MESSAGE.finditer(data))
    return messages < len(data) // 2


_ONE_MESSAGE = re.compile(
    rb'^"[0-9a-f ]{35}(?: [0-9a-f]{24}(?: [0-9a-f]{8}:[0-9a-f]{8})?)?",\[\{"op":"message".*\n', re.MULTILINE
)
