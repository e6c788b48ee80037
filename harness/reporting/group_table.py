"""A table of groups: what came of each group of requirements, beside other releases or backends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..verdicts import GROUPS, Level, Result
from ._states import State, state_of
from .comparison import Side
from .markdown import plain, table
from .report import Report, ReportError

_SDK = "strands-agents"


def groups_as_markdown(reports: Sequence[tuple[str, Report]]) -> str:
    """Return a table with a row for each group and a column for each backend of each report, as Markdown.

    A cell says how many requirements are met, how many violated, and how many do not apply. Violations that are no more
    than a SHOULD, and requirements that could not be judged, are told apart.

    Args:
        reports: Each with the name of its file, in the order of the columns.

    Raises:
        ReportError: There is nothing to show.
    """
    sides = [Side(file, backend, report) for file, report in reports for backend in report.backends]
    if not sides:
        raise ReportError("there is nothing to show: give reports of backends")
    rows = [
        [group, *(_cell([one for one in side.backend.verdict.results if one.id[:3] == group]) for side in sides)]
        for group in GROUPS
    ]
    rows.append(["all", *(_cell(side.backend.verdict.results) for side in sides)])
    headings = [_heading(side) for side in sides]
    explained = "met / violated / not applicable; s: of the violations, so many are of a SHOULD; ?: could not be judged"
    return f"{table(['group', *headings], rows)}\n\n{explained}\n"


def _heading(side: Side) -> str:
    return f"{plain(side.backend.name)}, {_SDK} {plain(side.report.versions.get(_SDK, '-'))}"


def _cell(results: Sequence[Result]) -> str:
    states = Counter(state_of(one) for one in results)
    violated = [one for one in results if state_of(one) in (State.VIOLATED, State.KNOWN)]
    only_should = sum(one.level == Level.SHOULD.value for one in violated)
    counted = (states[State.MET] + states[State.STALE], len(violated), states[State.NOT_APPLICABLE])
    cell = " / ".join(str(number) if number else "-" for number in counted)
    cell += f" ({only_should} s)" if only_should else ""
    return cell + (f" ({states[State.BROKEN]} ?)" if states[State.BROKEN] else "")


__all__ = ["groups_as_markdown"]
