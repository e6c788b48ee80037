"""Measures: what a benchmark found of a backend, beside the least that this machine could do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import fmean, median
from typing import Any

WITHIN_SPREAD = "below the floor within the spread, which is noise"
IN_EVERY_ROUND = "below the floor in every round: the floor was disturbed, or it does with less"
LESS_THAN_FLOOR = "below the floor: it does with less"


@dataclass(frozen=True)
class Measure:
    """One thing that was measured or counted of one backend.

    Attributes:
        name: What the measure is called: ``append``, ``restore``, ...
        unit: ``seconds``, ``bytes``, ``requests``, ``round trips``, ``system calls``.
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
        load: The load of the machine while it was measured, in processes that run or wait; None where it is not known.
        cores: How many processor cores the process may use.
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
    load: float | None = None
    cores: int | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the floor it takes, or None where there is no floor."""
        return self.median / self.floor if self.floor else None

    @property
    def below_floor(self) -> str:
        """What it means that the ratio is below 1, in words; "" where it is not.

        A floor is what this machine cannot do it for less, taken in the same rounds: a time below it is noise, as long
        as some round took longer; where none did, the floor's own rounds, of which the median alone is known, may have
        been disturbed. What is counted is the same each time, and then there is no noise to speak of.
        """
        if self.floor is None or self.median >= self.floor:
            return ""
        if self.rounds == 1:
            return LESS_THAN_FLOOR
        return WITHIN_SPREAD if self.max >= self.floor else IN_EVERY_ROUND

    def to_dict(self) -> dict[str, Any]:
        """Return the measure as plain data, as reports have it."""
        return {**asdict(self), "ratio": self.ratio}


def counted(name: str, about: str, unit: str, count: float, **more: Any) -> Measure:
    """Return the measure of something that is counted once, and is the same each time."""
    return Measure(name, unit, count, count, count, 1, about, **more)


LEAST_SIZES = 3
"""How many sizes above 0 growth is stated of: any power law goes through two, and so no two can say that one fits."""

APART = 3
"""How many times the shortest history the longest must be, for growth to be stated.

