"""Bars: how many times its floor each backend takes, on an axis that is logarithmic where ratios are far apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..verdicts import Measure
from ._quantities import ratio
from .report import BackendReport

FAR_APART = 10
"""How many times the least ratio the greatest is, for the axis to be logarithmic: of 1.15 beside 338, a bar as long as
its number would show nothing."""


@dataclass(frozen=True)
class Bar:
    """A backend's ratio to the floor.

    Attributes:
        backend: The backend's name.
        number: Its place, which its color follows.
        ratio: How many times the floor it takes.
        length: How long the bar is, in percent of the axis.
        below_floor: What it means that it is below 1; "" where it is not.
    """

    backend: str
    number: int
    ratio: float
    length: float
    below_floor: str


@dataclass(frozen=True)
class Ratios:
    """The ratios of all backends of the longest history that was measured.

    Attributes:
        measure: What was measured, and of which length.
        bars: One a backend.
        floor: Where the floor itself is, in percent of the axis.
        ticks: Where 10x, 100x, ... are, with their names; none where the axis is linear.
    """

    measure: Measure
    bars: list[Bar]
    floor: float
    ticks: list[tuple[float, str]]

    @property
    def is_logarithmic(self) -> bool:
        """Whether ten times as much is as far everywhere, instead of once more."""
        return bool(self.ticks)


def ratios(backends: Sequence[BackendReport]) -> list[Ratios]:
    """Return the ratios of each benchmark that has a floor, in order of appearance."""
    names = dict.fromkeys((one.name, one.unit) for backend in backends for one in backend.benchmarks if one.ratio)
    return [_of(backends, *name) for name in names]


def _of(backends: Sequence[BackendReport], name: str, unit: str) -> Ratios:
    taken = [
        (number, one)
        for number, backend in enumerate(backends)
        for one in backend.benchmarks
        if (one.name, one.unit) == (name, unit) and one.ratio
    ]
    longest = max(one.size or 0 for _, one in taken)
    taken = [(number, one) for number, one in taken if (one.size or 0) == longest]
    found = [one.ratio or 0 for _, one in taken]
    least, most = min(1.0, *found), max(1.0, *found)
    begin = least / 2  # so that the shortest bar is one
    is_far = max(found) / min(found) >= FAR_APART

    def place(value: float) -> float:
        share = math.log(value / begin) / math.log(most / begin) if is_far else value / most
        return round(100 * share, 2)

    decades = range(1, math.floor(math.log10(most)) + 1) if is_far else ()
    return Ratios(
        taken[0][1],
        [
            Bar(backends[number].name, number, one.ratio or 0, place(one.ratio or 0), one.below_floor)
            for number, one in taken
        ],
        place(1.0),
        [(place(10.0**decade), ratio(10.0**decade)) for decade in decades],
    )
