"""Ownership: a file that takes the place of another belongs to whom that belonged, and is open to whom that was.

A session is redacted, folded or repaired by anyone of a group that shares it, or by an administrator: nobody may be
locked out of their own session by that.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def take_after(descriptor: int, path: Path | str, folder: int | None = None, *, others: int = 0o066) -> bool:
    """Give a new file the owner, the group and the rights of the one whose place it is about to take, as far as may be.

    It is never opened to a group that the other did not have. Where there is no other, it stays as it is.

    Args:
        descriptor: A descriptor of the new file, which is its owner's alone.
        path: The other's path; its name, where the folder is given.
        folder: A descriptor of the folder.
        others: Which rights of others than its owner are kept, as bits of a mode.

    Returns:
        Whether anything of it was changed.
    """
    with contextlib.suppress(OSError):
        before, made = os.stat(path, dir_fd=folder, follow_symlinks=False), os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return False
        rights = stat.S_IMODE(before.st_mode) & (0o600 | others)
        listed, own = _list_of_file(path, folder), _list_of(descriptor)
        is_same = (before.st_uid, before.st_gid, rights) == (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode))
        if is_same and listed == own:
            return False
        if own is not None:  # what the folder says of new files: nobody said so of this one
            os.removexattr(descriptor, _LIST)
        is_given = _is_given(descriptor, before.st_uid, before.st_gid) or _is_given(descriptor, -1, before.st_gid)
        if (
            not is_given or listed is not None
        ):  # a list's group bits are the most that somebody has, and not the group's
            rights &= ~0o060
        os.fchmod(descriptor, rights)
        if listed is not None and is_given and others & 0o060:
            os.setxattr(descriptor, _LIST, listed)
        return True
    return False


_LIST = "system.posix_acl_access"
"""The attribute by which Linux keeps a file's access control list."""


def _list_of_file(path: Path | str, folder: int | None) -> bytes | None:
    """Return a file's access control list; None where it has none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        return _list_of(descriptor)
    finally:
        os.close(descriptor)


def _list_of(descriptor: int) -> bytes | None:
    try:
        return os.getxattr(descriptor, _LIST) if hasattr(os, "getxattr") else None
    except OSError:  # it has none, or its file system knows none
        return None


def _is_given(descriptor: int, owner: int, group: int) -> bool:
    try:
        os.fchown(descriptor, owner, group)
    except OSError:
        return False
    return True
