"""A journal on disk: durable commits, several processes at a time, and nothing ever overwritten."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import secrets
import shutil
import stat
import threading
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import ModuleType

from strands.types.exceptions import SessionException

from .commit_lines import commit_line
from .journal import TRAILER, Damage, Scan, capacity_for, json_array, new_journal, reserve, scan

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: one process at a time, see FileSessionManager
    fcntl = None

logger = logging.getLogger(__name__)

FILE = "journal"
_HIDDEN = ".unfinished-"

_sync = getattr(os, "fdatasync", os.fsync)
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class JournalFile:
    """The journal of one session.

    Every method raises ``SessionException`` where the file is damaged, gone, or cannot be read or written; the text
    names the session, the file, what was found and what to do.

    Args:
        folder: The session's folder, which holds nothing but the journal and what repairs put aside.
        session_id: The session's id, for errors.
    """

    def __init__(self, folder: Path, session_id: str) -> None:
        self.folder = folder
        self.path = folder / FILE
        self._session_id = session_id
        self._descriptor: int | None = None
        self._name = str(self.path)
        self._opened: tuple[int, int] | None = None  # device and inode of what the descriptor has open
        self._identity: tuple[int, int] | None = None  # and of what was scanned
        self._known = Scan()
        self._in_use: int | None = None
        self._writing = False
        self._lock = threading.RLock()

    def exists(self) -> bool:
        """Whether the session is there: its folder is, since that comes into being with the journal in it."""
        with self._errors("read"):
            return self.folder.is_dir() or self.folder.is_symlink()

    def create(self, bodies: list[bytes]) -> bool:
        """Create the session with its first commits, durably and at once.

        Returns:
            False if another process created it first.
        """
        parent = self.folder.parent
        with self._errors("create"):
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_unfinished()
            unfinished = parent / f"{_HIDDEN}{self.folder.name}-{secrets.token_hex(4)}"
            unfinished.mkdir(mode=0o700)
            try:
                self._write_new(unfinished / FILE, new_journal(bodies))
                _sync_folder(unfinished)
                unfinished.rename(self.folder)
            except OSError as error:
                shutil.rmtree(unfinished, ignore_errors=True)
                if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                    return False
                raise
            _sync_folder(parent)
        return True

    def read(self) -> bytearray:
        """Return the JSON array of every commit, and remember where they end. Nothing is written."""
        with self._lock, self._errors("read"):
            self._check_folder()
            descriptor = os.open(self.path, os.O_RDONLY | _NO_LINKS)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise Damage(0, "it is no regular file")
                data, found = self._scanned(descriptor, status.st_size)
            finally:
                os.close(descriptor)
            if found.torn:
                logger.warning(
                    "session_id=<%s>, file=<%s>, offset=<%d>, bytes=<%d> | a commit that a crash cut short is left out",
                    self._session_id,
                    self.path,
                    found.end,
                    found.torn,
                )
            self._identity = _identity(status)
            self._known = found
            self._hold()
            return json_array(data, found)

    def _scanned(self, descriptor: int, size: int) -> tuple[bytearray, Scan]:
        """Return what is in the file, and what that holds.

        A reader beside a writer may see half of a write, with any of its bytes missing. So what looks torn or damaged
        is looked at once more while nobody writes.
        """
        data = _read_all(descriptor, size)
        try:
            found = scan(data)
        except Damage:
            found = None
        if found is not None and not found.torn:
            return data, found
        if fcntl is not None and not self._writing:
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # until it is closed
            data = _read_all(descriptor, size)
        return data, scan(data)

    def changed(self) -> bool:
        """Whether the file is not as it was when it was read or written last."""
        with self._lock, self._errors("read"):
            self._check_folder()
            try:
                status = self.path.lstat()
            except FileNotFoundError:
                return True
            if _identity(status) != self._identity:
                return True
            descriptor = os.open(self.path, os.O_RDONLY | _NO_LINKS)
            try:
                return status.st_size != self._known.capacity or self._has_more(descriptor)
            finally:
                os.close(descriptor)

    def rest(self) -> None:
        """No longer count as a user of the session, until it is read or written again."""
        with self._lock:
            if self._in_use is not None:
                os.close(self._in_use)
                self._in_use = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[bool]:
        """Keep every other writer out. Yields whether others have written since this object last looked."""
        with self._lock, self._errors("write"):
            descriptor = self._open_current()
            self._writing = True
            try:
                yield self._opened != self._identity or self._has_more(descriptor)
            finally:
                self._writing = False
                if fcntl is not None and self._descriptor is not None:
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def append(self, body: bytes) -> None:
        """Append a commit, and return when it is durable. Only while :meth:`writing`, and when up to date."""
        descriptor, known = self._descriptor, self._known
        assert descriptor is not None
        if known.torn:
            # What the crash left is removed for good before anything is put there: a second crash would otherwise
            # leave a mixture of the two, which nobody could tell from damage.
            _write(descriptor, bytes(known.torn), known.end)
            _sync(descriptor)
            known.torn = 0
        line = commit_line(known.number, body, known.before)
        if known.end + len(line) + len(TRAILER) > known.capacity:
            self._grow(descriptor, known.end + len(line))
        known.torn = len(line)  # until it is known to be durable: the next commit would clear it first
        try:
            _write(descriptor, line, known.end)
            _sync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                _write(descriptor, bytes(len(line)), known.end)
            raise
        known.torn = 0
        known.end += len(line)
        known.number += 1
        known.before = zlib.crc32(line, known.before)

    def rewrite(self, bodies: list[bytes], change: bytes, touched: Collection[int] | None) -> None:
        """Replace the journal by another, durably and at once. Only while :meth:`writing`."""
        replacement = self.folder / f"{FILE}.new"
        with contextlib.suppress(FileNotFoundError):
            replacement.unlink()  # a crash left it
        try:
            self._write_new(replacement, new_journal(bodies))
            replacement.replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                replacement.unlink()
            raise
        _sync_folder(self.folder)
        self.forget()

    def news(self) -> None:
        """Say that all must be read again: reading a journal is one read, whatever is new in it."""

    def forget(self) -> None:
        """Forget what was read, so that it is read again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._identity = None

    def close(self) -> None:
        """Let go of the file, and no longer count as a user of the session."""
        with self._lock:
            self.forget()
            self.rest()

    @contextlib.contextmanager
    def unused(self) -> Iterator[bool]:
        """Keep the session from being opened by others. Yields False if somebody has it open."""
        if fcntl is None:
            yield True
            return
        descriptor = os.open(self.folder, os.O_RDONLY | _NO_LINKS)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    # -- inside --------------------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Count as a user of the session for as long as this object lives: a shared lock on its folder."""
        if fcntl is not None and self._in_use is None:
            self._in_use = os.open(self.folder, os.O_RDONLY | _NO_LINKS)
            fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def _check_folder(self) -> None:
        if self.folder.is_symlink():
            raise Damage(0, "its folder is a symbolic link, which may lead anywhere")
        if not self.folder.is_dir():
            raise SessionException(f"session {self._session_id!r} is gone: there is no folder {self.folder}")

    def _open_current(self) -> int:
        """Return a descriptor of the file that has the journal's name now, locked."""
        while True:
            if self._descriptor is None or self._in_use is None:
                self._check_folder()
                self._hold()
            if self._descriptor is None:
                self._descriptor = os.open(self.path, os.O_RDWR | _NO_LINKS)
                self._opened = _identity(os.fstat(self._descriptor))
            if fcntl is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                named: tuple[int, int] | None = _identity(os.lstat(self._name))
            except FileNotFoundError:
                named = None
            if named == self._opened:
                return self._descriptor
            os.close(self._descriptor)  # somebody rewrote or removed the journal meanwhile
            self._descriptor = None
            if named is None:
                self._check_folder()

    def _has_more(self, descriptor: int) -> bool:
        if self._known.torn:  # somebody else may have cleared it, or may be about to
            return True
        seen = os.pread(descriptor, 1, self._known.end)
        return seen[:1] not in (b"\0", TRAILER[:1])

    def _grow(self, descriptor: int, used: int) -> None:
        known = self._known
        capacity = capacity_for(used)
        _write(descriptor, reserve(known.capacity, capacity), known.capacity)
        _sync(descriptor)
        # The older trailer goes only when the new space is there to stay: there is one at any time.
        _write(descriptor, bytes(len(TRAILER)), known.capacity - len(TRAILER))
        _sync(descriptor)
        known.capacity = capacity

    def _write_new(self, path: Path, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS, 0o600)
        try:
            _write(descriptor, data, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _remove_unfinished(self) -> None:
        """Remove what crashes left of earlier attempts to create this session."""
        for left in self.folder.parent.glob(f"{_HIDDEN}{self.folder.name}-*"):
            shutil.rmtree(left, ignore_errors=True)

    @contextlib.contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except Damage as damage:
            raise SessionException(
                f"session {self._session_id!r}: the journal {self.path} is damaged {damage}. Nothing was changed."
                " FileSessionManager.verify() says more, FileSessionManager.repair() brings back what is whole"
            ) from damage
        except OSError as error:
            missing = isinstance(error, FileNotFoundError) and self.folder.is_dir()
            hint = (
                "it was removed from its folder; restore it from a backup" if missing else _HINTS.get(error.errno or 0)
            )
            raise SessionException(
                f"session {self._session_id!r}: cannot {action} {self.path}: {error.strerror or error}"
                + (f" ({hint})" if hint else "")
            ) from error


_HINTS = {
    errno.ENOSPC: "make room; what was not stored is stored with the next change",
    errno.EDQUOT: "the quota is used up; what was not stored is stored with the next change",
    errno.EACCES: "give this user the right to read and write it",
    errno.EPERM: "give this user the right to read and write it",
    errno.EROFS: "the file system is mounted read-only",
    errno.ELOOP: "it is a symbolic link, which may lead anywhere",
    errno.EMFILE: "this process has too many files open: raise its limit, or close() managers that are not needed",
}


def unfinished_folders(parent: Path) -> list[Path]:
    """Return what crashes left of sessions that were being created or deleted."""
    return sorted(parent.glob(f"{_HIDDEN}*")) if parent.is_dir() else []


def remove_folder(folder: Path) -> None:
    """Remove a session's folder: at once for everybody else, then in fact."""
    hidden = folder.parent / f"{_HIDDEN}{folder.name}-{secrets.token_hex(4)}"
    folder.rename(hidden)
    _sync_folder(folder.parent)
    shutil.rmtree(hidden)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _read_all(descriptor: int, size: int) -> bytearray:
    """Return all that is in a file, which had a size in bytes and may be growing."""
    data = bytearray(size)
    with io.FileIO(os.dup(descriptor)) as file:
        file.seek(0)
        del data[file.readinto(data) :]
        while more := file.read():
            data += more
    return data


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    write: Callable[[int, memoryview, int], int] = os.pwrite
    while view:
        written = write(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
