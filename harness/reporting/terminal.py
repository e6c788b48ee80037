"""Verdicts and measures for people at a terminal: one table a backend and one line, and one table of all measures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ..backends import Interface
from ..verdicts import GROUPS, Level, Measure, Outcome, Verdict, by_cause, growth, load_of, why_no_growth
from ._quantities import quantity, ratio


def draw(verdict: Verdict, *, width: int = 80, color: bool = False, table: bool = True) -> str:
    """Return a backend's table, group by group, and its verdict below.

    Args:
        verdict: What came of the backend.
        width: The terminal's width in columns.
        color: Whether to use colors.
        table: Whether to draw the table: one of all backends may stand above it.
    """
    out, console = _console(width, color)
    if table:
        console.print(_table(verdict))
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


def draw_beside(verdicts: Sequence[Verdict], *, width: int = 80, color: bool = False) -> str:
    """Return one table of several backends: a row a group, a column a backend.

    A cell says how many requirements are met, and behind that how many are violated: by the backend itself, and with
    the SDK's class that it is built on.

    Args:
        verdicts: What came of each backend.
        width: The terminal's width in columns.
        color: Whether to use colors.
    """
    inherits = any(result.inherited for verdict in verdicts for result in verdict.results)
    title = "met / violated" + (" by itself / violated with the SDK's class it is built on" if inherits else "")
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("group", no_wrap=True)
    for verdict in verdicts:
        table.add_column(verdict.backend, justify="right", overflow="fold")
    seen = {group for verdict in verdicts for group in verdict.groups}
    for group in [*(one for one in GROUPS if one in seen), *sorted(seen - set(GROUPS))]:
        table.add_row(group, *(_cell(verdict, group, inherits) for verdict in verdicts))
    table.add_section()
    table.add_row("all", *(_cell(verdict, None, inherits) for verdict in verdicts))
    out, console = _console(width, color)
    console.print(table)
    return out.getvalue()


def _cell(verdict: Verdict, group: str | None, inherits: bool) -> Text:
    met = verdict.count(Outcome.MET, group=group)
    bad = [*verdict.having(Outcome.VIOLATED, group=group), *verdict.having(Outcome.BROKEN, group=group)]
    inherited = sum(bool(result.inherited) for result in bad)
    if not bad:
        return Text(str(met) if met else "-", style="green" if met else "")
    counts = [met, len(bad) - inherited, *([inherited] if inherits else [])]
    return Text("/".join(map(str, counts)), style="red")


def _table(verdict: Verdict) -> Table:
    title = verdict.backend if verdict.kind == Interface.MANAGER.value else f"{verdict.backend} ({verdict.kind})"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("group", no_wrap=True)
    table.add_column("", overflow="fold")
    inherits = any(result.inherited for result in verdict.results)
    for heading in ("met", "violated", *(["of the SDK's"] if inherits else []), "not applicable"):
        table.add_column(heading, justify="right")
    for group in verdict.groups:
        bad = [*verdict.having(Outcome.VIOLATED, group=group), *verdict.having(Outcome.BROKEN, group=group)]
        counts = [len(bad), *([sum(bool(result.inherited) for result in bad)] if inherits else [])]
        table.add_row(
            group,
            GROUPS.get(group, ""),
            str(verdict.count(Outcome.MET, group=group) or "-"),
            *(Text(str(count or "-"), style="red" if count else "") for count in counts),
            str(verdict.count(Outcome.NOT_APPLICABLE, group=group) or "-"),
        )
    return table


def start_here(verdict: Verdict) -> str:
    """Return what to mend first, cause by cause: those behind a MUST first, then by how much they violate.

    It is "" where nothing is wrong.

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
    out, console = _console(width, color)
    for padding in (1, 0):  # closer together, where that makes it fit
        table = Table(title="measured, and how many times the floor that is", title_justify="left", title_style="bold",
                      box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, padding))  # fmt: skip
        table.add_column("", overflow="fold")
        table.add_column("size", justify="right", no_wrap=True)
        for backend in backends:
            table.add_column(backend, justify="right", overflow="fold")
        for name, size in rows:
            cells = [shown(found.get((backend, name, size))) for backend in backends]
            table.add_row(name, "" if size is None else f"{size:,}", *cells)
        if Measurement.get(console, console.options.update(width=10_000), table).maximum <= width:
            break
    console.print(table)
    if load_of(measures):
        console.print(Text(load_of(measures)), soft_wrap=True)
    for text in dict.fromkeys(
        f"{one.name}: {one.about}" + (f"; floor: {one.floor_about}" if one.floor_about else "") for one in measures
    ):
        console.print(Text(text), soft_wrap=True)
    for name in dict.fromkeys(grown.name for grown in growth(measures)):
        how = [f"{one.backend} {one.verdict} ({one.how})" for one in growth(measures) if one.name == name]
        console.print(Text(f"{name} grows with the history: {', '.join(how)}"), soft_wrap=True)
    for text in _not_stated(measures):
        console.print(Text(text), soft_wrap=True)
    for text in dict.fromkeys(f"{one.backend}, {one.size:,} messages: {one.note}" for one in measures if one.note):
        console.print(Text(text), soft_wrap=True)
    return out.getvalue()


def _not_stated(measures: Sequence[Measure]) -> list[str]:
    """Return a line for each measure that was taken at several sizes, and of which no growth is stated."""
    found: dict[tuple[str, str], list[str]] = {}
    for backend, name in dict.fromkeys((one.backend, one.name) for one in measures if one.size):
        taken = [one for one in measures if (one.backend, one.name) == (backend, name)]
        if len({one.size for one in taken if one.size}) > 1 and (why := why_no_growth(taken)):
            found.setdefault((name, why), []).append(backend)
    return [f"{name}: {', '.join(backends)}: {why}" for (name, why), backends in found.items()]


def shown(measure: Measure | None) -> str:
    """Return a measure in a few characters: the median with its unit, and the ratio to the floor."""
    if measure is None:
        return "-"
    value = quantity(measure.median, measure.unit if measure.unit in ("seconds", "bytes") else "").strip()
    return " ".join(part for part in (value, ratio(measure.ratio)) if part)


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
