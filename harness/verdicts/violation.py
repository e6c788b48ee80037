"""Violations: the evidence that a requirement is not met."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

from ..sdk import Message, SdkLacks
from ..timeline import Event, Failed, HappenedElsewhere, Timeline, difference, excerpt


class Violation(AssertionError):
    """A requirement is not met. The text shows what was expected, what was found, and the timeline around it.

    Attributes:
        expected: What should have been, in words.
        found: What was, in words.
        evidence: What shows it, drawn: a part of the timeline or of a trace, a table; or "".
        inherited: The name of the SDK's class that the manager is built on, where that violates it too over a store
            that is known to be right; or "".
        events: The part of the timeline that shows it, as :func:`~.excerpt.excerpt` gives it.
        failure: What was raised, where that is what was found; or None.
        raised: What the backend author's own code has raised, where the timeline has that; or None.

    Args:
        expected: What should have been.
        found: What was.
        evidence: What shows it beside the timeline, drawn.
        timeline: What happened, if that shows it.
        at: The numbers of the events that show it.
    """

    def __init__(
        self, expected: str, found: str, evidence: str = "", timeline: Timeline | None = None, at: Sequence[int] = ()
    ) -> None:
        around = drawn(timeline, *at) if timeline is not None else ""
        self.failure = _failure(timeline, at, found) if timeline is not None else None
        self.raised = _raised(timeline, at) if timeline is not None else None
        frames = "" if self.raised is None else "\n".join(["raised in:", *(f"  {line}" for line in self.raised.frames)])
        evidence = "\n\n".join(part for part in (frames, evidence, around) if part)
        self.expected = expected
        self.inherited = ""
        self.found = found
        self.evidence = evidence
        self.events = excerpt(timeline, *at) if timeline is not None else []
        super().__init__(f"expected: {expected}\nfound:    {found}" + (f"\n\n{evidence}" if evidence else ""))


def _failures(timeline: Timeline) -> list[Failed]:
    events = [event.event if isinstance(event, HappenedElsewhere) else event for event in timeline]
    return [event for event in events if isinstance(event, Failed)]


def _failure(timeline: Timeline, at: Sequence[int], found: str) -> Failed | None:
    """Return what was raised where the violation shows, if what was found tells of it."""
    shown = (one for one in _failures(timeline) if one.at in at)
    return next((one for one in shown if f"raises {one.type}" in found), None)


def _raised(timeline: Timeline, at: Sequence[int]) -> Failed | None:
    """Return what the author's code raised where the violation shows, or else what it raised first."""
    own = [one for one in _failures(timeline) if one.frames]
    return next((one for one in own if one.at in at), own[0] if own else None)


class NotApplicable(Exception):
    """A requirement says nothing about this backend. The text says why."""


def drawn(timeline: Timeline, *at: int) -> str:
    """Return the part of a timeline around some events, with a heading; "" if no event is given."""
    heading = "timeline (what happened, and what a reader found stored at that moment):"
    return f"{heading}\n{timeline.around(*at)}" if at else ""


def violated(expected: str, found: str, timeline: Timeline | None = None, *at: Event) -> NoReturn:
    """Report a violation, with the timeline drawn around the events that show it.

    What the installed SDK lacks is nobody's violation, also where a check takes whatever is raised for the manager's.

    Raises:
        NotApplicable: It comes of what the SDK cannot do.
        Violation: Always but then.
    """
    lacking = _lacking(timeline)
    if lacking:
        raise NotApplicable(lacking)
    raise Violation(expected, found, timeline=timeline, at=[event.at for event in at])


def _lacking(timeline: Timeline | None) -> str:
    """Return what the SDK lacks of what was tried: what is being handled, or what the timeline has; or ""."""
    handled = sys.exc_info()[1]
    if isinstance(handled, SdkLacks):
        return str(handled)
    happened = (one.event if isinstance(one, HappenedElsewhere) else one for one in timeline or ())
    return next((one.error for one in happened if isinstance(one, Failed) and one.is_a(SdkLacks)), "")


def expect_same(
    expected: Sequence[Message], found: Sequence[Message], what: str, timeline: Timeline | None = None, *at: Event
) -> None:
    """Report a violation unless two histories are the same.

    Raises:
        Violation: They differ; the report says where.
    """
    differs = difference(expected, found)
    if differs is not None:
        violated(what, differs, timeline, *at)


def expect_no_failure(timeline: Timeline, *, allowed: Iterable[str] = ()) -> None:
    """Report a violation if the application was given an error that the script did not ask for.

    Args:
        timeline: What happened.
        allowed: The types of error that the script asks for.

    Raises:
        Violation: Another error surfaced.
    """
    for failure in timeline.of(Failed):
        if failure.type not in set(allowed):
            violated("the conversation goes on without an error", failure.told, timeline, failure)
