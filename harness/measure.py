"""Measures: what a benchmark found of a backend, beside the least that this machine could do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One thing that was measured or counted of one backend.

    Attributes:
        name: What the measure is called: ``append``, ``restore``, ...
        unit: ``seconds``, ``bytes``, ``requests``, ``system calls``.
        median: Of all rounds, for one operation.
        min: The least.
        max: The most.
        rounds: How many there were.
        about: What it is, in words.
        size: Messages in the history, where it depends on it.
        floor: The median of the physical floor, measured in the same rounds; None where there is none.
        floor_about: What the floor is, in words.
        note: What else must be known to read it.
        backend: The backend's name.
    """

    name: str
    unit: str
    median: float
    min: float
    max: float
    rounds: int
    about: str = ""
    size: int | None = None
    floor: float | None = None
    floor_about: str = ""
    note: str = ""
    backend: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the floor it takes, or None where there is no floor."""
        return self.median / self.floor if self.floor else None

    def to_dict(self) -> dict[str, Any]:
        """Return the measure as plain data, as reports have it."""
        return {**asdict(self), "ratio": self.ratio}


def counted(name: str, about: str, unit: str, count: float, **more: Any) -> Measure:
    """Return the measure of something that is counted once, and is the same each time."""
    return Measure(name, unit, count, count, count, 1, about, **more)


@dataclass(frozen=True)
class Growth:
    """How a measure grows with the history.

    Attributes:
        name: The measure's name.
        exponent: The k of the power law ``n**k`` between the two longest histories: 0 is constant, 1 linear.
        about: What the measure is, in words.
        backend: The backend's name.
    """

    name: str
    exponent: float
    about: str = ""
    backend: str = ""

    @property
    def verdict(self) -> str:
        """``constant``, ``linear`` or ``worse``.

        Up to an exponent of 0.3 is called constant and up to 1.3 linear: caches, block sizes and a machine that does
        other things bend a curve by that much.
        """
        if self.exponent <= 0.3:
            return "constant"
        return "linear" if self.exponent <= 1.3 else "worse"

    def to_dict(self) -> dict[str, Any]:
        """Return the growth as plain data, as reports have it."""
        return {**asdict(self), "verdict": self.verdict}


def growth(measures: Iterable[Measure]) -> list[Growth]:
    """Return how each measure of each backend grows, where it was taken at two lengths of history or more.

    Only the two longest count: at short ones, the fixed cost of an operation hides how it grows.
    """
    series: dict[tuple[str, str], list[Measure]] = {}
    for measure in measures:
        if measure.size:
            series.setdefault((measure.backend, measure.name), []).append(measure)
    found = []
    for (backend, name), taken in series.items():
        *_, shorter, longer = [None, *sorted(taken, key=lambda one: one.size or 0)]
        if shorter is None or longer is None or not shorter.median or not longer.median:
            continue
        exponent = math.log(longer.median / shorter.median) / math.log((longer.size or 1) / (shorter.size or 1))
        found.append(Growth(name, round(exponent, 2), longer.about, backend))
    return found


def of_rounds(rounds: Sequence[float], operations: int = 1) -> dict[str, Any]:
    """Return median, least and most of what rounds of so many operations each took, for one operation."""
    each = [taken / operations for taken in rounds]
    return {"median": median(each), "min": min(each), "max": max(each), "rounds": len(each)}
