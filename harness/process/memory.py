"""Memory: how much of it a process has."""

from __future__ import annotations

import os
from pathlib import Path


def memory_of(process: int | str = "self") -> int:
    """Return how many bytes of memory a process has, or 0 where the system does not say.

    Args:
        process: The process's id; by default this one.
    """
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
