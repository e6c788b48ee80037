"""The report as Markdown: short enough for a comment, and nothing that a manager said gets out of its place."""

import re
from dataclasses import replace

from session_conformance.harness import Verdict
from session_conformance.harness.reporting import BackendReport, Report, as_markdown, compare, comparison_as_markdown
from session_conformance.harness.reporting.markdown import LONGEST, details, fenced, plain
from session_conformance.harness.verdicts import Measure

from tests.harness.reporting import invented


def without_code(text: str) -> str:
    """Return Markdown without its blocks of code, as GitHub tells them: a fence ends with one as long."""
    return re.sub(r"^(`{3,})text\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)


def tables(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    previous = ""
    for line in text.splitlines():
        if line.startswith("|"):
            if not previous.startswith("|"):
                found.append([])
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        previous = line
    return found


def test_it_says_what_matters_in_a_few_lines() -> None:
    report = invented.report()
    text = as_markdown(report)
    lines = text.splitlines()
    assert lines[0] == "<!-- session-conformance -->"
    assert lines[4:7] == [
        "- :white_check_mark: good conforms: 4 met, 1 not applicable",
        f"- :x: {report.backends[1].verdict.sentence}",
        "- :grey_question: unjudged was not judged",
    ]
    assert "pytest --session-manager=good --session-manager=bad" in text
    assert "seed of hypothesis 4711" in text
    assert "good: pkg-of-tests 2.7.1, python 3.11.0" in text
    assert "- good, S3A-09: 1.01 requests a message" in lines


def test_tables_are_whole() -> None:
    groups, benchmarks, *matrices = tables(as_markdown(invented.report()))
    for table in (groups, benchmarks, *matrices):
        assert len({len(row) for row in table}) == 1
    assert ["**COR** corruption", "1 met", "**1 known**", "-"] in groups
    spread, spread_bad = "864 µs to 1.54 ms", "218 ms to 388 ms"
    assert [
        "append, 10,000", f"960 µs **1.2x**<br><sub>{spread}</sub>", f"242 ms **303x**<br><sub>{spread_bad}</sub>", "-"
    ] in benchmarks  # fmt: skip
    assert ["append grows", "constant<br><sub>n^0.02</sub>", "worse<br><sub>n^1.40</sub>", "-"] in benchmarks
    assert ["bit &#124; flipped", "1", "-", "-"] in matrices[0]


def test_benchmarks_stand_together_by_what_they_measure() -> None:
    taken = sorted(invented.benchmarks(1.2, 0), key=lambda one: one.size or 0)
    taken = [one for one in taken if (one.name, one.size) != ("restore", 10_000)]
    text = as_markdown(invented.with_outcomes("b", {"LIF-01": "met"}, taken))
    names = [row[0] for row in tables(text)[1][2:]]
    assert names == [
        "append, 0", "append, 100", "append, 1,000", "append, 10,000", "append grows", "stored", "restore, 100",
        "restore grows",
    ]  # fmt: skip
    assert ["restore grows", "not stated<br><sub>needs three sizes above 0</sub>"] in tables(text)[1]


def test_a_ratio_below_the_floor_is_explained() -> None:
    noise = Measure("append", "seconds", 0.9, 0.8, 1.2, 20, size=0, floor=1.0)
    less = Measure("stored", "bytes", 300, 300, 300, 1, floor=400)
    text = as_markdown(invented.with_outcomes("b", {"LIF-01": "met"}, [noise, less]))
    assert "**0.9x**≈<br><sub>800 ms to 1.2 s</sub>" in text
    assert "**0.75x**▾" in text
    assert "≈: below the floor within the spread, which is noise. ▾: below the floor: it does with less." in text
    assert "≈" not in as_markdown(invented.report())


def test_new_violations_are_told_from_declared_ones() -> None:
    text = as_markdown(invented.report())
    summaries = re.findall(r"<summary>(.*?)</summary>", without_code(text))
    assert [summary.partition(":")[2].split()[0] for summary in summaries if summary.startswith("bad")] == [
        "LIF-01", "ORD-01", "CNT-06",
    ]  # fmt: skip
    assert "- bad, COR-01: violated, as is known (issue 7 is open)" in text
    assert "- bad, UPD-06: no longer violated: remove it from the list (was broken once)" in text


def test_a_run_that_fails_for_its_list_alone_has_no_check_mark() -> None:
    results = [invented.result("b", "LIF-01"), invented.result("b", "UPD-06", known="was broken once")]
    text = as_markdown(Report([BackendReport(Verdict("b", results))]))
    assert "- :warning: b " in text
    assert "| **UPD** " in text
    assert "| **1 met, but listed as known** |" in text


def test_what_a_manager_said_stays_in_its_block() -> None:
    text = as_markdown(invented.report())
    outside = without_code(text)
    assert "alert" in text
    for part in ("alert", "@everybody", "```"):
        assert part not in outside.replace("```text\npytest", "")
    assert outside.count("<details>") == outside.count("</details>") == 4
    assert "\x00" not in text
    assert "\x1b" not in text


def test_plain_text_is_no_markup() -> None:
    shown = plain("a | <b> _c_ [d](e) `f` *g* @h #1 &amp; \\ ~i~\n\n# j")
    assert not re.search(r"(?<!\\)[*_`\[\]~]|[<>|@]|#(?!\d)|\n", shown)
    assert details("a <b>") == "<details><summary>a &lt;b&gt;</summary>\n\n</details>"
    assert fenced("a\n````\nb").startswith("`````text\n")


def test_a_comment_is_never_too_long() -> None:
    report = invented.report()
    long = invented.result("bad", "ORD-01", "violated", expected="x" * 500, found="y", evidence="line\n" * 4000)
    many = [replace(long, id=f"ORD-{number:02}") for number in range(99)]
    report.backends = [BackendReport(Verdict("bad", many))]
    text = as_markdown(report)
    assert LONGEST * 0.9 < len(text) <= LONGEST < 65_536
    kept = without_code(text).count("<details>")
    assert f"{99 - kept} more blocks of details do not fit here" in text
    assert len(as_markdown(invented.report())) < 10_000


def test_a_comparison_as_markdown() -> None:
    before = invented.with_outcomes("b", {"ORD-01": "met"}, invented.benchmarks(1.2, 0))
    after = invented.with_outcomes("b", {"ORD-01": "violated"}, invented.benchmarks(2.4, 0))
    text = comparison_as_markdown(compare([("a_1.json", before), ("b.json", after)]))
    assert "### b: a\\_1.json → b.json" in text
    changes, benchmarks, facts = tables(text)
    assert changes[2] == ["**ORD-01** What ORD-01 asks for is so.", "MUST", "met", "violated", "**regression**"]
    assert ["append", "0", "960 µs 1.2x", "1.92 ms 2.4x", "2x"] in benchmarks
    assert ["strands-agents", "1.62.0", "1.62.0"] in facts
