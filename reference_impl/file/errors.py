"""Errors of journals, for people: what was found, in which file, and what to do."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from strands.types.exceptions import SessionException

from .journal import Damage

_NO_LOCKS = "its file system has no locks for files: keep sessions on a local disk"

_HINTS = {
    errno.ENOSPC: "make room; what was not stored is stored with the next change",
    errno.EDQUOT: "the quota is used up; what was not stored is stored with the next change",
    errno.EROFS: "the file system is mounted read-only",
    errno.ELOOP: "it is a symbolic link, which may lead anywhere",
    errno.EMFILE: "this process has too many files open: raise its limit, or close() managers that are not needed",
    errno.ENOLCK: _NO_LOCKS,
    errno.ENOSYS: _NO_LOCKS,
    errno.ENOTSUP: _NO_LOCKS,
    errno.EOPNOTSUPP: _NO_LOCKS,
}


@contextlib.contextmanager
def told_of(action: str, path: Path, session_id: str) -> Iterator[None]:
    """Raise what goes wrong with a journal as ``SessionException``.

    Args:
        action: What is done with it, for the text.
        path: The journal.
        session_id: The session.
    """
    try:
        yield
    except Damage as damage:
        raise SessionException(
            f"session {session_id!r}: the journal {path} is damaged {damage}. Nothing was changed."
            " FileSessionManager.verify() says more, FileSessionManager.repair() brings back what is whole"
        ) from damage
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and os.access(path.parent, os.F_OK)
        hint = _HINTS.get(error.errno or 0)
        if missing:
            hint = "it was removed from its folder; restore it from a backup"
        elif isinstance(error, PermissionError):
            hint = _right_that_is_missing(path)
        raise SessionException(
            f"session {session_id!r}: cannot {action} {path}: {error.strerror or error}"
            + (f" ({hint})" if hint else "")
        ) from error


def _right_that_is_missing(path: Path) -> str:
    """Say which right to what this user needs to read and write a file: to itself, or to a folder on the way to it."""
    known = path.parent
    for folder in reversed(path.parents):
        if not os.access(folder, os.F_OK):
            break
        known = folder
        if not os.access(folder, os.X_OK):
            return f"give this user the right to enter {folder}"
    if os.access(path, os.F_OK) and not os.access(path, os.R_OK | os.W_OK):
        return "give this user the right to read and write it"
    return f"give this user the right to write in {known}"
