"""Verdicts and measures for people at a terminal: one table a backend and one line, and one table of all measures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..backends import Interface
from ..verdicts import GROUPS, Level, Measure, Outcome, Verdict, by_cause, growth


def draw(verdict: Verdict, *, width: int = 80, color: bool = False) -> str:
    """Return a backend's table, group by group, and its verdict below.

    Args:
        verdict: What came of the backend.
        width: The terminal's width in columns.
        color: Whether to use colors.
    """
    title = verdict.backend if verdict.kind == Interface.MANAGER.value else f"{verdict.backend} ({verdict.kind})"
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
    out, console = _console(width, color)
    console.print(table)
    for result in verdict.own_first(verdict.having(Outcome.VIOLATED, level=Level.SHOULD)):
        if result.is_known:
            continue
        console.print(Text(f"{result.id} (SHOULD) {result.sentence}", style="yellow"), soft_wrap=True)
        console.print(Text(f"  expected: {result.expected}\n  found:    {result.found}"), soft_wrap=True)
        if result.whose:
            console.print(Text(f"  whose:    {result.whose}"), soft_wrap=True)
    for result in (one for one in verdict.results if one.is_known):
        console.print(Text(f"{result.id} ({result.level}) known violation: {result.known}"), soft_wrap=True)
    for result in verdict.measured:
        console.print(Text(f"{result.id} measured: {result.measured}"), soft_wrap=True)
    console.print(
        Text(verdict.sentence, style="green" if verdict.conforms and not verdict.gate else "red"), soft_wrap=True
    )
    return out.getvalue()


def start_here(verdict: Verdict) -> str:
    """Return what to mend first, cause by cause, the one behind the most violations first; "" where nothing is wrong.

    Args:
        verdict: What came of the backend.
    """
    causes = by_cause(result for result in verdict.results if not result.is_known)
    lines = []
    for cause, found in list(causes.items())[:MOST_CAUSES]:
        more = f" and {len(found) - MOST_IDS} more" if found[MOST_IDS:] else ""
        lines.append(f"{', '.join(one.id for one in found[:MOST_IDS])}{more}: {cause.name}\n  help: {cause.help}")
    rest = len(causes) - MOST_CAUSES
    if rest > 0:
        lines.append(f"and {rest} more cause{'s' if rest > 1 else ''}: the evidence of each says what helps")
    return "".join(f"\n{line}" for line in ["", "start here", *lines]) if lines else ""


MOST_CAUSES = 3
"""How many causes are told of below a verdict."""

MOST_IDS = 4
"""How many requirements are named with a cause."""


def draw_measures(measures: Sequence[Measure], *, width: int = 80, color: bool = False) -> str:
    """Return what was measured of all backends side by side, each with its ratio to the floor, and how it grows.

    Args:
        measures: What was measured.
        width: The terminal's width in columns.
        color: Whether to use colors.
    """
    backends = list(dict.fromkeys(measure.backend for measure in measures))
    names = list(dict.fromkeys(measure.name for measure in measures))
    rows = sorted(
        dict.fromkeys((measure.name, measure.size) for measure in measures),
        key=lambda row: (names.index(row[0]), row[1] or 0),
    )
    found = {(one.backend, one.name, one.size): one for one in measures}
    table = Table(title="measured, and how many times the floor that is", title_justify="left", title_style="bold",
                  box=box.SIMPLE_HEAD, pad_edge=False)  # fmt: skip
    table.add_column("", no_wrap=True)
    table.add_column("messages", justify="right")
    for backend in backends:
        table.add_column(backend, justify="right", overflow="fold")
    for name, size in rows:
        cells = [shown(found.get((backend, name, size))) for backend in backends]
        table.add_row(name, "" if size is None else f"{size:,}", *cells)
    out, console = _console(width, color)
    console.print(table)
    for text in dict.fromkeys(
        f"{one.name}: {one.about}" + (f"; floor: {one.floor_about}" if one.floor_about else "") for one in measures
    ):
        console.print(Text(text), soft_wrap=True)
    for name in dict.fromkeys(grown.name for grown in growth(measures)):
        how = [f"{one.backend} {one.verdict} ({one.how})" for one in growth(measures) if one.name == name]
        console.print(Text(f"{name} grows with the history: {', '.join(how)}"), soft_wrap=True)
    for text in dict.fromkeys(f"{one.backend}, {one.size:,} messages: {one.note}" for one in measures if one.note):
        console.print(Text(text), soft_wrap=True)
    return out.getvalue()


def shown(measure: Measure | None) -> str:
    """Return a measure in a few characters: the median with its unit, and the ratio to the floor."""
    if measure is None:
        return "-"
    ratio = "" if measure.ratio is None else f" ({measure.ratio:.2f}x)"
    return f"{_with_unit(measure.median, measure.unit)}{ratio}"


def _with_unit(value: float, unit: str) -> str:
    if unit == "seconds":
        for limit, name in ((1.0, "s"), (1e-3, "ms")):
            if round(value / limit, 3) >= 1:
                return f"{value / limit:.3g} {name}"
        return f"{value * 1e6:.3g} µs"
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB" if value >= 2**20 else f"{value:,.0f} B"
    return f"{value:.2f}"


_PLAIN = {"\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-", "…": "...", "µ": "u", "–": "-", "×": "x"}
"""What is shown instead, where a terminal's encoding has not got a character."""


def showable(text: str, encoding: str) -> str:
    """Return text as a stream of an encoding can show it: plainer characters, or escapes, for those it has not got."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for character, plain in _PLAIN.items():
            try:
                character.encode(encoding)
            except UnicodeEncodeError:
                text = text.replace(character, plain)
        return text.encode(encoding, errors="backslashreplace").decode(encoding)
    return text


def _console(width: int, color: bool) -> tuple[io.StringIO, Console]:
    out = io.StringIO()
    system: Literal["standard"] | None = "standard" if color else None
    return out, Console(file=out, width=width, force_terminal=color, color_system=system, legacy_windows=False)
