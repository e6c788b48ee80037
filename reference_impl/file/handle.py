"""Handles: a session's folder and journal, held and locked under the names that they have now."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from ..log.change_log import Gone
from ..log.paths import is_folder, is_link
from .journal import LONGEST_HEADER, Damage, Header, read_header
from .posix import NEVER_WAIT, NO_LINKS, fcntl, has_name, identity, is_dead, open_folder

FILE = "journal"


class Handle:
    """A session's folder and journal. Whoever reads or writes the session holds the folder: a shared lock on it.

    Args:
        folder: The session's folder.
        session_id: The session's id, for errors.
    """

    def __init__(self, folder: Path, session_id: str) -> None:
        self.folder = folder
        self.path = folder / FILE
        self._name = str(self.path)
        self._session_id = session_id
        self._descriptor: int | None = None
        self._opened: tuple[int, int] | None = None  # device and inode of what the descriptor has open
        self._held: int | None = None
        self._may_be_locked = False
        self.header: Header | None = None
        """The first line of the file that is locked."""

    def check_folder(self) -> None:
        """Raise an error if the session's folder is not there, or is a link."""
        if is_link(self.folder):
            raise Damage(0, "its folder is a symbolic link, which may lead anywhere")
        if not is_folder(self.folder):
            raise Gone(f"session {self._session_id!r} is gone: there is no folder {self.folder}")

    @property
    def is_held(self) -> bool:
        """Whether this object counts as a user of the session."""
        return self._held is not None

    @property
    def held(self) -> int:
        """A descriptor of the folder that is held: another session's that has its name now is another folder."""
        assert self._held is not None
        return self._held

    def hold(self) -> None:
        """Count as a user of the session until :meth:`rest`."""
        if self._held is not None and (is_dead(self._held) or not has_name(self._held, self.folder)):
            self.rest()  # it was removed, and another one has its name
        while self._held is None:
            self.check_folder()
            descriptor = open_folder(self.folder)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                if has_name(descriptor, self.folder):
                    self._held = descriptor
            finally:
                if self._held != descriptor:
                    os.close(descriptor)

    def rest(self) -> None:
        """No longer count as a user of the session."""
        if self._held is not None:
            descriptor, self._held = self._held, None
            with contextlib.suppress(OSError):  # it is closed whatever the system says
                os.close(descriptor)

    def lock(self) -> int:
        """Return a descriptor of the file that has the journal's name now, with every other writer kept out.

        What a descriptor has open keeps its device and inode for as long as it is open, so that they tell whether it
        still has its name. They tell nothing of what was closed: that is known by its first line, the ``header``.
        """
        while True:
            if self._descriptor is None or self._held is None:
                self.check_folder()
                self.hold()
            if self._descriptor is None:
                self._descriptor, self._opened = open_regular(self.path, os.O_RDWR)
            descriptor = self._descriptor
            self._may_be_locked = True
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                named: tuple[int, int] | None = identity(os.lstat(self._name))
            except (FileNotFoundError, NotADirectoryError):
                named = None
            if named == self._opened:
                if self.header is None:
                    self.header = read_header(os.pread(descriptor, LONGEST_HEADER, 0))
                return descriptor
            self.drop()  # somebody rewrote or removed the journal meanwhile
            if named is None:
                self.check_folder()

    def unlock(self) -> None:
        """Let other writers in, if that was not done."""
        if self._descriptor is not None and self._may_be_locked:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            except BaseException:  # the handler of a signal raised: nobody may wait for this for ever
                self.drop()
                raise
        self._may_be_locked = False

    def drop_if_dead(self) -> None:
        """Close the journal if nothing will ever come of its descriptor: its file system is gone, and may be back."""
        if self._descriptor is not None and is_dead(self._descriptor):
            self.drop()

    def adopt(self, descriptor: int, header: Header) -> None:
        """Take a file that is open, locked and has the journal's name in place of the one that had it before."""
        self.drop()
        self._descriptor, self._opened, self.header = descriptor, identity(os.fstat(descriptor)), header
        self._may_be_locked = True

    def has(self, descriptor: int) -> bool:
        """Whether a descriptor is that of the journal, which this object closes."""
        return self._descriptor == descriptor

    def drop(self) -> None:
        """Give the lock back, and close the journal."""
        if self._descriptor is not None:
            # First, and known until it is done: who has this file open waits for its lock, whatever its name is.
            with contextlib.suppress(OSError):  # a child that was forked meanwhile may have it open too
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)
        self._opened = self.header = None
        self._may_be_locked = False

    def leave_to_parent(self) -> None:
        """Close what a child has of its parent's: the lock stays the parent's."""
        self.rest()
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)
        self._opened = self.header = None


def open_regular(path: Path, flags: int) -> tuple[int, tuple[int, int]]:
    """Return a descriptor of a file, and its device and inode. A pipe or device is not opened, and no link followed.

    Raises:
        Damage: It is no regular file.
        OSError: It cannot be opened.
    """
    descriptor = os.open(path, flags | NEVER_WAIT | NO_LINKS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Damage(0, "it is no regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, identity(status)
