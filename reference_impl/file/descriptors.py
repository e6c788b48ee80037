"""Descriptors: how many sessions of a process have files open at once.

A session that is open has two: its folder, which says that it is in use, and its journal. An application may keep
thousands of agents, and what the process may have open it needs for much else: without a descriptor there is no event
loop. So beyond a number of sessions those that were used longest ago let go of theirs, and open their files again with
their next change.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any, Protocol

try:
    import resource
except ImportError:  # Windows, where check_platform() refuses to keep sessions
    resource = None  # type: ignore[assignment]

_PART = 8
"""Which part of the descriptors that a process may have is for sessions, in sessions: a fourth, as each has two."""

_FEWEST = 4
"""How many sessions may have files open in any case."""


class Journal(Protocol):
    """What lets go of its files."""

    def let_go(self) -> bool:
        """Close the files, if nobody uses them at this moment. Never waits."""


_open: dict[int, weakref.ref[Journal]] = {}
"""The journals that may have files open, the one that was used longest ago first. Each step with it is atomic: threads
and the handlers of signals use it at any time.
"""


def note_use(journal: Journal) -> None:
    """Note that a journal has files open, and have others let go of theirs where there are too many."""
    key = id(journal)
    known = _open.pop(key, None)
    if known is not None and known() is journal:
        _open[key] = known
        return
    _open[key] = weakref.ref(journal)
    most = most_sessions()
    if len(_open) <= most:
        return
    for other, found in list(_open.items())[:-most]:
        idle = found()
        if idle is None or (idle is not journal and idle.let_go()):
            _open.pop(other, None)


def forget(journal: Journal) -> None:
    """Note that a journal has no files open."""
    _open.pop(id(journal), None)


def most_sessions() -> int:
    """Return how many sessions may have files open, as far as they can do without."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(limit // _PART, _FEWEST) if limit != resource.RLIM_INFINITY else 1 << 20


def is_held_here(lock: Any) -> bool:
    """Whether the running thread has a reentrant lock."""
    try:
        threading.Condition(lock).notify()  # nobody waits for it
    except RuntimeError:
        return False
    return True
