"""Comparisons: what got worse, what got better, what is new; between releases, and between backends."""

from dataclasses import replace

import pytest
from session_conformance.harness.reporting import (
    ChangeKind,
    Comparison,
    Package,
    Report,
    ReportError,
    compare,
    comparison_as_html,
    comparison_as_markdown,
    comparison_as_text,
    groups_as_markdown,
)

from tests.harness.reporting import invented

from .invented import with_outcomes

BEFORE = {
    "LIF-01": "met", "LIF-02": "violated", "LIF-03": "met", "ORD-01": "met", "ORD-02": "not applicable",
    "ORD-03": "violated", "ORD-04": "met", "ORD-05": "could not be judged", "ORD-06": "violated",
}  # fmt: skip
AFTER = {
    "LIF-01": "met", "LIF-02": "met", "LIF-03": "violated", "ORD-01": "not applicable", "ORD-02": "violated",
    "ORD-03": "violated", "ORD-04": "could not be judged", "ORD-05": "violated", "ORD-07": "violated",
}  # fmt: skip


def of(found: Comparison, kind: ChangeKind) -> list[str]:
    return [change.result.id for change in found.of(kind)]


def test_releases_of_one_backend() -> None:
    [found] = compare([("1.json", with_outcomes("b", BEFORE)), ("2.json", with_outcomes("b", AFTER))])
    assert of(found, ChangeKind.REGRESSION) == ["LIF-03", "ORD-02", "ORD-04"]
    assert of(found, ChangeKind.IMPROVEMENT) == ["LIF-02"]
    assert of(found, ChangeKind.ADDED) == ["ORD-07"]
    assert of(found, ChangeKind.REMOVED) == ["ORD-06"]
    assert of(found, ChangeKind.OTHER) == ["ORD-01", "ORD-05"]
    assert found.unchanged == 2
    assert found.title == "b: 1.json → 2.json"
    assert found.sentence == (
        "3 regressions (LIF-03, ORD-02, ORD-04), 1 improvement (LIF-02), 1 added (ORD-07), 1 removed (ORD-06),"
        " 2 other changes (ORD-01, ORD-05), 2 as before"
    )


def test_three_releases_are_compared_each_with_the_one_before() -> None:
    reports = [(f"{number}.json", with_outcomes("b", {"LIF-01": outcome})) for number, outcome in
               enumerate(("met", "violated", "met"))]  # fmt: skip
    first, second = compare(reports)
    assert (of(first, ChangeKind.REGRESSION), of(first, ChangeKind.IMPROVEMENT)) == (["LIF-01"], [])
    assert (of(second, ChangeKind.REGRESSION), of(second, ChangeKind.IMPROVEMENT)) == ([], ["LIF-01"])


def test_backends_are_compared_with_the_first() -> None:
    one, two, three = (with_outcomes(name, outcomes) for name, outcomes in
                       (("one", BEFORE), ("two", AFTER), ("three", BEFORE)))  # fmt: skip
    together = replace(one, backends=[*one.backends, *two.backends])
    found = compare([("a.json", together), ("b.json", three)])
    assert [comparison.title for comparison in found] == ["one → two", "one (a.json) → three (b.json)"]
    assert found[0].sentence.startswith("3 worse (LIF-03, ORD-02, ORD-04), 1 better (LIF-02), 1 judged of the second")
    assert found[1].sentence == "9 alike"


def test_there_must_be_something_to_compare() -> None:
    for reports in ([], [("a.json", Report([]))], [("a.json", with_outcomes("b", BEFORE))]):
        with pytest.raises(ReportError, match="nothing to compare"):
            compare(reports)


def test_what_is_declared_as_known_is_no_regression() -> None:
    def report_with(outcome: str, known: str = "") -> Report:
        report = with_outcomes("b", {})
        report.backends[0].verdict.results = [invented.result("b", "LIF-01", outcome, known=known)]
        return report

    def kinds(before: Report, after: Report) -> list[ChangeKind]:
        [found] = compare([("1", before), ("2", after)])
        return [change.kind for change in found.changes]

    assert kinds(report_with("met"), report_with("violated", "issue 7")) == [ChangeKind.OTHER]
    assert kinds(report_with("violated", "issue 7"), report_with("violated")) == [ChangeKind.OTHER]
    assert kinds(report_with("violated", "issue 7"), report_with("met", "issue 7")) == [ChangeKind.IMPROVEMENT]
    assert kinds(report_with("met"), report_with("met", "issue 7")) == []


def test_benchmarks_are_compared_by_their_ratios_to_the_floor() -> None:
    quick = [replace(one, floor=one.floor and one.floor / 10, median=one.median / 10) for one in
             invented.benchmarks(1.5, 0)]  # fmt: skip
    before = with_outcomes("b", {}, invented.benchmarks(3, 0))
    after = with_outcomes("b", {}, quick)  # on a machine that is ten times as fast
    [found] = compare([("1", before), ("2", after)])
    factors = {(one.after.name, one.after.size): one.factor for one in found.benchmarks}
    assert factors[("append", 100)] == pytest.approx(0.5)
    assert factors[("stored", None)] == pytest.approx(0.05)  # of what has no floor, the medians


