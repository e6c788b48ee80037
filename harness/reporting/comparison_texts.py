"""Comparisons as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .comparison import Comparison, Kind, MeasuredTwice
from .markdown import MARKER, plain, table
from .quantities import quantity, ratio

_STYLES = {Kind.REGRESSION: "red", Kind.IMPROVEMENT: "green"}


def as_text(comparisons: Sequence[Comparison], *, width: int = 80, color: bool = False) -> str:
    """Return comparisons for a terminal: what changed, what was measured, and one line each.

    Args:
        comparisons: What to show.
        width: The terminal's width in columns.
        color: Whether to use colors.
    """
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, color_system="standard" if color else None, legacy_windows=False
    )
    for found in comparisons:
        console.print(Text(found.title, style="bold"), soft_wrap=True)
        if found.changes:
            console.print(_changes(found))
        if found.benchmarks:
            console.print(_benchmarks(found))
        style = "red" if found.of(Kind.REGRESSION) else "green"
        console.print(Text(found.sentence, style=style), soft_wrap=True)
        console.print()
    return out.getvalue()


def _changes(found: Comparison) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    for heading in ("", "id", "level", *found.headings):
        drawn.add_column(heading, no_wrap=True)
    drawn.add_column("requirement", no_wrap=True, overflow="ellipsis", ratio=1)
    for change in found.changes:
        word = Text(found.word(change.kind), style=_STYLES.get(change.kind, ""))
        drawn.add_row(word, change.result.id, change.result.level, *change.states, change.result.sentence)
    return drawn


def _benchmarks(found: Comparison) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("benchmark", "size", *found.headings, "cost"):
        drawn.add_column(heading, justify="left" if heading == "benchmark" else "right")
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


def as_markdown(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as GitHub's Markdown."""
    parts = [MARKER, "## Session manager conformance, compared"]
    for found in comparisons:
        parts += [f"### {plain(found.title)}", plain(found.sentence)]
        if found.changes:
            rows = [
                [
                    f"**{change.result.id}** {plain(change.result.sentence)}",
                    change.result.level,
                    *change.states,
                    f"**{found.word(change.kind)}**" if change.kind is Kind.REGRESSION else found.word(change.kind),
                ]
                for change in found.changes
            ]
            parts.append(table(["requirement", "level", *found.headings, ""], rows))
        if found.benchmarks:
            measured = [[plain(cell) for cell in row] for row in _rows(found.benchmarks)]
            parts.append(table(["benchmark", "size", *found.headings, "cost"], measured))
    return "\n\n".join(parts) + "\n"
