"""The report's page: well-formed, whole in itself, and all that a report holds is in it, whatever a manager said."""

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from session_conformance.harness import Verdict
from session_conformance.harness.reporting import (
    BackendReport,
    Report,
    as_html,
    compare,
    comparison_as_html,
    read,
    write,
)
from session_conformance.harness.reporting._history import histories
from session_conformance.harness.reporting._plain_words import LOSSES
from session_conformance.harness.reporting._violations import told
from session_conformance.harness.reporting.html import _css_string, group_cell, groups
from session_conformance.harness.timeline import excerpt
from session_conformance.harness.verdicts import GROUPS, Measure, growth

from tests.harness.reporting import invented

from .pages import Page


@pytest.fixture(scope="module")
def text() -> str:
    return as_html(invented.report())


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page.of(text)


def a_comparison() -> str:
    return comparison_as_html(compare([("a.json", invented.report()), ("b.json", invented.report())]))


@pytest.mark.parametrize("make", [lambda: as_html(invented.report()), lambda: as_html(Report([])), a_comparison])
def test_it_is_well_formed_and_needs_nothing_else(make: object) -> None:
    text = make()  # type: ignore[operator]
    page = Page.of(text)
    assert page.problems == []
    assert text.startswith("<!DOCTYPE html>")
    assert not {one.tag for one in page.elements} & {"link", "img", "iframe", "object", "embed", "base"}
    [policy] = [one.attributes["content"] for one in page.all("meta") if "http-equiv" in one.attributes]
    for script in page.all("script"):  # one, that the page says no word of: it is allowed by what it holds
        digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
        assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    for element in page.elements:
        assert not {name for name in element.attributes if name.startswith("on") or name == "src"}
        assert element.attributes.get("href", "#").startswith("#")
    [style] = page.all("style")
    assert not re.search(r"url\(|@import|@font-face", style.text)


def test_every_link_leads_somewhere_and_every_id_is_there_once(page: Page) -> None:
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    named = {element.attributes.get(name, "") for element in page.elements for name in ("aria-labelledby",)} - {""}
    assert named <= set(ids)
    links = {element.attributes["href"][1:] for element in page.all("a")}
    assert links <= set(ids)
    assert {"group-ORD", "violation-bad-ORD-01", "benchmarks"} <= links


def test_each_verdict_is_there(page: Page) -> None:
    cards = {card.attributes["aria-label"]: " ".join(card.text.split()) for card in page.all("article")}
    assert list(cards) == ["good", "bad", "unjudged"]
    assert "✓ conforms" in cards["good"]
    assert "url=db:///{workdir}" in cards["good"]
    assert "pkg-of-tests 2.7.1" in cards["good"]
    for part in (
        "✗ does not conform",
        "1met",
        "1MUST violated",
        "1SHOULD violated",
        "1violated, as declared",
        "1met, but listed as known",
        "1could not be judged",
    ):
        assert part in cards["bad"]
    assert "not judged" in cards["unjudged"]


def test_each_requirement_says_what_came_of_it_for_each_backend(page: Page) -> None:
    rows: dict[str, list[str]] = {}
    for element in page.elements:
        if element.tag == "th" and "id" in element.attributes.get("class", "").split():
            rows[element.text] = []
        elif element.tag == "td" and "state" in element.attributes.get("class", "").split():
            rows[list(rows)[-1]].append(element.text.strip())
    assert rows == {
        "LIF-01": ["✓ met", "? not judged", "–"],
        "ORD-01": ["✓ met", "✗ violated", "–"],
        "UPD-06": ["–", "! stale", "–"],
        "CNT-06": ["–", "✗ violated", "–"],
        "COR-01": ["✓ met", "✗ known", "–"],
        "S3A-01": ["– n/a", "–", "–"],
        "S3A-09": ["✓ met", "–", "–"],
        "XYZ-01": ["–", "✓ met", "–"],
    }


def test_a_group_shows_the_worst_of_it(page: Page) -> None:
    backend = invented.report().backends[1]
    cells = [group_cell(backend, group.id) for group in groups([backend])]
    assert [(cell.look, cell.text, cell.word) for cell in cells] == [
        ("bad", "? 1", "not judged"), ("bad", "✗ 1", "violated"), ("stale", "! 1", "met, but listed as known"),
        ("bad", "✗ 1", "violated"), ("known", "✗ 1", "known"), ("good", "✓ 1", "met"),
    ]  # fmt: skip
    assert [one.text for one in page.all("td", class_="stale")] == ["! 1 met, but listed as known", "! stale"]


