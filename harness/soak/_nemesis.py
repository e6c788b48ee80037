"""The nemesis: what goes wrong between a soak's processes and their servers, all the time and by a plan.

Exchanges are cut before they arrive and after they were carried out, connections refused and answers held for a while;
and now and then a server is killed and started again on its data, whatever is under way.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial

from ..services import Met, Place, WireFault

_ONE_IN = 30
"""An exchange in so many meets a fault: a conversation of a process takes some dozens."""

_KILL_AFTER = 12
"""Lives after which a server is killed."""

_LOOK_S = 0.05
"""In seconds: how long a held answer is held at most."""


class Nemesis:
    """Makes faults from when it is entered until it is left.

    Attributes:
        met: What faults there were, by place.
        restarts: How often servers were killed and started again.

    Args:
        places: The places on servers that processes reach.
        seed: What the plan of faults follows from.
    """

    def __init__(self, places: Iterable[Place], seed: int) -> None:
        self._places = list(places)
        self._seed = seed
        self._lives = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self.met: list[Met] = []
        self.restarts = 0

    @property
    def is_at_work(self) -> bool:
        """Whether there is a server, and it is not over."""
        return bool(self._places) and not self._over.is_set()

    @property
    def faults(self) -> int:
        """How many exchanges met a fault."""
        return sum(met.faults for met in self.met)

    def __enter__(self) -> Nemesis:
        for number, place in enumerate(self._places):
            self.met.append(self._stack.enter_context(place.seam.faults(partial(self._fault, number))))
            letting_go = threading.Thread(target=self._let_go, args=(place,), daemon=True)
            letting_go.start()
            self._stack.callback(letting_go.join)
        self._stack.callback(self._over.set)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def a_life_is_over(self) -> None:
        """Kill a server where its turn has come, and start it again."""
        with self._lock:
            self._lives += 1
            due = self._lives % _KILL_AFTER == 0
            for service in {place.service for place in self._places if due and place.service.can_be_killed}:
                with service.killed():
                    self.restarts += 1

    def _fault(self, place: int, number: int) -> WireFault | None:
        chance = random.Random(f"{self._seed}/{place}/{number}")
        return chance.choice(list(WireFault)) if chance.random() < 1 / _ONE_IN else None

    def _let_go(self, place: Place) -> None:
        while not self._over.is_set():
            if place.seam.wait_for_held(_LOOK_S):
                place.seam.release()
