"""Measures: ratios to the floor, and how a measure grows with the history."""

import asyncio
import math
import threading
from collections.abc import Callable
from statistics import fmean, linear_regression

import pytest
from session_conformance.harness.faults.slow_storage import longest_stall
from session_conformance.harness.reporting import draw_measures
from session_conformance.harness.verdicts import (
    IN_EVERY_ROUND,
    LESS_THAN_FLOOR,
    WITHIN_SPREAD,
    Growth,
    Measure,
    growth,
    load_of,
    of_rounds,
    why_no_growth,
)


def taken(size: int, seconds: float, **more: object) -> Measure:
    return Measure("append", "seconds", seconds, seconds, seconds, 5, "append a message", size, backend="one", **more)  # type: ignore[arg-type]


def grown(seconds: dict[int, float]) -> Growth:
    [found] = growth(taken(size, value) for size, value in seconds.items())
    return found


@pytest.mark.parametrize(
    ("seconds", "exponent", "error", "at_end", "verdict"),
    [
        ({0: 9.0, 100: 1.0, 1_000: 1.0, 10_000: 1.0}, 0.0, 0.0, 0.0, "constant"),
        ({100: 1.0, 1_000: 10.0, 10_000: 100.0}, 1.0, 0.0, 1.0, "linear"),
        ({100: 1.0, 1_000: 100.0, 10_000: 10_000.0}, 2.0, 0.0, 2.0, "worse"),
        ({1: 1.0, 100: 10.0, 10_000: 100.0}, 0.5, 0.0, 0.5, "sublinear"),
        ({100: 1.0, 1_000: 2.0, 10_000: 1.0}, 0.0, 0.17, -0.3, "constant"),
        # the fixed cost of an operation hides, at short histories, that it grows
        ({10: 1.1, 100: 1.1, 1_000: 2.0, 10_000: 11.0}, 0.33, 0.12, 0.74, "sublinear"),
        ({100: 9.0, 1_000: 1.0, 10_000: 10.0}, 0.02, 0.56, 1.0, "linear"),
        # between sizes that are hardly apart noise decides: the end goes back to one that is
        ({100: 1.0, 9_000: 1.0, 10_000: 1.2}, 0.02, 0.03, 0.04, "constant"),
    ],
)
def test_growth_is_fitted_to_all_sizes_and_told_by_its_end(
    seconds: dict[int, float], exponent: float, error: float | None, at_end: float, verdict: str
) -> None:
    found = grown(seconds)
    assert (found.exponent, found.error, found.at_end) == (
        pytest.approx(exponent, abs=0.006), error if error is None else pytest.approx(error, abs=0.006),
        pytest.approx(at_end, abs=0.006),
    )  # fmt: skip
    assert found.verdict == verdict
    assert found.sizes == sorted(size for size in seconds if size)
    assert (found.name, found.about, found.backend) == ("append", "append a message", "one")


def test_a_longest_history_that_was_disturbed_is_no_steeper_than_its_least_round() -> None:
    """As a busy machine had it: a median of 27 ms where the least of the rounds was 3.3."""
    found = [(20, 0.000252, 0.00024), (200, 0.000907, 0.000725), (1_000, 0.0273, 0.0033)]
    [one] = growth([Measure("restore", "seconds", middle, least, 0.05, 20, size=size) for size, middle, least in found])
    assert (one.exponent, one.at_end, one.verdict) == (1.15, 0.94, "linear")


def test_the_fit_is_that_of_the_textbook() -> None:
    seconds = {10: 1.3, 50: 2.9, 400: 21.0, 3_000: 95.0, 20_000: 1_000.0}
    xs, ys = [math.log(size) for size in seconds], [math.log(value) for value in seconds.values()]
    slope, intercept = linear_regression(xs, ys)
    off = sum((y - slope * x - intercept) ** 2 for x, y in zip(xs, ys, strict=True))
    error = math.sqrt(off / 3 / sum((x - fmean(xs)) ** 2 for x in xs))
    assert (grown(seconds).exponent, grown(seconds).error) == (round(slope, 2), round(error, 2))


