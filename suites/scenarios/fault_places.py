"""Places of faults: at which exchanges of a conversation a fault is made, where there are too many to try each."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST = 24
"""At how many exchanges of a conversation a fault is made, each alone."""

_WORD = re.compile(rb"[A-Za-z_][A-Za-z_0-9.]+")
_WORDS = 10
"""How many words of a request tell what it is: its command or statement, and the names that stand in it."""


def kind_of_request(request: bytes) -> tuple[bytes, ...]:
    """Return what a request asks for, in whatever protocol: the words that it begins with."""
    return tuple(_WORD.findall(request)[:_WORDS])


def places_of_faults(requests: Sequence[bytes], most: int = MOST) -> list[int]:
    """Return the numbers of the exchanges at which a fault is made, each alone: all, or as many as are asked for.

    Of many, one of each kind is chosen, and of the kinds that there are most of another one, as often as it takes. What
    kind an exchange is follows from what is asked for, in whatever protocol, and from what was asked for before it: a
    commit after an insert is another one than a commit after an update. The first of a kind and the last are taken by
    turns, so that faults meet a session's first life and its second.

    Args:
        requests: What the request of each exchange began with.
        most: How many exchanges are chosen at most.
    """
    if len(requests) <= most:
        return list(range(len(requests)))
    kinds = [kind_of_request(request) for request in requests]
    by_kind: dict[object, list[int]] = {}
    for number, kind in enumerate(kinds):
        by_kind.setdefault((kinds[number - 1] if number else None, kind), []).append(number)
    waiting = sorted(by_kind.values(), key=len, reverse=True)
    chosen: list[int] = []
    while len(chosen) < most:
        for turn, numbers in enumerate(waiting):
            chosen.append(numbers.pop(0 if turn % 2 == 0 else -1))
        waiting = [numbers for numbers in waiting if numbers]
    return sorted(chosen[:most])


__all__ = ["MOST", "kind_of_request", "places_of_faults"]
