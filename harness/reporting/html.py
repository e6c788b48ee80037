"""The report as one page of HTML that needs nothing but itself: no network, no font, and no script to be read.

The one script on it searches and sorts the requirements, and makes its own controls: where scripts are not allowed,
none of them is there, and all else is as it is.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ..verdicts import GROUPS, Growth, Matrix, Measure, Result, load_of, why_no_growth
from ._bars import ratios
from ._history import histories
from ._plain_words import plain_words
from ._plot import plots
from ._printable import printable
from ._quantities import quantity, ratio, spread
from ._sequence import diagram
from ._states import State, state_of
from ._violations import told
from .comparison import ChangeKind, Comparison
from .report import BackendReport, Report


@dataclass(frozen=True)
class Row:
    """A requirement, and what came of it for each backend; None where it was not judged."""

    id: str
    level: str
    sentence: str
    cells: list[tuple[BackendReport, Result | None]]

    @property
    def is_clean(self) -> bool:
        """Whether no backend violates it."""
        quiet = (State.MET, State.NOT_APPLICABLE)
        return all(result is None or state_of(result) in quiet for _, result in self.cells)


@dataclass(frozen=True)
class Group:
    """A group of requirements."""

    id: str
    about: str
    rows: list[Row]


@dataclass(frozen=True)
class MatrixOfAll:
    """The same matrix of several backends, one below the other."""

    id: str
    title: str
    of: list[tuple[str, Matrix]]


@dataclass(frozen=True)
class BenchmarkTable:
    """A benchmark: a row a size, a column a backend."""

    name: str
    about: str
    floor_about: str
    sizes: list[int | None]
    cells: Mapping[tuple[int | None, str], Measure]
    growth: Mapping[str, Growth] = field(default_factory=dict)

    def why_no_growth(self, backend: str) -> str:
        """Return why it is not said how the cost grows; "" where the backend was not measured, or at no size."""
        taken = [one for (size, name), one in self.cells.items() if name == backend and size is not None]
        return why_no_growth(taken) or "not stated in the report" if taken else ""


TEMPLATES = Path(__file__).parent / "templates"


def as_html(report: Report, earlier: Sequence[Report] = ()) -> str:
    """Return a report as a page of HTML.

    Args:
        report: What a run found.
        earlier: Reports of the same backends from before, which are shown as their history.
    """
    backends = report.backends
    script = (TEMPLATES / "search.js").read_text(encoding="utf-8")
    page = _template("report.html.jinja").render(
        report=report,
        search_script=Markup(script),
        search_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        words={one.backend: one for one in plain_words(backends)},
        groups=groups(backends),
        violations=told(backends),
        histories=histories(report, earlier),
        reasons=[(backend, away) for backend in backends if (away := _reasons(backend))],
        measured=[result for backend in backends for result in backend.verdict.measured],
        matrices=matrices(backends),
        benchmarks=benchmark_tables(backends),
        plots={(plot.name, plot.unit): plot for plot in plots(backends)},
        ratios=ratios(backends),
        load=load_of(one for backend in backends for one in backend.benchmarks),
    )
    return _lean(str(page))


def _lean(page: str) -> str:
    """Return a page without the escapes that text needs in attributes alone: what is quoted is most of the evidence."""
    page = page.replace("&#39;", "'")  # attributes stand in double quotes
    return re.sub(r">[^<]+<", lambda found: re.sub(r"\n{2,}", "\n", found[0]).replace("&#34;", '"'), page)


def _css_string(text: str) -> Markup:
    """Return a string of CSS in which nothing can end it."""
    return Markup('"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text) + '"')


def comparison_as_html(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as a page of HTML."""
    return str(_template("comparison.html.jinja").render(comparisons=comparisons, ChangeKind=ChangeKind))


