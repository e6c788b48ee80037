"""The report as Markdown: short enough for a pull request's comment, and for a step's summary."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from ..verdicts import (
    GROUPS,
    IN_EVERY_ROUND,
    LESS_THAN_FLOOR,
    WITHIN_SPREAD,
    Matrix,
    Measure,
    Outcome,
    Result,
    Verdict,
    why_no_growth,
)
from ._printable import printable
from ._quantities import quantity, ratio, spread
from ._states import State, state_of
from .report import BackendReport, Report

LONGEST = 65_000
"""Characters of a report. GitHub refuses a comment of more than 65,536; some are left for what is put around it."""

MARKER = "<!-- session-conformance -->"
"""The first line, by which a workflow finds its own comment to replace it."""

_LONGEST_EVIDENCE = 2_500

_MARKS = {WITHIN_SPREAD: "≈", IN_EVERY_ROUND: "▿", LESS_THAN_FLOOR: "▾"}
"""What stands behind a ratio below 1, and is explained below the table."""


def as_markdown(report: Report) -> str:
    """Return a report as GitHub's Markdown, of :data:`LONGEST` characters at most."""
    parts = [MARKER, "## Session manager conformance", _verdicts(report.backends)]
    parts += [text for part in (_groups, _benchmarks, _counted, _known) if (text := part(report.backends))]
    end = _footer(report)
    blocks = [*_violations(report.backends), *_matrices(report.backends)]
    used = sum(len(part) + 2 for part in parts) + len(end) + 200
    left_out = 0
    for block in blocks:
        if used + len(block) + 2 > LONGEST:
            left_out += 1
            continue
        parts.append(block)
        used += len(block) + 2
    if left_out:
        parts.append(f"{left_out} more blocks of details do not fit here: they are in the report's HTML.")
    return "\n\n".join([*parts, end]) + "\n"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already. All columns but the first are aligned to the right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """Return text in which nothing is taken for Markdown, HTML, a mention or a reference."""

    def escaped(found: re.Match[str]) -> str:
        character = found.group()
        return f"&#{ord(character)};" if character in "<>&@#|" else f"\\{character}"

    return re.sub(r"[\\`*_\[\]~<>&@#|]", escaped, " ".join(printable(text).split()))


def fenced(text: str) -> str:
    """Return text as a block of code, with a fence that does not occur in it."""
    text = printable(text)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def details(summary: str, *inside: str) -> str:
    """Return a block that opens when its summary, which is plain text, is clicked."""
    return "\n\n".join(
        [f"<details><summary>{html.escape(printable(summary), quote=False)}</summary>", *inside, "</details>"]
    )


def _verdicts(backends: Sequence[BackendReport]) -> str:
    return "\n".join(f"- {_sign(backend.verdict)} {plain(backend.verdict.sentence)}" for backend in backends)


def _sign(verdict: Verdict) -> str:
    if not verdict.results:
        return ":grey_question:"
    if not verdict.conforms:
        return ":x:"
    return ":warning:" if verdict.gate else ":white_check_mark:"  # a check mark would say that the run passes


def _groups(backends: Sequence[BackendReport]) -> str:
    seen = {group for backend in backends for group in backend.verdict.groups}
    if not seen:
        return ""
    order = [*(group for group in GROUPS if group in seen), *sorted(seen - set(GROUPS))]
    rows = [
        [f"**{group}** {GROUPS.get(group, '')}", *(_counts(backend.verdict, group) for backend in backends)]
        for group in order
    ]
    return table(["group", *(plain(backend.name) for backend in backends)], rows)


def _counts(verdict: Verdict, group: str) -> str:
    states = [state_of(result) for result in verdict.results if result.group == group]
    words = (
        (State.MET, "met"),
        (State.VIOLATED, "violated"),
        (State.KNOWN, "known"),
        (State.STALE, "met, but listed as known"),
        (State.BROKEN, "not judged"),
    )
    counts = [(states.count(state), word) for state, word in words]
    shown = [f"{'**' * (word != 'met')}{count} {word}{'**' * (word != 'met')}" for count, word in counts if count]
    return ", ".join(shown) or "-"


def _benchmarks(backends: Sequence[BackendReport]) -> str:
    measures = dict.fromkeys((one.name, one.unit) for backend in backends for one in backend.benchmarks)
    if not measures:
        return ""
    rows = [row for name, unit in measures for row in _rows_of(name, unit, backends)]
    return "\n\n".join(
        [
            table(["benchmark, size", *(plain(backend.name) for backend in backends)], rows),
            "Bold: the ratio to this machine's floor, measured in the same run. Small: the least and the most of the"
            f" rounds.{_below_floor(backends)}",
        ]
    )


