"""Measures: ratios to the floor, and how a measure grows with the history."""

import asyncio
import threading

import pytest
from session_conformance.harness.measure import Growth, Measure, growth, of_rounds
from session_conformance.harness.slow_storage import longest_stall
from session_conformance.harness.terminal import draw_measures


def taken(size: int, seconds: float, **more: object) -> Measure:
    return Measure("append", "seconds", seconds, seconds, seconds, 5, "append a message", size, backend="one", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "exponent", "verdict"),
    [
        ({0: 9.0, 100: 1.0, 1_000: 1.0, 10_000: 1.0}, 0.0, "constant"),
        ({100: 9.0, 1_000: 1.0, 10_000: 10.0}, 1.0, "linear"),
        ({1_000: 1.0, 10_000: 100.0}, 2.0, "worse"),
        ({10_000: 1.0, 1_000: 1.0, 0: 5.0}, 0.0, "constant"),
    ],
)
def test_growth_is_that_of_the_two_longest_histories(seconds: dict[int, float], exponent: float, verdict: str) -> None:
    [found] = growth(taken(size, value) for size, value in seconds.items())
    assert found == Growth("append", exponent, "append a message", "one")
    assert found.verdict == verdict


def test_one_length_says_nothing_of_growth() -> None:
    assert growth([taken(0, 1.0), taken(100, 1.0)]) == []


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
    assert "append 100 2 ms (2.00x) 500 ms" in lines
    assert "1 ms" in draw_measures([taken(0, 0.0009999)])


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