Where one is hardly longer than the other, noise decides: a fifth more or less of either time is 0.8 of the exponent
between 1,000 and 1,250 messages, 0.2 between 1,000 and 3,000, and 0.1 between 1,000 and 10,000."""


@dataclass(frozen=True)
class Growth:
    """How a measure grows with the history: the k of a power law ``n**k``, of which 0 is constant and 1 is linear.

    Two numbers say it, since neither is enough. The *exponent* is fitted to all lengths, so that no single one decides,
    and has an uncertainty. But what an operation costs at any length hides, at short histories, how it grows: a fit
    over all of them reads too low where a curve bends up. So the exponent *at the end*, between the longest history and
    the longest of those that are a third of it or less, stands beside it: that is how it goes on from here. Of two
    points, one that was disturbed decides; so the end is no steeper than the least of the rounds has it. Other programs
    lengthen a round, and shorten none.

    Attributes:
        name: The measure's name.
        exponent: The least-squares slope of log(median) on log(size), over all sizes above 0 that were measured.
        about: What the measure is, in words.
        backend: The backend's name.
        error: The standard error of the exponent; None in reports of releases that stated it of two sizes. It says
            how far the points are from one line, be it for noise or since the curve bends.
        at_end: The exponent between the two longest histories that are far enough apart; None where it is not known.
        sizes: The sizes that the exponent was fitted to.
    """

    name: str
    exponent: float
    about: str = ""
    backend: str = ""
    error: float | None = None
    at_end: float | None = None
    sizes: list[int] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """``constant``, ``sublinear``, ``linear`` or ``worse``: by the greater of the two exponents.

        A reader who is told "constant" plans for longer histories than were measured, so the greater figure counts.
        The thresholds are 0.2, 0.8 and 1.2. Of lengths from 100 to 10,000, log n reads as 0.12 to 0.18, which is
        what a tree or a sorted index adds and is called constant; n log n reads as 1.12 to 1.18 and is called
        linear; what is between, such as the square root of n, is sublinear. A history ten times as long may so cost
        1.6 times as much where it is constant, and 16 times where it is linear: caches, block sizes and other
        programs bend a curve by that much. The word is of the medians; how sure it is, ``how`` says.
        """
        steepest = self.exponent if self.at_end is None else max(self.exponent, self.at_end)
        for limit, word in ((0.2, "constant"), (0.8, "sublinear"), (1.2, "linear")):
            if steepest <= limit:
                return word
        return "worse"

    @property
    def how(self) -> str:
        """The exponents, with what they were taken from, in a few words."""
        error = "" if self.error is None else f" ± {self.error:.2f}"
        over = f" over {len(self.sizes)} sizes" if self.sizes else ""
        # of two sizes, both exponents are the same
        end = f", n^{self.at_end:.2f} at the end" if self.at_end is not None and len(self.sizes) != 2 else ""
        return f"n^{self.exponent:.2f}{error}{over}{end}"

    def to_dict(self) -> dict[str, Any]:
        """Return the growth as plain data, as reports have it."""
        return {**asdict(self), "verdict": self.verdict}


def growth(measures: Iterable[Measure]) -> list[Growth]:
    """Return how each measure of each backend grows, where that can be stated: :func:`why_no_growth` says where not."""
    found = []
    for (backend, name), taken in _series(measures).items():
        if why_no_growth(taken):
            continue
        longest = taken[-1]
        shorter = [one for one in taken if _size(one) * APART <= _size(longest)]
        exponent, error = _fitted(taken)
        ends = [shorter[-1], longest]
        at_end = min(_fitted(ends)[0], _fitted([replace(one, median=one.min or one.median) for one in ends])[0])
        sizes = [_size(one) for one in taken]
        found.append(Growth(name, exponent, longest.about, backend, error, at_end, sizes))
    return found


def why_no_growth(measures: Iterable[Measure]) -> str:
    """Return why it cannot be stated how one measure of one backend grows; "" where it can."""
    taken = [one for series in _series(measures).values() for one in series]
    sizes = sorted({_size(one) for one in taken})
    if len(sizes) < LEAST_SIZES:
        return "two sizes, no growth stated" if len(sizes) == 2 else "needs three sizes above 0"
    if sizes[0] * APART > sizes[-1]:
        return f"needs sizes of which one is {APART} times the other"
    if not all(one.median > 0 for one in taken):
        return "a median is 0"
    return ""


def _size(one: Measure) -> int:
    return one.size or 0


def _series(measures: Iterable[Measure]) -> dict[tuple[str, str], list[Measure]]:
    """Return what was measured at sizes above 0, by backend and name, the shortest history first."""
    series: dict[tuple[str, str], list[Measure]] = {}
    for measure in sorted(measures, key=_size):
        if measure.size:
            series.setdefault((measure.backend, measure.name), []).append(measure)
    return series


def _fitted(taken: Sequence[Measure]) -> tuple[float, float | None]:
    """Return the least-squares slope of log(median) on log(size), and its standard error where there are three."""
    xs, ys = [math.log(_size(one)) for one in taken], [math.log(one.median) for one in taken]
    x, y = fmean(xs), fmean(ys)
    spread = sum((one - x) ** 2 for one in xs)
    slope = sum((one - x) * (other - y) for one, other in zip(xs, ys, strict=True)) / spread
    off = sum((other - y - slope * (one - x)) ** 2 for one, other in zip(xs, ys, strict=True))
    error = math.sqrt(off / (len(xs) - 2) / spread) if len(xs) > 2 else None
    return round(slope, 2), None if error is None else round(error, 2)


def load_of(measures: Iterable[Measure]) -> str:
    """Return how busy the machine was while measures were taken, in words; "" where that is not known.

    A load of more than the cores means that other programs took part of the time: the times are then too long, and the
    ratios, whose floors met the same, less so.
    """
    taken = [one for one in measures if one.load is not None]
    loads = [one.load for one in taken if one.load is not None]
    if not loads:
        return ""
    cores = taken[0].cores
    least, most = (f"{load:.1f}" for load in (min(loads), max(loads)))
    on = f" on {cores} core{'s' if cores != 1 else ''}" if cores else ""
    busy = "; more than the cores: other programs made the times longer" if cores and max(loads) > cores + 1 else ""
    return f"load of the machine meanwhile: {least if least == most else f'{least} to {most}'}{on}{busy}"


def of_rounds(rounds: Sequence[float], operations: int = 1) -> dict[str, Any]:
    """Return the median, the least and the most time for one operation, from rounds of several operations each."""
    each = [taken / operations for taken in rounds]
    return {"median": median(each), "min": min(each), "max": max(each), "rounds": len(each)}
