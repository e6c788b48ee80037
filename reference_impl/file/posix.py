"""What journals need of the system: locks of files and folders, and syncs that reach the disk."""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

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
    descriptor = open_folder(folder)
    try:
        sync_all(descriptor)
    finally:
        os.close(descriptor)


def open_folder(folder: Path) -> int:
    """Return a descriptor of a folder, for locks and syncs; a symbolic link is refused."""
    return os.open(folder, _FOLDER)


def identity(status: os.stat_result) -> tuple[int, int]:
    """Return what a file or folder is known by, whatever name it has."""
    return status.st_dev, status.st_ino


def has_name(descriptor: int, path: Path) -> bool:
    """Whether what is open still has its name. A lock says something only of what does."""
    try:
        return identity(path.lstat()) == identity(os.fstat(descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return False