def test_a_run_that_fails_for_its_list_alone_is_not_green() -> None:
    results = [invented.result("b", "LIF-01"), invented.result("b", "UPD-06", known="was broken once")]
    page = Page.of(as_html(Report([BackendReport(Verdict("b", results))])))
    [card] = page.all("article")
    assert "conforms-stale" in card.attributes["class"].split()
    assert "! conforms" in card.text
    assert "the gate fails all the same" in card.text


def test_each_violation_shows_all_that_is_known_of_it(page: Page) -> None:
    shown = {one.attributes["id"]: one for one in page.all("div", class_="inside")}
    assert set(shown) == {f"violation-bad-{id}" for id in ("LIF-01", "ORD-01", "COR-01", "CNT-06")}
    text = shown["violation-bad-ORD-01"].text
    assert "<script>alert('x')</script> & \"quotes\" | pipe ``` fence </details> @everybody #12" in text
    assert r"\x00\x1b[31m \ud800 漢字" in text
    assert "pytest --session-manager=bad -k ORD-01" in text
    assert "issue 7 is open" in shown["violation-bad-COR-01"].text
    assert "KeyError: 'x'" in shown["violation-bad-LIF-01"].text


def test_what_was_counted_is_told(page: Page) -> None:
    assert [one.text for one in page.all("td") if "requests a message" in one.text] == ["1.01 requests a message"]


def test_a_timeline_is_drawn_with_who_took_part_and_what_was_stored(page: Page) -> None:
    [heads] = page.all("div", class_="heads")
    assert [one.text for one in page.all("span") if one.path[-1] == "div" and one.text in heads.text] == [
        "application", "agent", "hooks", "model", "tools", "storage",
    ]  # fmt: skip
    [marked] = page.all("li", class_="marked")
    assert "▸7" in marked.text
    assert "hook message_added (early)" in marked.text
    assert 'stored: 1 message; last: user ["Hello"]' in marked.text
    assert [" ".join(one.text.split()) for one in page.all("li", class_="gap")] == ["⋮ 3 events left out"]


def test_a_timeline_is_a_list_that_says_in_words_what_its_arrows_show(page: Page) -> None:
    items = [" ".join(one.text.split()) for one in page.all("li") if "seq" in one.inside]
    assert "4 model → agent the model emits tool_use" in items
    assert '3 agent → model model.send() gets ["Hello"] stored: 1 message; last: user ["Hello"]' in items
    assert [item.split()[0] for item in items if item.startswith("▸")] == ["▸7"]


def test_what_is_lost_is_said_in_plain_words_above_all_else(page: Page) -> None:
    order = [one.attributes["id"] for one in page.all("section") if one.path == ("html", "body", "main")]
    assert order[:4] == ["verdicts", "groups", "requirements", "violations"]
    [card] = [one for one in page.all("article") if one.attributes["aria-label"] == "bad"]
    text = " ".join(card.text.split())
    assert "Of 6 requirements that can be asked of it, 3 (MUST and SHOULD) are violated; 1 could not be judged" in text
    assert "hooks already act on a message that is not stored: a crash at that moment loses it ORD 1" in text
    assert set(LOSSES) == set(GROUPS)


def test_a_list_of_violations_says_what_was_found(page: Page) -> None:
    [summary] = [one.text for one in page.all("summary") if "CNT-06" in one.text]
    assert " ".join(summary.split()) == "violated CNT-06 SHOULD: What CNT-06 asks for is so. found: b"


def test_one_violation_of_a_cause_shows_its_evidence_and_others_while_there_is_room() -> None:
    events = excerpt(invented.timeline(), 7)
    pending = "was stored: assistant [] pending #1"
    ids = ["LIF-02", "LIF-03", "ORD-07"]
    results = [invented.result("b", id, "violated", expected="a", found=pending, events=events) for id in ids]
    found = told([BackendReport(Verdict("b", results))], room=3_000)
    assert [one.is_told for one in found[0][1]] == [True, True, False]
    assert [one.first for one in found[0][1]] == [None, ("b", "LIF-02"), ("b", "LIF-02")]
    assert [bool(one.help) for one in found[0][1]] == [True, False, False]


