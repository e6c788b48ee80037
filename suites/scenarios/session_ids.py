"""Session ids: one works, or is refused as it may be."""

from __future__ import annotations

from session_conformance.harness import Script, Session, Timeline, play, violated
from session_conformance.harness.sdk import SDK_EXCEPTIONS
from session_conformance.harness.timeline import Failed

REFUSALS: tuple[type[Exception], ...] = (ValueError, *SDK_EXCEPTIONS)
"""How an id may be refused."""


def say(session: Session, text: str) -> Timeline:
    """Send one message in a session."""
    return play(session, Script().user(text), observing=False)


def accepted(timeline: Timeline) -> bool:
    """Whether a session id worked. How another one is refused, IDS-04 judges."""
    return not timeline.of(Failed)


def refused(timeline: Timeline, id: str) -> bool:
    """Whether a session id was refused as it may be; another kind of refusal is reported as a violation."""
    failures = timeline.of(Failed)
    if not failures:
        return False
    first = failures[0]
    if not first.is_a(*REFUSALS) or not first.error.strip():
        violated(
            f"the id {id!r} works, or is refused with ValueError or an SDK exception", first.summary, timeline, first
        )
    return True
