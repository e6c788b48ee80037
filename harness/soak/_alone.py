"""Who is alone in a session: a repair is, as fsck is on its disk. Everything else is done beside others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from .plan import REPAIR, Life


class Sessions:
    """Lets a life that repairs a session wait until nobody else is in it, and others until it is repaired."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._lives: Counter[int] = Counter()
        self._repaired: set[int] = set()

    @contextmanager
    def entered_by(self, life: Life) -> Iterator[None]:
        """Yield as soon as a life may begin in its session."""
        alone = REPAIR in life.operations
        with self._changed:
            self._changed.wait_for(lambda: self._may_enter(life.session, alone))
            self._lives[life.session] += 1
            if alone:
                self._repaired.add(life.session)
        try:
            yield
        finally:
            with self._changed:
                self._lives[life.session] -= 1
                if alone:
                    self._repaired.remove(life.session)
                self._changed.notify_all()

    def _may_enter(self, session: int, alone: bool) -> bool:
        return session not in self._repaired and not (alone and self._lives[session])
