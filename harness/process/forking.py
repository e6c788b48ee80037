"""Forks: processes that were made of this one, without any program of their own, and may hang beside it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Collection
from pathlib import Path

_ENOUGH = 65536
"""In bytes: enough for the ids of all children of a thread."""


def children() -> frozenset[int]:
    """Return the ids of this process's children, whatever they run; none where the system does not tell.

    It is asked before each thing that may hang, and so without what makes it convenient: a tenth of a millisecond.
    """
    found = bytearray()
    with contextlib.suppress(OSError), os.scandir("/proc/self/task") as tasks:
        for task in tasks:
            with contextlib.suppress(OSError):  # that thread has ended
                told = os.open(f"{task.path}/children", os.O_RDONLY)
                try:
                    found += os.read(told, _ENOUGH)
                finally:
                    os.close(told)
    return frozenset(int(word) for word in found.split())


def forks() -> frozenset[int]:
    """Return the ids of this process's children that run what it runs; none where the system does not tell."""
    found = set()
    with contextlib.suppress(OSError):
        here = Path("/proc/self/cmdline").read_bytes()
        for child in children():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{child}/cmdline").read_bytes() == here:
                    found.add(child)
    return frozenset(found)


def end_forks(but: Collection[int]) -> None:
    """End this process's forks but for some: whoever waits for one goes on, and none holds what this one prints to.

    Args:
        but: The ids of those that go on, and of whatever else.
    """
    for process in forks() - frozenset(but):
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)


def lead_its_forks() -> None:
    """Let this process and those that it forks be ended together."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no groups of processes
        os.setpgid(0, 0)


def kill_with_its_forks(process: int) -> None:
    """End a process at once, and what it forked, where it leads them; one that is gone stays so."""
    with contextlib.suppress(OSError):
        kill = os.kill if sys.platform == "win32" or os.getpgid(process) != process else os.killpg
        kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))
