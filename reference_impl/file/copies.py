"""Copies of a journal: what is to take its place, and what stays beside it."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from ..log.paths import is_folder
from ..log.sdk_layout import sdk_folder
from .handle import FILE
from .posix import new_file, sync_all, write_at

logger = logging.getLogger(__name__)

NEW = f"{FILE}.new-"
"""What the name of a file begins with that is to take the journal's place. Whoever has the lock may remove any."""

DAMAGED = f"{FILE}.damaged-"


def write_new(path: Path | str, data: bytes | bytearray, folder: int | None = None) -> int:
    """Write a new file durably, and return a descriptor of it. If that fails there is none.

    Args:
        path: Its path; its name, where the folder is given.
        data: What it is to hold.
        folder: A descriptor of the folder.
    """
    descriptor = new_file(path, folder)
    try:
        write_at(descriptor, data, 0)
        sync_all(descriptor)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(path, dir_fd=folder)
        raise
    return descriptor


def remove_replacements(folder: int, *, but: str = "") -> None:
    """Remove what was to take a journal's place and did not: a crash left it, or it is out of date now.

    Args:
        folder: A descriptor of the session's folder.
        but: The name of the one that is to stay.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(NEW) and name != but:
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=folder)


def put_aside(journal: Path, data: bytes | bytearray) -> Path:
    """Keep a journal as it is beside itself, and return where.

    Args:
        journal: The journal.
        data: What is in it, for file systems without links.
    """
    number = 1
    while True:
        kept = journal.with_name(f"{DAMAGED}{number}")
        try:
            try:
                os.link(journal, kept)
            except FileExistsError:
                raise
            except OSError:
                os.close(write_new(kept, data))
            return kept
        except FileExistsError:
            number += 1


def warn_of_copies(folder: Path, session_id: str) -> None:
    """Warn of earlier copies of a session that was redacted."""
    with contextlib.suppress(OSError):
        old = sdk_folder(folder.parent, session_id)
        copies = [*sorted(folder.glob(f"{DAMAGED}*")), *([old] if is_folder(old) else [])]
        if copies:
            logger.warning(
                "session_id=<%s>, copies=<%s> | earlier copies of a redacted session may hold what was redacted,"
                " and are left as they are",
                session_id,
                ", ".join(map(str, copies)),
            )
