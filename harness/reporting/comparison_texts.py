"""Comparisons as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ._quantities import quantity, ratio
from .comparison import ChangeKind, Comparison, MeasuredTwice
from .markdown import MARKER, details, plain, table

_STYLES = {ChangeKind.REGRESSION: "red", ChangeKind.IMPROVEMENT: "green"}


_ROOM_FOR_SENTENCES = 90
"""Columns of a terminal below which the sentences of requirements are left out: what is left of them says nothing."""

_ASCII = {"→": "->", "…": "...", "─": "-", "µ": "u", "–": "-"}
"""What stands for characters that a terminal's encoding may not have."""


def comparison_as_text(
    comparisons: Sequence[Comparison], *, width: int = 80, color: bool = False, encoding: str = "utf-8"
) -> str:
    """Return comparisons for a terminal: what changed, what was measured, and one line each.

    Args:
        comparisons: What to show.
        width: The terminal's width in columns.
        color: Whether to use colors.
        encoding: The terminal's: what it does not have is shown in ASCII.
    """
    instead = {ord(one): other for one, other in _ASCII.items() if not _has(encoding, one)}
    out = io.StringIO()
    console = Console(
        file=out,
        width=width - 2 * (ord("…") in instead),  # which then takes two columns more
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
    )
    for found in comparisons:
        console.print(Text(found.title, style="bold"), soft_wrap=True)
        for heading, line in found.lines:
            console.print(Text(f"{heading}: {line}", style="dim"), soft_wrap=True)
        if found.changes:
            _print(console, _changes(found, with_sentences=width >= _ROOM_FOR_SENTENCES))
        if found.benchmarks:
            _print(console, _benchmarks(found))
        style = "red" if found.of(ChangeKind.REGRESSION) else "green"
        console.print(Text(found.sentence, style=style), soft_wrap=True)
        if found.changes and width < _ROOM_FOR_SENTENCES:
            console.print(Text("what a requirement asks for: session-conformance explain ID"), soft_wrap=True)
        console.print()
    return out.getvalue().translate(instead)


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _print(console: Console, drawn: Table) -> None:
    """Print a table as wide as it must be: a terminal wraps what is too long for it, and nothing of an id is lost."""
    least = Measurement.get(console, console.options.update(width=10_000), drawn).minimum
    console.print(drawn, width=max(console.width, least), crop=False, no_wrap=False, soft_wrap=least > console.width)


def _changes(found: Comparison, *, with_sentences: bool) -> Table:
    """Return a table in which headings and words may be folded; ids, levels and states are not."""
    rows: list[list[Text]] = [
        [
            Text(found.word(change.kind), style=_STYLES.get(change.kind, "")),
            *(Text(cell, no_wrap=True) for cell in (change.result.id, change.result.level, *change.states)),
            *([Text(change.result.sentence)] if with_sentences else []),
        ]
        for change in found.changes
    ]
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=with_sentences)
    for number, heading in enumerate(("", "id", "level", *found.headings)):
        longest = max(max(map(len, str(row[number]).split() if number == 0 else [str(row[number])])) for row in rows)
        drawn.add_column(heading, overflow="fold", min_width=longest)
    if with_sentences:
        drawn.add_column("requirement", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        drawn.add_row(*row)
    return drawn


def _benchmarks(found: Comparison) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(("benchmark", "size", *found.headings, "cost")):
        drawn.add_column(
            heading, justify="right" if number else "left", overflow="fold", no_wrap=heading in ("benchmark", "size")
        )
    for row in _rows(found.benchmarks):
        drawn.add_row(*row)
    return drawn


def _rows(measured: Sequence[MeasuredTwice]) -> list[list[str]]:
    rows = []
    for one in measured:
        before, after = (
            " ".join(part for part in (quantity(side.median, side.unit), ratio(side.ratio)) if part)
            for side in (one.before, one.after)
        )
        size = "-" if one.after.size is None else f"{one.after.size:,}"
        rows.append([one.after.name, size, before, after, ratio(one.factor) or "-"])
    return rows


def comparison_as_markdown(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as GitHub's Markdown."""
    parts = [MARKER, "## Session manager conformance, compared"]
    for found in comparisons:
        parts += [f"### {plain(found.title)}", plain(found.sentence)]
        parts.append("\n".join(f"- {plain(heading)}: {plain(line)}" for heading, line in found.lines))
        if found.changes:
            rows = [
                [
                    f"**{change.result.id}** {plain(change.result.sentence)}",
                    change.result.level,
                    *change.states,
                    f"**{found.word(change.kind)}**"
                    if change.kind is ChangeKind.REGRESSION
                    else found.word(change.kind),
                ]
                for change in found.changes
            ]
            parts.append(table(["requirement", "level", *map(plain, found.headings), ""], rows))
        if found.benchmarks:
            measured = [[plain(cell) for cell in row] for row in _rows(found.benchmarks)]
            parts.append(table(["benchmark", "size", *map(plain, found.headings), "cost"], measured))
        facts = [[plain(cell) for cell in row] for row in found.facts]
        parts.append(details("versions, dates and commands", table(["", *map(plain, found.headings)], facts)))
    return "\n\n".join(parts) + "\n"
