"""Drawings: what is more stands higher, what comes later stands lower, and nothing stands outside."""

import math
from dataclasses import replace

import pytest
from session_conformance.harness import Timeline, Verdict
from session_conformance.harness.reporting import BackendReport
from session_conformance.harness.reporting._bars import ratios
from session_conformance.harness.reporting._plot import plots
from session_conformance.harness.reporting._quantities import quantity, ratio
from session_conformance.harness.reporting._sequence import diagram
from session_conformance.harness.timeline import UserSent, excerpt
from session_conformance.harness.timeline.excerpts import LONGEST
from session_conformance.harness.verdicts import Measure

from tests.harness.reporting import invented


def measured(*numbers: tuple[int | None, float], floor: float | None = None) -> list[Measure]:
    return [Measure("append", "seconds", y, y, y, 1, size=x, floor=floor) for x, y in numbers]


def backends(*each: list[Measure]) -> list[BackendReport]:
    return [BackendReport(Verdict(f"b{number}"), benchmarks=found) for number, found in enumerate(each)]


def test_a_power_law_is_a_straight_line() -> None:
    [plot] = plots(backends(measured((10, 1e-3), (100, 1e-2), (10_000, 1.0))))
    (x1, y1), (x2, y2), (x3, y3) = ((point.x, point.y) for point in plot.series[0].points)
    assert (y2 - y1) / (x2 - x1) == pytest.approx((y3 - y2) / (x3 - x2), rel=0.01)
    assert x1 < x2 < x3
    assert y1 > y2 > y3  # pages count from the top


def test_a_history_of_nothing_has_its_place() -> None:
    [plot] = plots(backends(measured((0, 1e-3), (100, 1e-3), (1_000, 1e-3)), measured((0, 2e-3))))
    places = [point.x for point in plot.series[0].points]
    assert places == sorted(places)
    assert plot.left <= places[0] < places[-1] <= plot.right
    assert (places[0], "0") in plot.x_ticks
    assert plot.series[1].points[0].y < plot.series[0].points[0].y


def test_everything_stands_inside_and_the_floor_below() -> None:
    for plot in plots(invented.report().backends):
        for series in plot.series:
            for point in series.points:
                assert plot.left <= point.x <= plot.right
                assert plot.top <= point.high <= point.y <= point.low <= plot.bottom
            for point, (x, y) in zip(series.points, series.floor, strict=True):
                assert (point.x, y) == (x, max(y, point.y))
        assert len(plot.y_ticks) >= 2
        assert len({label for _, label in plot.y_ticks}) == len(plot.y_ticks)


def test_one_size_is_no_plot() -> None:
    assert plots(backends(measured((10, 1e-3)), measured((10, 2e-3)))) == []
    assert plots(backends(measured((None, 1e-3)))) == []
    assert plots([]) == []


def test_nothing_measured_can_be_plotted_too() -> None:
    [plot] = plots(backends(measured((0, 0.0), (10, 0.0))))
    assert all(math.isfinite(value) for point in plot.series[0].points for value in (point.x, point.y))


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.5, "seconds", "1.5 s"), (0.0123, "seconds", "12.3 ms"), (2.5e-5, "seconds", "25 µs"),
        (3e-9, "seconds", "3 ns"), (0, "seconds", "0 s"), (1234, "seconds", "1,234 s"), (512, "bytes", "512 B"),
        (1536, "bytes", "1.5 KiB"), (3 * 2**20, "bytes", "3 MiB"), (1.005, "requests", "1 requests"),
        (16, "system calls", "16 system calls"),
    ],
)  # fmt: skip
def test_quantities(value: float, unit: str, shown: str) -> None:
    assert quantity(value, unit) == shown


def test_ratios() -> None:
    assert [ratio(value) for value in (None, 1.2345, 20.04, 303.0)] == ["", "1.23x", "20x", "303x"]


def test_a_diagram_goes_down_and_says_what_is_left_out() -> None:
    events = excerpt(invented.timeline(), 0, 7)
    drawn = diagram(events)
    assert [row.at for row in drawn.rows] == [event["at"] for event in events]
    assert drawn.lifelines == ["application", "agent", "hooks", "model", "tools", "storage"]
    assert [row.left_out for row in drawn.rows] == [0] * len(events)
    assert [row.left_out for row in diagram(excerpt(invented.timeline(), 7, before=0, after=0)).rows] == [7]


def test_a_text_begins_at_its_arrow_or_where_it_has_room() -> None:
    [first, second, third] = diagram(
        [
            {"at": 0, "from": "user", "to": "agent", "text": "a", "marked": False, "stored": "nothing"},
            {"at": 1, "from": "agent", "to": "model", "text": "b", "marked": True, "stored": None},
            {"at": 2, "from": "storage", "to": "storage", "text": "c", "marked": False, "stored": None},
        ]
    ).rows
    assert (first.begins, first.look_begins) == (first.arrow.left, 1) == (0, 1)
    assert (second.begins, second.marked, second.look) == (1, True, None)
    assert (third.arrow.look, third.begins, third.who) == ("dot", 1, "storage")


def test_an_arrow_leads_from_who_did_it_to_whom_it_was_done() -> None:
    drawn = diagram(excerpt(invented.timeline(), 5, 6, before=0, after=0))
    assert drawn.lifelines == ["agent", "tools"]
    asked, answered = (row.arrow for row in drawn.rows)
    assert (asked.source, asked.target, asked.look) == (0, 1, "right")
    assert (answered.source, answered.target, answered.look) == (1, 0, "left")


def test_a_long_excerpt_is_cut() -> None:
    many = Timeline([UserSent(content="x" * 1000)] * 500)
    found = excerpt(many, *range(500))
    assert len(found) == LONGEST
    assert max(len(event["text"]) for event in found) <= 400


def with_ratios(*found: float) -> list[BackendReport]:
    return backends(*([Measure("append", "seconds", one, one, one, 1, floor=1.0)] for one in found))


def test_bars_far_apart_stand_on_a_logarithmic_axis() -> None:
    [far] = ratios(with_ratios(1.15, 338))
    assert far.is_logarithmic
    assert [name for _, name in far.ticks] == ["10x", "100x"]
    places = [far.bars[0].length, *(place for place, _ in far.ticks), far.bars[1].length]
    assert places == sorted(places)
    assert 0 < far.floor < far.bars[0].length
    assert (far.ticks[1][0] - far.ticks[0][0]) == pytest.approx(far.ticks[0][0] - far.floor, abs=0.02)
    [near] = ratios(with_ratios(1.5, 3))
    assert not near.is_logarithmic
    assert [bar.length for bar in near.bars] == [50, 100]
    assert ratios(with_ratios()) == []


def test_no_events_are_no_diagram_at_all() -> None:
    assert diagram([]).rows == []
    assert replace(invented.result("b", "LIF-01"), events=[]).events == []
