"""What is at a path, where an error is no absence.

From Python 3.14 on, pathlib's ``is_dir()`` and its like answer ``False`` whatever goes wrong
(https://docs.python.org/3.14/library/pathlib.html#querying-file-type-and-status). Whoever takes that for an absence
begins a new session where a disk could not be read for a moment.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder.

    Raises:
        OSError: Nobody can say.
    """
    return _is(path, os.stat, stat.S_ISDIR)


def is_file(path: Path) -> bool:
    """Whether a path leads to a regular file.

    Raises:
        OSError: Nobody can say.
    """
    return _is(path, os.stat, stat.S_ISREG)


def is_link(path: Path) -> bool:
    """Whether there is a symbolic link of that name.

    Raises:
        OSError: Nobody can say.
    """
    return _is(path, os.lstat, stat.S_ISLNK)


def _is(path: Path, ask: Callable[[Path], os.stat_result], kind: Callable[[int], bool]) -> bool:
    try:
        return kind(ask(path).st_mode)
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return False
        raise
