"""Session folders that come into being or go: at once for everybody else, and nothing that a crash leaves stays.

A folder is made, and removed, under a hidden name. Whoever makes one keeps a lock on it, which ends with the process: a
hidden folder whose lock can be taken is nobody's any more, however young it is. A lock counts only while what is locked
has its name, since between the making of a folder and its lock another process may take it for a crash's.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..log.paths import is_folder, is_link
from .posix import fcntl, has_name, open_folder

_HIDDEN = ".unfinished-"
_LONGEST = 255 - len(f"{_HIDDEN}-00000000")
"""How many bytes a name may have to be a part of a hidden one: file systems take 255."""


def is_there(folder: Path) -> bool:
    """Whether there is a folder, or a link. There is none of a name that is too long."""
    try:
        return is_folder(folder) or is_link(folder)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Make a folder that is to get the name ``folder`` once it is filled.

    Yields:
        The folder under its hidden name, for the caller to fill and rename. What the caller leaves there is removed.
    """
    path, lock = _locked_new(folder)
    try:
        yield path
    finally:
        try:
            if lock.has_name(path):
                shutil.rmtree(path, ignore_errors=True)
        finally:
            lock.give_back()


@contextlib.contextmanager
def unused_folder(folder: Path) -> Iterator[bool]:
    """Keep a folder from being used by others. Yields False if somebody uses it, or it is gone."""
    lock = lock_unused(folder)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.give_back()


class FolderLock:
    """A lock on a folder, which is given back at the latest when nobody refers to it any more.

    The handler of a signal may raise at any line. Were the lock to stay with nobody, whoever opens the session in this
    process, or in a child of it, would wait for ever.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def take(self, folder: Path, how: int) -> bool:
        """Lock a folder; return whether that has its name still.

        Args:
            folder: The folder.
            how: As ``flock`` takes it.

        Raises:
            OSError: It cannot be opened, or cannot be locked.
        """
        self._descriptor = open_folder(folder)
        fcntl.flock(self._descriptor, how)
        return self.has_name(folder)

    @property
    def is_open(self) -> bool:
        """Whether the folder could be opened."""
        return self._descriptor is not None

    def has_name(self, folder: Path) -> bool:
        """Whether what is locked has a name now."""
        return self._descriptor is not None and has_name(self._descriptor, folder)

    def give_back(self) -> None:
        """Let others use the folder."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # first: a child that was forked meanwhile has it open too
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            try:
                self.give_back()
            finally:
                self.give_back()  # again, in case that the handler of a signal broke off the first one


def lock_unused(folder: Path) -> FolderLock | None:
    """Keep a folder from being used by others until the lock is given back; None if somebody uses it, or it is gone."""
    lock = FolderLock()
    try:
        if lock.take(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return lock
    except OSError as error:  # it is gone, is a link or a file, or another user's
        if lock.is_open and not isinstance(error, BlockingIOError):
            raise
    lock.give_back()
    return None


def leftovers(parent: Path) -> list[Path]:
    """Return the hidden folders in a folder: what crashes left, and what others are at work on."""
    try:
        with os.scandir(parent) as entries:
            return sorted(parent / entry.name for entry in entries if entry.name.startswith(_HIDDEN))
    except FileNotFoundError:
        return []


def leftovers_of(folder: Path) -> list[Path]:
    """Return the hidden folders of one session, by the name of its folder."""
    own = re.compile(re.escape(f"{_HIDDEN}{_short(folder.name)}-") + "[0-9a-f]{8}")  # ids may begin with other ids
    return [left for left in leftovers(folder.parent) if own.fullmatch(left.name)]


def remove_leftovers(folder: Path) -> None:
    """Remove what crashes left of one session, by the name of its folder, and nothing that others are at work on."""
    for left in leftovers_of(folder):
        remove_leftover(left)


def remove_leftover(left: Path) -> None:
    """Remove a hidden folder, unless another process is at work on it."""
    with contextlib.suppress(OSError), unused_folder(left) as ours:
        if ours:
            shutil.rmtree(left, ignore_errors=True)


def hide(folder: Path) -> Path:
    """Give a session's folder a hidden name, so that it is gone for everybody else, and return that.

    A folder of a container's image (a lower layer of an overlay) has the name that it has: there, what is in it is.
    """
    hidden = _hidden(folder)
    try:
        folder.rename(hidden)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        hidden, lock = _locked_new(folder)
        try:
            _move_all(folder, hidden)
        finally:
            lock.give_back()
    return hidden


def _move_all(folder: Path, hidden: Path) -> None:
    """Move what is in a folder, files first: without its journal, or its ``session.json``, there is no session."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.is_dir(follow_symlinks=False))
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            (hidden / entry.name).mkdir(mode=0o700)
            _move_all(Path(entry.path), hidden / entry.name)
        else:
            Path(entry.path).rename(hidden / entry.name)
    folder.rmdir()


def _locked_new(folder: Path) -> tuple[Path, FolderLock]:
    while True:
        path, lock = _hidden(folder), FolderLock()
        path.mkdir(mode=0o700)
        try:
            path.chmod(0o700)  # whatever the umask
            if lock.take(path, fcntl.LOCK_SH):
                return path, lock
        except FileNotFoundError:  # taken for a crash's
            continue
        lock.give_back()


def _hidden(folder: Path) -> Path:
    return folder.parent / f"{_HIDDEN}{_short(folder.name)}-{secrets.token_hex(4)}"


def _short(name: str) -> str:
    """Return a name, or what stands for one that has no room left for what hides it."""
    data = name.encode()
    return name if len(data) <= _LONGEST else f"~{hashlib.sha256(data).hexdigest()[:24]}"


def unlock(descriptor: int) -> None:
    """Let others use a folder that was locked."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that was forked meanwhile has it open too
    os.close(descriptor)
