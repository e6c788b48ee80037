"""Quantities as people read them: 1.2 ms, 3.4 KiB, 2 requests, 1.21x."""

from __future__ import annotations

import math

from ..verdicts import Measure


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit, in three digits.

    Args:
        value: In the unit.
        unit: ``seconds``, ``bytes``, or what is counted.
    """
    if unit == "seconds":
        for factor, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if value >= factor:
                return f"{_digits(value / factor)} {name}"
        return f"{_digits(value * 1e9)} ns" if value else "0 s"
    if unit == "bytes":
        for factor, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
            if value >= factor:
                return f"{_digits(value / factor)} {name}"
        return f"{_digits(value)} B"
    return f"{_digits(value)} {unit}"


def spread(one: Measure) -> str:
    """Return the least and the most of a measure's rounds, or "" where it is the same each time."""
    if one.min == one.max:
        return ""
    return f"{quantity(one.min, one.unit)} to {quantity(one.max, one.unit)}"


def ratio(value: float | None) -> str:
    """Return a ratio as a factor, or "" where there is none."""
    return "" if value is None else f"{_digits(value)}x"


def _digits(value: float) -> str:
    if value == 0 or value >= 100:
        return f"{value:,.0f}"
    decimals = max(0, 2 - math.floor(math.log10(value)))
    text = f"{value:.{min(decimals, 4)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
