"""Warnings of a backend: it is judged by what it does, not by what it warns of. They are counted, and told of once.

A driver may warn each time that it is used, which is some ten thousand times while a backend is judged, in this process
and in others. A connection that nobody closes is warned of whenever Python happens to notice, at the address that it
had, in the middle of something else.
"""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TextIO


@dataclass(frozen=True)
class Warned:
    """What was warned of at one place.

    Attributes:
        category: The name of the warning's class.
        place: The file and the line; none for what was never closed, which Python warns of wherever it notices it.
        text: What the first of them said.
        times: How often.
    """

    category: str
    place: str
    text: str
    times: int = 1


_noted: deque[Warned] = deque()
"""What was warned of and is not counted yet. Python may warn at any moment, of what it finds unclosed as it collects
garbage, in a thread that is just counting: so whoever notes waits for nobody."""

_AT_ONCE = 1_000
"""So many are kept before they are counted."""

_warned: dict[tuple[str, str], Warned] = {}
_collecting = 0
_lock = threading.Lock()


@contextmanager
def tolerating_warnings() -> Iterator[None]:
    """Show the warnings of a backend, or collect them, instead of raising them, whatever the user's project has set.

    A project with ``filterwarnings = error`` would otherwise make a manager fail for a warning of its database driver.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always" if _collecting else "default")
        yield


@contextmanager
def collecting_warnings() -> Iterator[None]:
    """Count warnings in all threads instead of showing them: :func:`warned` has them. Filters may leave some out."""
    global _collecting
    with warnings.catch_warnings():
        warnings.showwarning = _note
        with _lock:
            _collecting += 1
        try:
            yield
        finally:
            with _lock:
                _collecting -= 1


def warned() -> list[Warned]:
    """Return what was warned of so far while warnings were collected."""
    with _lock:
        _count()
        return list(_warned.values())


def take_warned() -> list[Warned]:
    """Return the same, and begin anew: who is handed it counts it."""
    with _lock:
        _count()
        found = list(_warned.values())
        _warned.clear()
    return found


def note_warned(found: Iterable[Warned]) -> None:
    """Add what was warned of, here or in another process. It waits for nobody."""
    _noted.extend(found)
    if len(_noted) > _AT_ONCE and _lock.acquire(blocking=False):
        try:
            _count()
        finally:
            _lock.release()


def _count() -> None:
    while _noted:
        one = _noted.popleft()
        key = (one.category, one.place)
        before = _warned.get(key)
        _warned[key] = one if before is None else replace(before, times=before.times + one.times)


def _note(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    place = "" if issubclass(category, ResourceWarning) else f"{filename}:{lineno}"
    note_warned([Warned(category.__name__, place, str(message))])