def groups(backends: Sequence[BackendReport]) -> list[Group]:
    """Return every requirement that was judged for any backend, group by group."""
    by_id = {(backend.name, result.id): result for backend in backends for result in backend.verdict.results}
    known: dict[str, Result] = {}
    for backend in backends:
        for result in backend.verdict.results:
            known.setdefault(result.id, result)
    order = list(GROUPS)
    ids = sorted({id[:3] for id in known}, key=lambda id: (order.index(id) if id in order else len(order), id))
    return [
        Group(
            group,
            GROUPS.get(group, ""),
            [
                Row(id, one.level, one.sentence, [(backend, by_id.get((backend.name, id))) for backend in backends])
                for id, one in sorted(known.items())
                if id[:3] == group
            ],
        )
        for group in ids
    ]


@dataclass(frozen=True)
class GroupCell:
    """What came of a group for a backend, in one mark, one number and a word: the worst of it, by which it is read.

    Attributes:
        look: The class of the cell.
        text: The mark, and how many requirements it stands for.
        word: What they are.
    """

    look: str
    text: str
    word: str = ""


def group_cell(backend: BackendReport, group: str) -> GroupCell:
    """Return what is shown of a group: new violations, then what fails a run for other reasons, then what does not."""
    states = [state_of(result) for result in backend.verdict.results if result.group == group]
    for state, look, mark, word in (
        (State.VIOLATED, "bad", "✗", "violated"),
        (State.BROKEN, "bad", "?", "not judged"),
        (State.STALE, "stale", "!", "met, but listed as known"),
        (State.KNOWN, "known", "✗", "known"),
        (State.MET, "good", "✓", "met"),
    ):
        if state in states:
            return GroupCell(look, f"{mark} {states.count(state)}", word)
    return GroupCell("none", "– n/a" if states else "–")


def matrices(backends: Sequence[BackendReport]) -> list[MatrixOfAll]:
    """Return the matrices of damages, crashes and faults, those of one requirement together."""
    found: dict[str, MatrixOfAll] = {}
    for backend in backends:
        for result in backend.verdict.results:
            if result.matrix is not None:
                matrix = Matrix(**result.matrix)
                found.setdefault(result.id, MatrixOfAll(result.id, matrix.title, [])).of.append((backend.name, matrix))
    return [found[id] for id in sorted(found)]


def benchmark_tables(backends: Sequence[BackendReport]) -> list[BenchmarkTable]:
    """Return a table for each benchmark, in order of appearance."""
    names = dict.fromkeys((one.name, one.unit) for backend in backends for one in backend.benchmarks)
    tables = []
    for name, unit in names:
        cells = {
            (one.size, backend.name): one
            for backend in backends
            for one in backend.benchmarks
            if (one.name, one.unit) == (name, unit)
        }
        every = list(cells.values())
        tables.append(
            BenchmarkTable(
                name,
                next((one.about for one in every if one.about), ""),
                next((one.floor_about for one in every if one.floor_about), ""),
                sorted({one.size for one in every}, key=lambda size: -1 if size is None else size),
                cells,
                {backend.name: growth for backend in backends for growth in backend.growth if growth.name == name},
            )
        )
    return tables


def _reasons(backend: BackendReport) -> list[tuple[str, list[str]]]:
    reasons: dict[str, list[str]] = {}
    for result in backend.verdict.results:
        if state_of(result) is State.NOT_APPLICABLE:
            reasons.setdefault(result.reason, []).append(result.id)
    return list(reasons.items())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(
        quantity=quantity,
        ratio=ratio,
        spread=spread,
        power=_power,
        state=state_of,
        diagram=diagram,
        group_cell=group_cell,
        css_string=_css_string,
    )
    environment.globals.update(State=State)
    return environment


def _power(text: str) -> Markup:
    """Return text with the exponents of its powers raised."""
    return Markup(re.sub(r"\^(-?[\d.]+)", r"<sup>\1</sup>", str(escape(text))))


def _template(name: str) -> Any:
    return _environment().get_template(name)


def _shown(value: Any) -> Any:
    return value if not isinstance(value, str) or isinstance(value, Markup) else printable(value)
