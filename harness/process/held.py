"""What a process still has open or mapped of a folder, after all that should have been closed is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def holds(process_id: int, folder: Path) -> bool:
    """Return whether a process has a file of a folder open, or mapped into its memory, as a database engine may.

    Where the system has no ``/proc``, nobody can tell, and the answer is False.

    Args:
        process_id: The process: this one or another one of the same user.
        folder: The folder, whose files are looked for at any depth.
    """
    return _has_open(process_id, folder) or maps(process_id, folder)


def maps(process_id: int, folder: Path) -> bool:
    """Return whether a process has a file of a folder mapped: the system ends it where such a file is cut short.

    Args:
        process_id: The process: this one or another one of the same user.
        folder: The folder, whose files are looked for at any depth.
    """
    within = f" {os.path.realpath(folder)}/"
    try:
        return within in Path(f"/proc/{process_id}/maps").read_text(errors="surrogateescape")
    except OSError:
        return False


def _has_open(process_id: int, folder: Path) -> bool:
    within = f"{os.path.realpath(folder)}/"
    try:
        for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                if str(descriptor.readlink()).startswith(within):
                    return True
    except OSError:
        pass
    return False


__all__ = ["holds", "maps"]
