"""Violations as a page tells them: one of a cause with all its evidence, and the others as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..verdicts import Result, cause_of
from ._states import State, state_of
from .report import BackendReport

ROOM = 2_000
"""Characters of evidence on a page, beside that of the first violation of each cause, which is always there."""

SHORTEST = 160
"""Characters of what was found that stand in a list."""

_TIMELINE = "timeline (what happened, and what a reader found stored at that moment):"


@dataclass(frozen=True)
class Told:
    """A violation, as far as a page tells it.

    Attributes:
        result: The violation.
        short: What was found, in one line of a list.
        found: What was found.
        evidence: What shows it beside the events of the timeline, which are drawn.
        cause: What stands behind it; "" where that is not known.
        help: What usually mends it.
        first: The first violation on the page of the same cause, as backend and id; None where it is that itself.
        is_told: Whether the evidence is on the page.
    """

    result: Result
    short: str
    found: str
    evidence: str
    cause: str
    help: str
    first: tuple[str, str] | None
    is_told: bool


def told(backends: Sequence[BackendReport], room: int = ROOM) -> list[tuple[BackendReport, list[Told]]]:
    """Return the violations of each backend that has any: its own before those of the SDK's base class.

    Args:
        backends: What a run found.
        room: Characters of evidence that there is room for, beside what is always there.
    """
    found = [(backend, shown) for backend in backends if (shown := _shown(backend))]
    firsts: dict[str, tuple[str, str]] = {}
    for backend, results in found:
        for result in results:
            firsts.setdefault(_cause(backend.name, result), (backend.name, result.id))
    whole = set(firsts.values())
    for backend, results in found:
        for result in results:
            room -= 0 if (backend.name, result.id) in whole else _length(result)
            if room >= 0:
                whole.add((backend.name, result.id))
    return [
        (backend, [_told(backend.name, result, firsts, (backend.name, result.id) in whole) for result in results])
        for backend, results in found
    ]


def _cause(backend: str, result: Result) -> str:
    cause = cause_of(result)
    return cause.name if cause else f"{backend} {result.id}"


def _told(backend: str, result: Result, firsts: dict[str, tuple[str, str]], is_told: bool) -> Told:
    cause = cause_of(result)
    first = firsts[_cause(backend, result)]
    is_first = first == (backend, result.id)
    evidence = result.evidence.partition(_TIMELINE)[0].rstrip() if result.events else result.evidence
    return Told(
        result,
        short=_in_one_line(result.found or result.reason),
        found=result.found,
        evidence=evidence,
        cause=cause.name if cause else "",
        help=cause.help if cause and is_first else "",
        first=None if is_first else first,
        is_told=is_told,
    )


def _shown(backend: BackendReport) -> list[Result]:
    shown = (State.VIOLATED, State.KNOWN, State.BROKEN)
    return backend.verdict.own_first([result for result in backend.verdict.results if state_of(result) in shown])


def _length(result: Result) -> int:
    """Return about how many characters the evidence takes on a page, with the markup of its events."""
    evidence = result.evidence.partition(_TIMELINE)[0] if result.events else result.evidence
    return len(evidence) + sum(250 + len(one["text"]) + len(one["stored"] or "") for one in result.events)


def _in_one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHORTEST else f"{text[: SHORTEST - 1]}…"