@pytest.mark.parametrize(
    ("law", "verdict"),
    [
        (lambda n: 5.0, "constant"), (math.log, "constant"), (math.sqrt, "sublinear"), (float, "linear"),
        (lambda n: n * math.log(n), "linear"), (lambda n: n * math.sqrt(n), "worse"), (lambda n: n**2.0, "worse"),
    ],
)  # fmt: skip
def test_laws_are_called_by_their_names(law: Callable[[int], float], verdict: str) -> None:
    assert grown({size: law(size) for size in (100, 1_000, 10_000)}).verdict == verdict


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        ({0: 1.0, 100: 1.0}, "needs three sizes above 0"), ({}, "needs three sizes above 0"),
        ({0: 1.0, 100: 1.0, 1_000: 2.0}, "two sizes, no growth stated"),
        ({900: 1.0, 950: 1.5, 1_000: 2.0}, "needs sizes of which one is 3 times the other"),
        ({100: 0.0, 500: 1.0, 1_000: 2.0}, "a median is 0"),
    ],
)  # fmt: skip
def test_growth_that_cannot_be_stated_is_not_and_it_is_said_why(seconds: dict[int, float], why: str) -> None:
    measures = [taken(size, value) for size, value in seconds.items()]
    assert growth(measures) == []
    assert why_no_growth(measures) == why
    assert why_no_growth([taken(100, 1.0), taken(200, 1.0), taken(300, 1.0)]) == ""


def test_growth_says_what_it_was_taken_from() -> None:
    assert grown({100: 9.0, 1_000: 1.0, 10_000: 10.0}).how == "n^0.02 ± 0.56 over 3 sizes, n^1.00 at the end"
    assert Growth("append", 0.0, sizes=[100, 1_000], at_end=0.0).how == "n^0.00 over 2 sizes"  # of an older report
    assert Growth("append", 0.5).how == "n^0.50"


def test_below_the_floor_is_noise_where_some_round_is_above_it() -> None:
    def below(median: float, most: float, rounds: int = 5) -> str:
        return Measure("append", "seconds", median, median, most, rounds, floor=1.0).below_floor

    assert below(0.9, 1.3) == WITHIN_SPREAD
    assert below(0.9, 0.95) == IN_EVERY_ROUND
    assert below(0.9, 0.9, rounds=1) == LESS_THAN_FLOOR
    assert below(1.0, 1.3) == below(1.1, 1.3) == taken(0, 1.0).below_floor == ""


def test_a_ratio_needs_a_floor() -> None:
    assert taken(0, 3.0, floor=2.0).ratio == 1.5
    assert taken(0, 3.0).ratio is None


def test_rounds_of_several_operations() -> None:
    assert of_rounds([10.0, 40.0, 20.0], 10) == {"median": 2.0, "min": 1.0, "max": 4.0, "rounds": 3}


def test_the_table_has_each_backend_and_each_size() -> None:
    other = Measure("append", "seconds", 0.5, 0.5, 0.5, 5, "append a message", 100, backend="two")
    text = draw_measures([taken(100, 0.002, floor=0.001), taken(0, 4e-6), other], width=100)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "append 0 4 µs -" in lines
    assert "append 100 2 ms 2x 500 ms" in lines


def test_the_table_of_four_backends_fits_a_terminal_of_80_columns() -> None:
    names = ("reference-file", "strands-file", "reference-s3", "strands-s3")
    measures = [
        Measure(what, "seconds", 0.0123, 0.01, 0.02, 5, size=size, floor=0.0000364, backend=name, load=2.5, cores=2)
        for name in names for what in ("sessions-at-once", "append") for size in (1_000, 10_000)
    ]  # fmt: skip
    text = draw_measures(measures, width=80)
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines() if "12.3 ms" in line)
    assert "sessions-at-once 10,000 12.3 ms 338x 12.3 ms 338x 12.3 ms 338x 12.3 ms 338x" in " ".join(text.split())
    assert "load of the machine meanwhile: 2.5 on 2 cores" in text
    assert "append: reference-file, strands-file, reference-s3, strands-s3: two sizes, no growth stated" in text


def test_a_load_of_more_than_the_cores_is_said_to_make_times_longer() -> None:
    loads = [Measure("append", "seconds", 1, 1, 1, 5, load=load, cores=2) for load in (1.1, 6.4)]
    assert load_of(loads).endswith("1.1 to 6.4 on 2 cores; more than the cores: other programs made the times longer")
    assert load_of([taken(0, 1.0)]) == ""


def test_a_loop_that_is_held_up_is_noticed() -> None:
    async def blocked() -> None:
        threading.Event().wait(0.05)

    async def waiting() -> None:
        await asyncio.to_thread(threading.Event().wait, 0.05)

    async def stall_of(work: object) -> float:
        return await longest_stall(work)  # type: ignore[arg-type]

    # No more than the order is asserted: that a thread that waits holds nobody up is a matter of the machine's load.
    assert asyncio.run(stall_of(blocked)) >= 0.04
    assert asyncio.run(stall_of(waiting)) >= 0
