"""The site: plain pages built from a field's folder, which need no script, and nothing from elsewhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from session_conformance.harness.backends import Interface
from session_conformance.harness.reporting import Report, badge

from .catalogue import Entry, read_catalogue
from .costs import cost_of
from .errors import FieldError
from .explanations import read_explanations
from .results import FieldResult, kept, sentences
from .standing import Release, Standing, groups_of, standings

MINE = "opened from a file"
"""The origin of results that are none of the field's."""


def pages_of(folder: Path, beside: Mapping[str, Report] | None = None) -> dict[str, str]:
    """Return the pages of a field's folder, by path relative to where they are to lie.

    Args:
        folder: The field's folder.
        beside: Reports that are shown beside the field's, by the name of their file.

    Raises:
        FieldError: Something in the folder cannot be read.
    """
    found = standings(read_catalogue(folder).values(), kept(folder), read_explanations(folder))
    mine = [one for name, report in (beside or {}).items() for one in _of_report(name, report)]
    return {**_drawn(folder, [*mine, *found]), **_badges(found)}


def build_field(folder: Path, into: Path, beside: Mapping[str, Report] | None = None) -> list[Path]:
    """Write the pages of a field's folder into a folder, and return the files. What is no page any more is removed.

    Raises:
        FieldError: Something cannot be read or written.
    """
    pages = pages_of(folder, beside)
    written = []
    try:
        for part in ("backends", "requirements", "badges"):
            for old in sorted((into / part).glob("*.*")):
                if f"{part}/{old.name}" not in pages:
                    old.unlink()
        for name, text in pages.items():
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    except OSError as error:
        raise FieldError(f"cannot write {error.filename}: {error.strerror}") from error
    return written


def _drawn(folder: Path, found: Sequence[Standing]) -> dict[str, str]:
    groups = groups_of(found)
    told = {**_told_of(found), **sentences(folder)}
    ids = [id for group in groups for id in sorted(told) if id[:3] == group]
    judged = [one for one in found if one.newest is not None]
    common = {
        "groups": groups,
        "judged": judged,
        "others": [one for one in found if one.newest is None],
        "releases": sum(len(one.releases) for one in judged),
        "ids": ids,
    }
    pages = {"index.html": _draw("index.html.jinja", "", **common), "run.html": _draw("run.html.jinja", "", **common)}
    for one in judged:
        name = f"backends/{one.entry.name}.html"
        pages[name] = _draw("backend.html.jinja", "../", one=one, found=one.newest_of_each, **common)
    for id in ids:
        rows = [(one, one.newest_of_each.of(id)) for one in judged]
        pages[f"requirements/{id}.html"] = _draw(
            "requirement.html.jinja", "../", id=id, told=told[id], rows=rows, **common
        )
    pages["style.css"] = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    return pages


def _badges(found: Sequence[Standing]) -> dict[str, str]:
    reports = ((one.entry.name, one.newest_of_each.result.report) for one in found if one.newest is not None)
    return {f"badges/{name}.json": badge(report) for name, report in reports if report is not None}


def _told_of(found: Sequence[Standing]) -> dict[str, dict[str, str]]:
    return {
        one.id: {"level": one.level, "sentence": one.sentence, "source": one.source}
        for each in found
        for release in each.releases
        for one in release.results
    }


def _of_report(name: str, report: Report) -> list[Standing]:
    """Return the backends of a report as if the catalogue had them."""
    found = []
    for number, judged in enumerate(report.backends):
        version = judged.package.version if judged.package is not None else "no release"
        entry = Entry(
            name=f"mine-{number + 1}",
            title=f"{judged.name} (yours)",
            package=judged.package.name if judged.package is not None else judged.name,
            versions=(version,),
            kind=Interface(judged.kind),
            by="you",
            keeps="as its report says",
            links=(),
            target=judged.target or "",
            arguments=judged.arguments,
        )
        alone = Report([judged], report.command, report.seeds, report.requirements, report.versions, report.created)
        result = FieldResult(entry.name, version, MINE, report.created, 0.0, alone)
        found.append(Standing(entry, (Release(version, result),), {}, origin_note=f"opened from {name}"))
    return found


_TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["cost"] = cost_of
    return environment


def _draw(template: str, up: str, **values: Any) -> str:
    return _environment().get_template(template).render(up=up, **values)


def _shown(value: Any) -> Any:
    """Return text with escapes in place of control characters and lone surrogates, which no page can hold."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(
        repr(one)[1:-1] if one not in "\n\t" and unicodedata.category(one) in ("Cc", "Cs") else one for one in value
    )
