"""Patience: how long a run waits for what does not end. All of its limits are stated here.

Slowness is never judged: what goes on, or waits for something and gets it, is waited for. What stands still is given up
after a minute. A backend that has stood still a few times is waited for shorter, and one that goes on doing so is not
asked any more: a manager that hangs in each call would else take hours to say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

HANG_LIMIT_S = 60.0
"""Seconds of real time without any progress after which something that did not end is called a hang."""

CHECK_LIMIT_S = 2.5 * HANG_LIMIT_S
"""The same for a whole check. What it waits for has a shorter limit, which is then told of."""

PROCESS_LIMIT_S = 5 * HANG_LIMIT_S
"""The same for a process that plays a script: of its progress nobody outside sees more than that it waits."""

WAITS_LIMIT_S = 600.0
"""Seconds after which it is called one although it waits again and again: it may ask for ever for what never comes."""

GROWTH_LIMIT = 2 * 2**30
"""In bytes: what grows by more than this, and has not ended, is given up. A thousand messages take a hundredth."""

PATIENT_TIMES = 3
"""So often a backend is waited for as long as that; afterwards for a third, and no longer where it goes on waiting."""

MOST_HANGS = 8
"""A backend that did not end while so many requirements were judged is not asked for the others."""


class Patience:
    """How long one backend is still waited for.

    Attributes:
        hangs: How often something of it did not end.
    """

    def __init__(self) -> None:
        self.hangs = 0

    def limit_s(self, limit_s: float) -> float:
        """Return how long something may stand still now, in seconds, that may do so for ``limit_s`` at first."""
        return limit_s if self.hangs < PATIENT_TIMES else limit_s / 3

    def waits_limit_s(self, limit_s: float) -> float:
        """Return how long it may wait again and again without progress, in seconds."""
        return limit_s if self.hangs == 0 else min(limit_s, HANG_LIMIT_S)


_now: Patience | None = None


def patience_now() -> Patience:
    """Return that with the backend that is judged now; where none is, there is all that there can be."""
    return _now or Patience()


@contextmanager
def judged_with(one: Patience) -> Iterator[None]:
    """Wait for all that is done meanwhile, in whatever thread, as long as there is patience with one backend."""
    global _now
    before, _now = _now, one
    try:
        yield
    finally:
        _now = before


def note_hang() -> None:
    """Note that something did not end."""
    patience_now().hangs += 1
