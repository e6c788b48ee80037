"""The commands that read reports: report, compare and badge."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .exit_codes import USAGE_ERROR, VIOLATED

if TYPE_CHECKING:
    from session_conformance.harness.reporting import Comparison

_FORMATS = ("json", "html", "markdown")
"""The formats of a report; a test compares them with those that can be written."""


def add_to(commands: Any) -> None:
    """Add the commands to a parser's subcommands."""
    report = commands.add_parser("report", help="turn a report's JSON into a page, or into Markdown")
    report.add_argument(
        "results", type=Path, nargs="+", metavar="RESULTS.json",
        help="what --conformance-report has written; a page shows earlier ones of the same backends as a trend",
    )  # fmt: skip
    report.add_argument("-o", "--output", type=Path, metavar="FILE", help="by default, the standard output")
    report.add_argument("--format", choices=_FORMATS, help="by default, what the file's ending says, or markdown")

    comparing = commands.add_parser("compare", help="say what got worse and better between releases or backends")
    comparing.add_argument("results", type=Path, nargs="+", metavar="RESULTS.json", help="reports, the oldest first")
    comparing.add_argument("-o", "--output", type=Path, metavar="FILE", help="by default, the standard output")
    comparing.add_argument("--format", choices=("text", "markdown", "html"), help="by default, the file's, or text")
    comparing.add_argument(
        "--by-group", action="store_true", help="write a table of groups, a column for each report, as Markdown"
    )
    comparing.add_argument(
        "--fail-on-regression", action="store_true", help="exit with 1 where a requirement is violated that was not"
    )

    badging = commands.add_parser("badge", help="write the JSON that Shields draws a badge of")
    badging.add_argument("results", type=Path, metavar="RESULTS.json", help="what --conformance-report has written")
    badging.add_argument("-o", "--output", type=Path, metavar="FILE", help="by default, the standard output")
    badging.add_argument("--backend", metavar="NAME", help="the backend it is about; by default all of them")


def run(given: argparse.Namespace) -> int:
    """Run one of the commands and return its exit code."""
    from session_conformance.harness.reporting import ReportError

    try:
        return COMMANDS[given.command](given)
    except ReportError as error:
        print(f"session-conformance: {error}", file=sys.stderr)
        return USAGE_ERROR


def _report(given: argparse.Namespace) -> int:
    from session_conformance.harness.reporting import FORMATS, ReportError, as_html, format_of, read

    default = "markdown" if given.output is None else None
    name = given.format or default or format_of(given.output)
    *earlier, latest = sorted(map(read, given.results), key=lambda one: one.created)
    if earlier and name != "html":
        raise ReportError("several reports are a trend on a page: give -o FILE.html, or see 'compare'")
    _give(as_html(latest, earlier) if earlier else FORMATS[name](latest), given.output)
    return 0


def _compare(given: argparse.Namespace) -> int:
    from session_conformance.harness.reporting import (
        ChangeKind,
        ReportError,
        compare,
        format_of,
        groups_as_markdown,
        read,
    )

    if given.by_group:
        _give(groups_as_markdown([(str(path), read(path)) for path in given.results]), given.output)
        return 0
    default = "text" if given.output is None or given.output.suffix == ".txt" else None
    name = given.format or default or format_of(given.output)
    if name not in _COMPARISONS:
        raise ReportError(f"a comparison has no format {name}: expected {', '.join(_COMPARISONS)}")
    found = compare([(str(path), read(path)) for path in given.results])
    _give(_COMPARISONS[name](found, given.output is None), given.output)
    worse = any(one.of(ChangeKind.REGRESSION) for one in found)
    return VIOLATED if worse and given.fail_on_regression else 0


def _badge(given: argparse.Namespace) -> int:
    from session_conformance.harness.reporting import badge, read

    _give(badge(read(given.results), given.backend), given.output)
    return 0


def _text(found: list[Comparison], on_terminal: bool) -> str:
    from rich.console import Console
    from session_conformance.harness.reporting import comparison_as_text

    console = Console()
    encoding = (sys.stdout.encoding if on_terminal else None) or "utf-8"  # files are always in UTF-8
    color = on_terminal and console.color_system is not None
    return comparison_as_text(found, width=console.width, color=color, encoding=encoding)


def _html(found: list[Comparison], _: bool) -> str:
    from session_conformance.harness.reporting import comparison_as_html

    return comparison_as_html(found)


def _give(text: str, path: Path | None) -> None:
    if path is None:
        encoding = sys.stdout.encoding or "utf-8"  # what a terminal cannot show is shown as its escape
        sys.stdout.write(text.encode(encoding, errors="backslashreplace").decode(encoding))
    else:
        from session_conformance.harness.reporting import save

        save(text, path)


def _markdown(found: list[Comparison], _: bool) -> str:
    from session_conformance.harness.reporting import comparison_as_markdown

    return comparison_as_markdown(found)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"report": _report, "compare": _compare, "badge": _badge}
"""By name, what runs a command."""

_COMPARISONS: dict[str, Callable[[list[Comparison], bool], str]] = {
    "text": _text,
    "markdown": _markdown,
    "html": _html,
}