def test_earlier_reports_are_a_trend(tmp_path: Path) -> None:
    def of(created: str, **outcomes: str) -> Report:
        one = invented.with_outcomes("b", {id.replace("_", "-"): outcome for id, outcome in outcomes.items()})
        return replace(one, created=created)

    first = of("2026-01-01T00:00:00+00:00", ORD_01="violated", ORD_02="violated")
    second = of("2026-02-01T00:00:00+00:00", ORD_01="met", ORD_02="violated")
    latest = of("2026-03-01T00:00:00+00:00", ORD_01="met", ORD_02="met", UPD_01="violated")
    [history] = histories(latest, [second, first])
    assert [(one.when, one.met, one.must) for one in history.entries] == [
        ("2026-01-01 00:00", 0, 2), ("2026-02-01 00:00", 1, 1), ("2026-03-01 00:00", 2, 1),
    ]  # fmt: skip
    assert [one.changed for one in history.entries] == ["", "mended: ORD-01", "worse: UPD-01; mended: ORD-02"]
    heights = [y for _, y, _ in history.points]
    assert heights[0] < heights[1] == heights[2]
    page = Page.of(as_html(latest, [second, first]))
    assert page.problems == []
    assert page.all("section", id="history")
    assert not Page.of(as_html(latest)).all("section", id="history")


def test_a_cell_that_stands_alone_on_a_phone_says_what_it_is(page: Page) -> None:
    """There the row of headings is not shown: each cell has its own, but what names the row or is a sentence."""
    for table in ("requirements", "counts", "numbers"):
        assert page.all("table", class_=table)
        assert all("stack" in one.attributes["class"].split() for one in page.all("table", class_=table))
    counted = [one for one in page.all("td", class_="number") if "counts" in one.inside]
    assert all(one.attributes.get("data-label") for one in counted)
    style = page.all("style")[0].text  # of the others, it is the column's backend
    for place, name in enumerate(("good", "bad", "unjudged")):
        assert (
            f'td:nth-child({place + 4})::before, table.numbers td:nth-child({place + 2})::before {{ content: "{name}'
            in style
        )
    assert _css_string('a"b</style>') == '"a\\22 b\\3c \\2f style\\3e "'


def test_matrices_and_benchmarks_are_tables_with_headings(page: Page) -> None:
    captions = [one.text for one in page.all("caption")]
    assert captions == ["good", "bad"]
    headings = [one for one in page.elements if one.tag == "th"]
    assert all(one.attributes.get("scope") in ("col", "row") for one in headings)
    assert [one.text for one in page.all("td", class_="bad") if one.text == "1"]
    cells = [" ".join(one.text.split()) for one in page.all("td", class_="number")]
    assert "960 µs 1.2x864 µs to 1.54 ms" in cells
    assert len(page.all("line", class_="one")) == 4  # each bar of a ratio shows where the floor is
    assert any("from the least to the most of the rounds" in one.text for one in page.all("li"))
    assert any(cell.startswith("938 B") for cell in cells)
    assert len(page.all("svg", class_="plot")) == 2
    assert any("worse" in one.text for one in page.all("td"))
    assert [one.text for one in page.elements if one.tag == "td" and one.text == "4711"]


def test_how_a_cost_grows_is_stated_or_why_it_is_not() -> None:
    taken = [one for one in invented.benchmarks(1.2, 0.01) if (one.name, one.size) != ("restore", 10_000)]
    found = [replace(one, backend="b") for one in taken]
    report = invented.with_outcomes("b", {}, found)
    report.backends[0].growth = growth(found)
    cells = [" ".join(one.text.split()) for one in Page.of(as_html(report)).all("td") if "numbers" in one.inside]
    assert "linearn0.85 ± 0.06 over 3 sizes, n0.96 at the end" in cells
    assert "not statedneeds three sizes above 0" in cells


def test_a_ratio_below_the_floor_is_explained() -> None:
    noise = Measure("append", "seconds", 0.9, 0.8, 1.2, 20, size=0, floor=1.0)
    page = Page.of(as_html(invented.with_outcomes("b", {}, [noise])))
    in_bars, in_table = page.all("span", class_="note")
    assert in_bars.text == in_table.text == "below the floor within the spread, which is noise"
    assert [one.attributes["x1"] for one in page.all("line", class_="one")] == ["100.0"]


def test_nothing_but_bare_results_makes_a_page_too() -> None:
    page = Page.of(as_html(invented.with_outcomes("bare", {"LIF-01": "met"})))
    assert page.problems == []
    assert not page.all("section", id="violations") + page.all("section", id="benchmarks")


def test_it_is_written_even_where_text_is_no_unicode(tmp_path: Path) -> None:
    for ending in ("html", "md", "json"):
        path = tmp_path / f"r.{ending}"
        write(invented.report(), path)
        assert "ORD-01" in path.read_text(encoding="utf-8")
    assert read(tmp_path / "r.json").backends[1].verdict.results[1].found == invented.NASTY
