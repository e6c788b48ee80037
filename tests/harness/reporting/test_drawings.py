"""Drawings: what is more stands higher, what comes later stands lower, and nothing stands outside."""

import math
from dataclasses import replace

import pytest
from rich.cells import cell_len
from session_conformance.harness import Timeline, Verdict
from session_conformance.harness.reporting import BackendReport
from session_conformance.harness.reporting._plot import plots
from session_conformance.harness.reporting._quantities import quantity, ratio
from session_conformance.harness.reporting._sequence import BESIDE, CHARACTER, MARGIN, WIDEST, diagram
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


def test_a_diagram_goes_down_and_stays_inside() -> None:
    events = excerpt(invented.timeline(), 0, 7)
    drawn = diagram(events)
    assert [row.number for row in drawn.rows] == [event["at"] for event in events]
    assert [name for _, name in drawn.lifelines] == ["application", "agent", "hooks", "model", "tools", "storage"]
    bottom = 0.0
    for row in drawn.rows:
        assert row.top >= bottom
        bottom = row.top + row.height
        for text in [*row.texts, *row.found]:
            assert text.x >= MARGIN
            assert text.x + cell_len(text.line) * CHARACTER <= drawn.width
            assert row.top < text.y < bottom
        for arrow in (row.arrow, row.look):
            assert arrow is None or row.top < arrow.y < bottom
    assert bottom <= drawn.height
    assert [gap.text for gap in drawn.gaps] == []
    assert [gap.text for gap in diagram(excerpt(invented.timeline(), 7, before=0, after=0)).gaps] == [
        "7 events left out"
    ]


def test_a_diagram_is_as_wide_as_its_labels_which_begin_at_their_arrows() -> None:
    event = excerpt(invented.timeline(), 5, before=0, after=0)[0]
    widths = []
    for letters in (10, 60, 90):
        [row] = (drawn := diagram([{**event, "from": "agent", "to": "storage", "text": "x" * letters}])).rows
        assert [text.line for text in row.texts] == ["x" * letters]
        assert row.texts[0].x == min(row.arrow.x1, row.arrow.x2) + BESIDE
        widths.append(drawn.width)
    assert widths == sorted(set(widths))
    assert widths[-1] <= WIDEST
    [row] = (drawn := diagram([{**event, "text": "two words " * 30}])).rows
    assert drawn.width == WIDEST
    assert {text.x for text in row.texts} == {min(row.arrow.x1, row.arrow.x2) + BESIDE}
    assert len(row.texts) > 1


def test_an_arrow_leads_from_who_did_it_to_whom_it_was_done() -> None:
    drawn = diagram(excerpt(invented.timeline(), 5, 6, before=0, after=0))
    places = {name: x for x, name in drawn.lifelines}
    asked, answered = (row.arrow for row in drawn.rows)
    assert (asked.x1, asked.x2) == (places["agent"], places["tools"])
    assert (answered.x1, answered.x2) == (places["tools"], places["agent"])
    assert set(places) == {"agent", "tools"}


def test_a_long_text_is_cut_and_a_long_excerpt_too() -> None:
    events = [{**event, "text": "漢字 " * 500} for event in excerpt(invented.timeline(), 3)]
    for row in diagram(events).rows:
        assert row.texts[-1].line.endswith("…")
    many = Timeline([UserSent(content="x" * 1000)] * 500)
    found = excerpt(many, *range(500))
    assert len(found) == LONGEST
    assert max(len(event["text"]) for event in found) <= 400


def test_no_events_are_no_diagram_at_all() -> None:
    assert diagram([]).rows == []
    assert replace(invented.result("b", "LIF-01"), events=[]).events == []
