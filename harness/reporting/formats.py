"""Formats: the same report as JSON, as a page of HTML, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .report import Report, ReportError


def _json(report: Report) -> str:
    return report.to_json() + "\n"


def _html(report: Report) -> str:
    from .html import as_html  # with its template engine, which is loaded when it is asked for

    return as_html(report)


def _markdown(report: Report) -> str:
    from .markdown import as_markdown

    return as_markdown(report)


FORMATS: dict[str, Callable[[Report], str]] = {"json": _json, "html": _html, "markdown": _markdown}
"""By name, what turns a report into text of a format."""

ENDINGS = {".json": "json", ".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}
"""The formats that files' endings stand for."""


def format_of(path: Path) -> str:
    """Return the name of the format that a file's ending stands for.

    Raises:
        ReportError: It stands for none.
    """
    try:
        return ENDINGS[path.suffix.lower()]
    except KeyError:
        raise ReportError(
            f"cannot tell the format of {path} by its ending: expected {', '.join(sorted(ENDINGS))}"
        ) from None


def write(report: Report, path: Path, format: str | None = None) -> None:
    """Write a report to a file.

    Args:
        report: The report.
        path: The file.
        format: A name of :data:`FORMATS`; by default, what the file's ending stands for.

    Raises:
        ReportError: The ending stands for no format, or the file cannot be written.
    """
    save(FORMATS[format or format_of(path)](report), path)


def save(text: str, path: Path) -> None:
    """Write text to a file.

    Raises:
        ReportError: The file cannot be written.
    """
    try:
        # What UTF-8 refuses (a lone surrogate, which a manager was tried with) is written as its escape.
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error


__all__ = ["ENDINGS", "FORMATS", "format_of", "save", "write"]
