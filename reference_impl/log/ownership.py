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
        if (before.st_uid, before.st_gid, rights) == (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)):
            return False
        if not _is_given(descriptor, before.st_uid, before.st_gid) and not _is_given(descriptor, -1, before.st_gid):
            rights &= ~0o060
        os.fchmod(descriptor, rights)
        return True
    return False


def _is_given(descriptor: int, owner: int, group: int) -> bool:
    try:
        os.fchown(descriptor, owner, group)
    except OSError:
        return False
    return True
