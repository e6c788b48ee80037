"""What journals need of the system: locks of files and folders, and syncs that reach the disk."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from ..log.paths import is_folder

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows, see check_platform()
    fcntl = None

NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)
"""For opening what may be anything: a pipe would wait for its other end. It changes nothing for regular files."""

NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | NO_LINKS
_NO_FULL_SYNC = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY)


def check_platform() -> None:
    """Refuse a system on which nothing of what is promised could be kept.

    Windows has no ``flock``, no ``pwrite``, and no way to sync a folder: a session could be lost there in ways that no
    test of this package would see.

    Raises:
        SessionException: It is such a system; the text names it and what to use there.
    """
    if fcntl is None:
        raise SessionException(
            f"FileSessionManager needs a POSIX system (Linux, macOS, WSL): {platform.system()} has no flock, no pwrite"
            " and cannot sync folders. Use S3SessionManager there"
        )


def sync_calls(fcntl: Any) -> tuple[Callable[[int], object], Callable[[int], object]]:
    """Return the calls that make a file durable: its content and size, and all of it.

    On macOS ``fsync`` returns when the drive has the data, which it may keep in a cache that a power cut empties.
    ``F_FULLFSYNC`` has the drive write that cache too.

    Args:
        fcntl: The module of that name.
    """
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is None:
        return getattr(os, "fdatasync", os.fsync), os.fsync

    def full_sync(descriptor: int) -> None:
        try:
            fcntl.fcntl(descriptor, full)
        except OSError as error:
            if error.errno not in _NO_FULL_SYNC:
                raise
            os.fsync(descriptor)  # a file system that has no such thing, as SQLite does there

    return full_sync, full_sync


sync, sync_all = sync_calls(fcntl)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        sync_all(descriptor)
    finally:
        os.close(descriptor)


def open_folder(folder: Path) -> int:
    """Return a descriptor of a folder, for locks and syncs; a symbolic link is refused."""
    return os.open(folder, _FOLDER)


def sync_names(folder: Path) -> None:
    """Make the name of a folder durable, and those of the folders that it is in.

    Theirs once a process: whoever makes a folder makes its name durable, unless it is killed. Folders of others, which
    may not be opened, are theirs to sync.
    """
    parent = folder.parent.resolve()
    sync_folder(parent)
    place = (str(parent), *identity(parent.stat()))
    if place in _named:
        return
    for above in parent.parents:
        try:
            sync_folder(above)
        except PermissionError:
            break
    _named.add(place)


_named: set[tuple[str, int, int]] = set()


def make_private(folder: Path) -> None:
    """Make a folder, and those that it is in, for their owner alone, whatever the umask; durably."""
    made: list[Path] = []
    while not is_folder(folder):
        made.append(folder)
        folder = folder.parent
    for one in reversed(made):
        try:
            one.mkdir(mode=0o700)
        except FileExistsError:
            continue  # another process makes it at the same time
        one.chmod(0o700)
        sync_folder(one.parent)


def new_file(path: Path | str, folder: int | None = None) -> int:
    """Return a descriptor of a file that is made for its owner alone, whatever the umask.

    Args:
        path: Its path; its name, where the folder is given.
        folder: A descriptor of the folder.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_LINKS, 0o600, dir_fd=folder)
    try:
        os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(path, dir_fd=folder)
        raise
    return descriptor


def write_at(descriptor: int, data: bytes | bytearray, offset: int) -> None:
    """Write all of some data to a file, from byte ``offset`` on."""
    view = memoryview(data)
    write: Callable[[int, memoryview, int], int] = os.pwrite
    while view:
        written = write(descriptor, view, offset)
        view, offset = view[written:], offset + written


def identity(status: os.stat_result) -> tuple[int, int]:
    """Return what a file or folder is known by, whatever name it has."""
    return status.st_dev, status.st_ino


def is_dead(descriptor: int) -> bool:
    """Whether the system knows nothing of what is open: as after its file system was unmounted, or served anew."""
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def has_name(descriptor: int, path: Path) -> bool:
    """Whether what is open still has its name. A lock says something only of what does."""
    try:
        return identity(path.lstat()) == identity(os.fstat(descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return False
