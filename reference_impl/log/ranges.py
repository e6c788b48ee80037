"""Sets of message ids, held as ranges: ten thousand messages that a window has passed take two numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Ranges:
    """A set of integers.

    Args:
        pairs: Ranges to begin with: the first and the last of each, in ascending order and apart.
    """

    def __init__(self, pairs: Iterable[Iterable[int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in pairs:
            self._starts.append(first)
            self._ends.append(last)

    @classmethod
    def of(cls, ids: Iterable[int]) -> Ranges:
        """Return the set of some integers."""
        found = cls()
        for id in sorted(ids):
            found.add(id)
        return found

    def add(self, id: int) -> None:
        """Add an integer."""
        if id in self:
            return
        at = bisect_right(self._starts, id)
        follows = at > 0 and self._ends[at - 1] == id - 1
        leads = at < len(self._starts) and self._starts[at] == id + 1
        if follows and leads:
            self._ends[at - 1] = self._ends.pop(at)
            del self._starts[at]
        elif follows:
            self._ends[at - 1] = id
        elif leads:
            self._starts[at] = id
        else:
            self._starts.insert(at, id)
            self._ends.insert(at, id)

    def discard(self, id: int) -> None:
        """Remove an integer, if it is there."""
        if id not in self:
            return
        at = bisect_left(self._ends, id)
        first, last = self._starts[at], self._ends[at]
        rest = [(start, end) for start, end in ((first, id - 1), (id + 1, last)) if start <= end]
        self._starts[at : at + 1] = [start for start, _ in rest]
        self._ends[at : at + 1] = [end for _, end in rest]

    def __contains__(self, id: int) -> bool:
        at = bisect_left(self._ends, id)
        return at < len(self._ends) and self._starts[at] <= id

    def __bool__(self) -> bool:
        return bool(self._starts)

    def pairs(self) -> list[list[int]]:
        """Return the first and the last of each range, in ascending order."""
        return [[start, end] for start, end in zip(self._starts, self._ends, strict=True)]
