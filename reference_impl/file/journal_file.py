"""A journal on disk: durable commits, several processes at a time, and nothing ever overwritten."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import stat
import threading
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from strands.types.exceptions import SessionException

from ..log.commit_lines import commit_line
from ..log.forking import begin_anew_in_children
from ..log.sdk_layout import sdk_folder
from .folders import new_folder, remove_leftovers, unused_folder
from .journal import TRAILER, Damage, Scan, capacity_for, json_array, new_journal, reserve, scan
from .posix import NEVER_WAIT, NO_LINKS, check_platform, fcntl, has_name, identity, open_folder, sync_all, sync_folder
from .posix import sync as _sync

logger = logging.getLogger(__name__)

FILE = "journal"


@dataclass(frozen=True)
class Look:
    """What a look at a journal found.

    Attributes:
        data: What is in the file.
        found: What that holds, or how it is damaged.
        status: The file's.
    """

    data: bytearray
    found: Scan | Damage
    status: os.stat_result


class JournalFile:
    """The journal of one session.

    Every method raises ``SessionException`` where the file is damaged, gone, or cannot be read or written; the text
    names the session, the file, what was found and what to do.

    A child that is forked shares its parent's descriptors, and with them its locks: the two would not keep each other
    out. So a child begins with none (:meth:`leave_to_parent`).

    Args:
        folder: The session's folder, which holds nothing but the journal and what repairs put aside.
        session_id: The session's id, for errors.

    Raises:
        SessionException: The system has no locks or syncs of the kind that is needed.
    """

    def __init__(self, folder: Path, session_id: str) -> None:
        check_platform()
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
        begin_anew_in_children(self)

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
            remove_leftovers(self.folder)
            with new_folder(self.folder) as unfinished:
                self._write_new(unfinished / FILE, new_journal(bodies))
                sync_folder(unfinished)
                try:
                    unfinished.rename(self.folder)
                except OSError as error:
                    if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                        return False
                    raise
            sync_folder(parent)
        return True

    def read(self) -> bytearray:
        """Return the JSON array of every commit, and remember where they end. Nothing is written."""
        with self._lock, self._errors("read"):
            was_held = self._in_use is not None
            self._hold()  # before the look: whoever removes unused sessions looks again once nobody can come
            try:
                look = self.look()
                if isinstance(look.found, Damage):
                    raise look.found
            except BaseException:
                if not was_held:
                    self.rest()
                raise
            if look.found.torn:
                logger.warning(
                    "session_id=<%s>, file=<%s>, offset=<%d>, bytes=<%d> | a commit that a crash cut short is left out",
                    self._session_id,
                    self.path,
                    look.found.end,
                    look.found.torn,
                )
            self._identity = identity(look.status)
            self._known = look.found
            return json_array(look.data, look.found)

    def look(self) -> Look:
        """Return what is in the file, and what that holds. Nothing is remembered, and nothing is written.

        A reader beside a writer may see half of a write, with any of its bytes missing. So what looks torn or damaged
        is looked at once more while nobody writes.
        """
        with self._lock, self._errors("read"):
            self._check_folder()
            descriptor = os.open(self.path, os.O_RDONLY | NEVER_WAIT | NO_LINKS)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise Damage(0, "it is no regular file")
                look = _look(descriptor)
                if (isinstance(look.found, Damage) or look.found.torn) and not self._writing:
                    fcntl.flock(descriptor, fcntl.LOCK_SH)
                    try:
                        look = _look(descriptor)
                    finally:
                        fcntl.flock(descriptor, fcntl.LOCK_UN)
                return look
            finally:
                os.close(descriptor)

    def changed(self) -> bool:
        """Whether the file is not as it was when it was read or written last."""
        with self._lock, self._errors("read"):
            self._check_folder()
            try:
                status = self.path.lstat()
            except FileNotFoundError:
                return True
            if identity(status) != self._identity:
                return True
            descriptor = os.open(self.path, os.O_RDONLY | NO_LINKS)
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
                if self._descriptor is not None:
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def append(self, body: bytes, label: str = "") -> None:
        """Append a commit, and return when it is durable. Only while :meth:`writing`, and when up to date."""
        descriptor, known = self._descriptor, self._known
        assert descriptor is not None
        if known.torn:
            # What the crash left is removed for good before anything is put there: a second crash would otherwise
            # leave a mixture of the two, which nobody could tell from damage.
            _write(descriptor, bytes(known.torn), known.end)
            _sync(descriptor)
            known.torn = 0
        line = commit_line(known.number, body, known.before, label)
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

    def rewrite(self, bodies: list[bytes], change: bytes, touched: Collection[int] | None, label: str = "") -> None:
        """Replace the journal by another, durably and at once. Only while :meth:`writing`.

        Copies that others made are left alone: what :meth:`put_aside` kept, and what the SDK's manager left of a
        session that was imported. Where some of the commits must go (``touched``), a warning names such copies.
        """
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
        sync_folder(self.folder)
        self.forget()
        if touched is not None:
            self._warn_of_copies()

    def put_aside(self, data: bytes | bytearray) -> Path:
        """Keep the journal as it is beside itself, and return where. Only while :meth:`writing`.

        Args:
            data: What is in it, for file systems without links.
        """
        number = 1
        while True:
            kept = self.folder / f"{FILE}.damaged-{number}"
            try:
                self._link_or_write(kept, data)
                return kept
            except FileExistsError:
                number += 1

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
        """Keep the session from being opened by others. Yields False if somebody has it open, or it is gone."""
        with self._errors("lock"), unused_folder(self.folder) as nobody_has_it:
            yield nobody_has_it

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    # -- inside --------------------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Count as a user of the session for as long as this object lives: a shared lock on its folder."""
        if self._in_use is not None and not has_name(self._in_use, self.folder):
            self.rest()  # it was removed, and another one has its name
        while self._in_use is None:
            self._check_folder()
            descriptor = open_folder(self.folder)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if has_name(descriptor, self.folder):
                self._in_use = descriptor
            else:
                os.close(descriptor)

    def leave_to_parent(self) -> None:
        """Begin anew in a child that was forked: close what is the parent's, which keeps its locks."""
        self._lock = threading.RLock()  # a thread that there is not in the child may have had it
        self._writing = False
        self.close()

    def _warn_of_copies(self) -> None:
        with contextlib.suppress(OSError):
            old = sdk_folder(self.folder.parent, self._session_id)
            copies = [*sorted(self.folder.glob(f"{FILE}.damaged-*")), *([old] if old.is_dir() else [])]
            if copies:
                logger.warning(
                    "session_id=<%s>, copies=<%s> | earlier copies of a redacted session may hold what was redacted,"
                    " and are left as they are",
                    self._session_id,
                    ", ".join(map(str, copies)),
                )

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
                self._descriptor = os.open(self.path, os.O_RDWR | NO_LINKS)
                self._opened = identity(os.fstat(self._descriptor))
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                named: tuple[int, int] | None = identity(os.lstat(self._name))
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

    def _link_or_write(self, path: Path, data: bytes | bytearray) -> None:
        try:
            os.link(self.path, path)
        except FileExistsError:
            raise
        except OSError:
            self._write_new(path, bytes(data))

    def _write_new(self, path: Path, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINKS, 0o600)
        try:
            _write(descriptor, data, 0)
            sync_all(descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        finally:
            os.close(descriptor)

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


def _look(descriptor: int) -> Look:
    status = os.fstat(descriptor)
    data = _read_all(descriptor, status.st_size)
    try:
        return Look(data, scan(data), status)
    except Damage as damage:
        return Look(data, damage, status)


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