def test_the_text_has_a_line_a_change() -> None:
    found = compare([("1.json", with_outcomes("b", BEFORE, invented.benchmarks(1, 0))),
                     ("2.json", with_outcomes("b", AFTER, invented.benchmarks(2, 0)))])  # fmt: skip
    lines = [line.rstrip() for line in comparison_as_text(found, width=100).splitlines()]
    assert lines[0] == "b: 1.json → 2.json"
    assert next(line.split()[:2] for line in lines if "regression" in line) == ["regression", "LIF-03"]
    assert any(line.split() == ["append", "10,000", "800", "µs", "1x", "1.6", "ms", "2x", "2x"] for line in lines)
    assert "\x1b" in comparison_as_text(found, color=True)


def two_releases(sentence: str = "It is so.") -> list[Comparison]:
    before = with_outcomes("b", BEFORE, invented.benchmarks(1, 0))
    after = replace(
        with_outcomes("b", AFTER, invented.benchmarks(2, 0)),
        versions={"python": "3.12.1", "strands-agents": "1.63.0"}, created="2026-02-03T04:05:06+00:00",
    )  # fmt: skip
    for report, version in ((before, "0.9"), (after, "1.0")):
        [backend] = report.backends
        backend.package = Package("mine", version)
        backend.verdict.results = [replace(result, sentence=sentence) for result in backend.verdict.results]
    return compare([("1.json", before), ("2.json", after)])


def test_each_format_says_which_versions_are_compared_and_when_they_were_judged() -> None:
    found = two_releases()
    for text in (comparison_as_text(found), comparison_as_markdown(found), comparison_as_html(found)):
        for part in (
            "mine 0.9, strands-agents 1.62.0, python 3.11.0, 2026-01-02T03:04:05+00:00",
            "mine 1.0, strands-agents 1.63.0, python 3.12.1, 2026-02-03T04:05:06+00:00",
        ):
            assert part in text
    command = "pytest --session-manager=good --session-manager=bad"
    assert ("command", command, command) in found[0].facts
    assert f"| command | {command} | {command} |" in comparison_as_markdown(found)
    assert f'<td data-label="after">{command}</td>' in comparison_as_html(found)


@pytest.mark.parametrize("width", [30, 40, 60, 80, 89, 90, 100])
@pytest.mark.parametrize("names", [("b", "b"), ("a-backend-with-a-long-name", "another-backend")])
def test_no_id_level_or_state_is_cut_on_a_narrow_terminal(width: int, names: tuple[str, str]) -> None:
    before, after = (with_outcomes(name, outcomes) for name, outcomes in zip(names, (BEFORE, AFTER), strict=True))
    lines = comparison_as_text(compare([("1.json", before), ("2.json", after)]), width=width).splitlines()
    cells = [line.split() for line in lines]
    for id, was, now in (("LIF-03", "met", "violated"), ("ORD-02", "n/a", "violated"), ("ORD-07", "-", "violated")):
        [row] = [words[words.index(id) :] for words in cells if id in words]
        assert row[:4] == [id, "MUST", was, now]
    assert not any("…" in line for line in lines) or width >= 90
    if width >= 60:
        assert all(len(line) <= width for line in lines if any(id in line.split() for id in BEFORE))
    assert any("session-conformance explain ID" in line for line in lines) == (width < 90)


def test_a_terminal_without_the_characters_is_given_others() -> None:
    found = two_releases("x" * 300)
    shown = comparison_as_text(found, width=100, encoding="ascii")
    assert shown.isascii()
    for part in ("1.json -> 2.json", "xxx...", "-----", "800 us"):
        assert part in shown
    assert max(map(len, shown.splitlines()[3:12])) <= 100
    assert "800 µs" in comparison_as_text(found, encoding="latin-1")
    assert "->" in comparison_as_text(found, encoding="latin-1")


def test_benchmarks_stand_together_by_what_they_measure() -> None:
    mixed = sorted(invented.benchmarks(1, 0), key=lambda one: one.size or 0)
    [found] = compare([("1", with_outcomes("b", {}, mixed)), ("2", with_outcomes("b", {}, mixed))])
    assert [(one.after.name, one.after.size) for one in found.benchmarks] == [
        ("append", 0), ("append", 100), ("append", 1_000), ("append", 10_000), ("stored", None), ("restore", 100),
        ("restore", 10_000),
    ]  # fmt: skip


def test_groups_of_several_releases_stand_beside_each_other() -> None:
    old, new = with_outcomes("b", BEFORE), with_outcomes("b", AFTER)
    old = replace(old, versions={**old.versions, "strands-agents": "1.48.0"})
    text = groups_as_markdown([("1.json", old), ("2.json", replace(new, versions={"strands-agents": "1.62.0"}))])
    lines = text.splitlines()
    assert lines[0] == "| group | b, strands-agents 1.48.0 | b, strands-agents 1.62.0 |"
    assert "| LIF | 2 / 1 / - | 2 / 1 / - |" in lines
    assert "| ORD | 2 / 2 / 1 (1 ?) | - / 4 / 1 (1 ?) |" in lines
    assert "| all | 4 / 3 / 1 (1 ?) | 2 / 5 / 1 (1 ?) |" in lines
    assert "| STA | - / - / - | - / - / - |" in lines


def test_violations_of_a_should_are_told_apart() -> None:
    report = with_outcomes("b", {"CLN-01": "violated", "CLN-02": "violated"})
    [backend] = report.backends
    may = replace(backend.verdict.results[1], level="SHOULD")
    verdict = replace(backend.verdict, results=[backend.verdict.results[0], may])
    text = groups_as_markdown([("1.json", replace(report, backends=[replace(backend, verdict=verdict)]))])
    assert "| CLN | - / 2 / - (1 s) |" in text
