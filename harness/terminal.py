"""Verdicts for people at a terminal: one table a backend, and one line."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .groups import GROUPS
from .kind import Kind
from .requirement import Level
from .verdict import Outcome, Verdict


def draw(verdict: Verdict, *, width: int = 80, color: bool = False) -> str:
    """Return a backend's table, group by group, and its verdict below.

    Args:
        verdict: What came of the backend.
        width: The terminal's width in columns.
        color: Whether to use colors.
    """
    title = verdict.backend if verdict.kind == Kind.MANAGER.value else f"{verdict.backend} ({verdict.kind})"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("group", no_wrap=True)
    table.add_column("", overflow="fold")
    for heading in ("met", "violated", "not applicable"):
        table.add_column(heading, justify="right")
    for group in verdict.groups:
        violated = verdict.count(Outcome.VIOLATED, group=group) + verdict.count(Outcome.BROKEN, group=group)
        table.add_row(
            group,
            GROUPS.get(group, ""),
            str(verdict.count(Outcome.MET, group=group) or "-"),
            Text(str(violated or "-"), style="red" if violated else ""),
            str(verdict.count(Outcome.NOT_APPLICABLE, group=group) or "-"),
        )
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, color_system="standard" if color else None, legacy_windows=False
    )
    console.print(table)
    for result in verdict.having(Outcome.VIOLATED, level=Level.SHOULD):
        console.print(Text(f"{result.id} (SHOULD) {result.sentence}", style="yellow"), soft_wrap=True)
        console.print(Text(f"  expected: {result.expected}\n  found:    {result.found}"), soft_wrap=True)
    for result in verdict.measured:
        console.print(Text(f"{result.id} measured: {result.measured}"), soft_wrap=True)
    console.print(Text(verdict.sentence, style="green" if verdict.conforms else "red"), soft_wrap=True)
    return out.getvalue()
