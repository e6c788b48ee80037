"""Plots on two logarithmic axes: where a benchmark's numbers stand on a page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..verdicts import Measure
from ._quantities import quantity
from .report import BackendReport

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 100, 28, 14, 44


@dataclass(frozen=True)
class Point:
    """A measurement: its median, and the least and the most of its rounds."""

    x: float
    y: float
    low: float
    high: float
    about: str


@dataclass(frozen=True)
class Series:
    """The measurements of one backend. ``number`` is the backend's place, which its color and its mark follow."""

    number: int
    name: str
    points: list[Point]
    floor: list[tuple[float, float]]

    @property
    def line(self) -> str:
        """The points of its line."""
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)

    @property
    def floor_line(self) -> str:
        """The points of the line of its floor."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.floor)


@dataclass(frozen=True)
class Plot:
    """A plot, in pixels.

    Attributes:
        name: What was measured.
        unit: In what.
        width: Of the plot.
        height: Of the plot.
        left: Where the axes begin.
        right: Where they end.
        top: Where they end.
        bottom: Where they begin.
        x_ticks: Places and labels.
        y_ticks: Places and labels.
        series: One a backend.
    """

    name: str
    unit: str
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    series: list[Series]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


class _Axis:
    """A logarithmic axis, which has a place for nothing as well: half a decade before its least value."""

    def __init__(self, values: Iterable[float], begin: float, end: float) -> None:
        values = list(values)
        positive = [value for value in values if value > 0] or [1.0]
        self._low, self._high = math.log10(min(positive)), math.log10(max(positive))
        if self._high - self._low < 0.5:
            middle = (self._low + self._high) / 2
            self._low, self._high = middle - 0.5, middle + 0.5
        self.has_nothing = len(positive) < len(values)
        self._nothing = self._low - 0.5
        if self.has_nothing:
            self._low = self._nothing
        margin = (self._high - self._low) * 0.06
        self._low, self._high = self._low - margin, self._high + margin
        self._begin, self._end = begin, end

    def place(self, value: float) -> float:
        log = math.log10(value) if value > 0 else self._nothing
        share = (log - self._low) / (self._high - self._low)
        return round(self._begin + (self._end - self._begin) * min(max(share, 0), 1), 1)

    def ticks(self) -> list[float]:
        steps = (1.0,) if self._high - self._low > 2 else (1.0, 2.0, 5.0)
        decades = range(math.floor(self._low), math.ceil(self._high) + 1)
        every = [step * 10.0**decade for decade in decades for step in steps]
        return [value for value in every if self._low <= math.log10(value) <= self._high]


def plots(backends: Sequence[BackendReport]) -> list[Plot]:
    """Return a plot for each benchmark that was measured at two sizes or more, in order of appearance."""
    names = dict.fromkeys(
        (found.name, found.unit) for backend in backends for found in backend.benchmarks if found.size is not None
    )
    drawn = (_plot(name, unit, backends) for name, unit in names)
    return [plot for plot in drawn if plot is not None]


def _plot(name: str, unit: str, backends: Sequence[BackendReport]) -> Plot | None:
    measured: list[tuple[int, str, list[Measure]]] = []
    for number, backend in enumerate(backends):
        found = [one for one in backend.benchmarks if (one.name, one.unit) == (name, unit) and one.size is not None]
        if found:
            measured.append((number, backend.name, sorted(found, key=lambda one: one.size or 0)))
    every = [one for _, _, found in measured for one in found]
    if len({one.size for one in every}) < 2:
        return None
    x = _Axis((one.size or 0 for one in every), LEFT, WIDTH - RIGHT)
    values = [value for one in every for value in (one.min, one.median, one.max, one.floor) if value is not None]
    y = _Axis(values, HEIGHT - BOTTOM, TOP)
    series = [
        Series(
            number,
            backend,
            [
                Point(x.place(one.size or 0), y.place(one.median), y.place(one.min), y.place(one.max), _about(one))
                for one in found
            ],
            [(x.place(one.size or 0), y.place(one.floor)) for one in found if one.floor is not None],
        )
        for number, backend, found in measured
    ]
    sizes = sorted({one.size or 0 for one in every})
    return Plot(
        name,
        unit,
        [(x.place(size), f"{size:,}") for size in sizes],
        [(y.place(value), quantity(value, unit)) for value in y.ticks()],
        series,
    )


def _about(one: Measure) -> str:
    return f"{one.size:,}: {quantity(one.median, one.unit)}" if one.size is not None else quantity(one.median, one.unit)
