"""The table of the field in a README: a row for each backend, between two comments that ``field build`` looks for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .catalogue import read_catalogue
from .costs import costs, weightiest_first
from .errors import FieldError
from .explanations import read_explanations
from .results import FieldResult, kept
from .standing import Release, Standing, standings

BEGIN = "<!-- field: begin, written by: session-conformance field build -->"
END = "<!-- field: end -->"

MOST_COSTS = 2
"""How many costs a row names; the backend's page names them all."""

_HEAD = """\
| backend, newest release | keeps sessions in | met | own | SDK's | what its own violations cost you |
| --- | --- | --: | --: | --: | --- |
"""


def table_of(folder: Path, beside: Path) -> str:
    """Return the table of a field's folder, in Markdown.

    Args:
        folder: The field's folder.
        beside: The folder of the file that shows it, from which links lead to the pages.

    Raises:
        FieldError: Something in the folder cannot be read.
    """
    results: Mapping[tuple[str, str], FieldResult] = kept(folder)
    found = standings(read_catalogue(folder).values(), results, read_explanations(folder))
    up = Path(os.path.relpath(folder, beside)).as_posix()
    rows = [_row(one, one.newest, up) for one in found if one.newest is not None]
    return _HEAD + "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows) + _not_judged(found)


def has_place(readme: Path) -> bool:
    """Return whether a file has the two comments; a file that is not there has none."""
    return readme.is_file() and _place(readme.read_text(encoding="utf-8")) is not None


def with_table(text: str, table: str) -> str:
    """Return a README's text with the table between its two comments.

    Raises:
        FieldError: It does not have the two comments, in this order.
    """
    place = _place(text)
    if place is None:
        raise FieldError(f"the table has no place: put it between two lines, {BEGIN} and {END}")
    return f"{text[: place[0]]}\n{table}{text[place[1] :]}"


def write_table(folder: Path, readme: Path) -> None:
    """Write the table of a field's folder between the two comments of a README.

    Raises:
        FieldError: It does not have them, or something cannot be read or written.
    """
    table = table_of(folder, readme.parent)
    try:
        text = with_table(readme.read_text(encoding="utf-8"), table)
        readme.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise FieldError(f"cannot write the table into {readme}: {error.strerror}") from error


def _place(text: str) -> tuple[int, int] | None:
    begin = text.find(f"{BEGIN}\n")
    end = text.find(END, begin)
    return None if begin < 0 or end < 0 else (begin + len(BEGIN) + 1, end)


def _row(one: Standing, release: Release, up: str) -> list[str]:
    return [
        f"[{one.entry.title}]({up}/backends/{one.entry.name}.html) {release.version}",
        f"{one.entry.keeps}, a stand-in" if one.entry.stand_in else one.entry.keeps,
        f"{len(release.met)}{', cut short' if release.is_partial else ''}",
        str(len(release.own)),
        str(len(release.inherited)),
        _cost(release),
    ]


def _cost(release: Release) -> str:
    named = costs(weightiest_first(one.id for one in release.own))
    if not named:
        return "none was found so far" if release.is_partial else "nothing"
    more = len(named) - MOST_COSTS
    return "; ".join(named[:MOST_COSTS]) + (f"; and {more} more" if more > 0 else "")


def _not_judged(found: Iterable[Standing]) -> str:
    reasons = [f"{one.entry.title} ({one.entry.not_judged})" for one in found if one.entry.not_judged]
    return f"\nNot judged: {'; '.join(reasons)}.\n" if reasons else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