def _rows_of(name: str, unit: str, backends: Sequence[BackendReport]) -> Iterator[list[str]]:
    """Yield the rows of one benchmark: one a size, and how it grows."""
    taken = [[one for one in backend.benchmarks if (one.name, one.unit) == (name, unit)] for backend in backends]
    sizes = {one.size for found in taken for one in found}
    for size in sorted(sizes, key=lambda size: -1 if size is None else size):
        found = [next((one for one in each if one.size == size), None) for each in taken]
        cells = ["-" if one is None else _measured(one) for one in found]
        yield [plain(name) + (f", {size:,}" if size is not None else ""), *cells]
    if sizes != {None}:
        yield [f"{plain(name)} grows", *map(_growth, [name] * len(backends), backends, taken)]


def _growth(name: str, backend: BackendReport, taken: Sequence[Measure]) -> str:
    found = next((growth for growth in backend.growth if growth.name == name), None)
    if found is not None:
        return f"{found.verdict}<br><sub>{plain(found.how)}</sub>"
    why = why_no_growth(taken) if taken else ""
    return f"not stated<br><sub>{why}</sub>" if why else "-"


def _below_floor(backends: Sequence[BackendReport]) -> str:
    found = dict.fromkeys(one.below_floor for backend in backends for one in backend.benchmarks if one.below_floor)
    return "".join(f" {mark}: {about}." for about, mark in _MARKS.items() if about in found)


def _measured(one: Measure) -> str:
    parts = [quantity(one.median, one.unit)]
    if one.ratio is not None:
        parts.append(f"**{ratio(one.ratio)}**{_MARKS.get(one.below_floor, '')}")
    return " ".join(parts) + (f"<br><sub>{spread(one)}</sub>" if spread(one) else "")


def _counted(backends: Sequence[BackendReport]) -> str:
    counted = [result for backend in backends for result in backend.verdict.measured]
    return "\n".join(f"- {plain(one.backend)}, {one.id}: {plain(one.measured)}" for one in counted)


def _known(backends: Sequence[BackendReport]) -> str:
    lines = []
    for backend in backends:
        for result in backend.verdict.results:
            state = state_of(result)
            if state in (State.KNOWN, State.STALE):
                what = (
                    "violated, as is known" if state is State.KNOWN else "no longer violated: remove it from the list"
                )
                reason = plain(getattr(result, "known", ""))
                lines.append(f"- {plain(backend.name)}, {result.id}: {what} ({reason})")
    return "\n".join(["Declared in the configuration:", "", *lines]) if lines else ""


def _violations(backends: Sequence[BackendReport]) -> Iterator[str]:
    found = [
        (backend, result)
        for backend in backends
        for result in backend.verdict.results
        if state_of(result) in (State.VIOLATED, State.BROKEN)
    ]
    for backend, result in sorted(found, key=lambda pair: (pair[1].level != "MUST", bool(pair[1].inherited))):
        word = "" if result.outcome == Outcome.VIOLATED.value else ", could not be judged"
        summary = f"{backend.name}: {result.id} ({result.level}{word}): {result.sentence}"
        yield details(summary, fenced(_evidence(result)))


def _evidence(result: Result) -> str:
    lines = [f"source:   {result.source}"]
    lines += [f"expected: {result.expected}", f"found:    {result.found}"] if result.expected else []
    lines += [f"whose:    {result.whose}"] if result.whose else []
    lines += [f"reason:   {result.reason}"] if result.reason else []
    evidence = result.evidence
    if len(evidence) > _LONGEST_EVIDENCE:
        evidence = evidence[:_LONGEST_EVIDENCE].rpartition("\n")[0] + "\n..."
    lines += ["", evidence] if evidence else []
    lines += ["", f"run it alone: {result.command}"] if result.command else []
    return "\n".join(lines)


def _matrices(backends: Sequence[BackendReport]) -> Iterator[str]:
    by_id: dict[str, list[tuple[str, Matrix]]] = {}
    for backend in backends:
        for result in backend.verdict.results:
            if result.matrix is not None:
                by_id.setdefault(result.id, []).append((backend.name, Matrix(**result.matrix)))
    for id, found in sorted(by_id.items()):
        parts = []
        for name, matrix in found:
            parts += [f"**{plain(name)}**", _table_of(matrix)]
            parts += [plain(matrix.note)] if matrix.note else []
        yield details(f"{id}: {found[0][1].title}", *parts)


def _table_of(matrix: Matrix) -> str:
    seen = [column for column in matrix.columns if matrix.total(column)]

    def cell(count: int, column: str) -> str:
        return "-" if not count else f"**{count}**" if column in matrix.bad else str(count)

    rows = [
        [plain(row), *(cell(counts.get(column, 0), column) for column in seen)] for row, counts in matrix.counts.items()
    ]
    return table([plain(matrix.rows), *map(plain, seen)], rows)


def _footer(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    seeds = "".join(f", seed of {name} {seed}" for name, seed in report.seeds.items())
    packages = "".join(f"{one.name}: {one.package}, " for one in report.backends if one.package)
    about = f"<sub>{plain(report.created)}, {plain(packages + versions + seeds)}</sub>"
    return f"{about}\n\n{fenced(report.command)}" if report.command else about
