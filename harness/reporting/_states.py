"""What a result means to a reader: a new violation, a known one, or a declaration that is stale."""

from __future__ import annotations

from enum import Enum

from ..verdicts import Outcome, Result


class State(Enum):
    """What a reader is told of a result. The value is the word for it."""

    MET = "met"
    VIOLATED = "violated"
    KNOWN = "known"
    STALE = "stale"
    NOT_APPLICABLE = "n/a"
    BROKEN = "not judged"

    @property
    def about(self) -> str:
        """What it means, in words."""
        return {
            State.MET: "the requirement is met",
            State.VIOLATED: "the requirement is violated",
            State.KNOWN: "it is violated, and the configuration declares that as known",
            State.STALE: "it is met, though the configuration declares a violation as known",
            State.NOT_APPLICABLE: "it does not apply to the backend",
            State.BROKEN: "it could not be judged",
        }[self]


def state_of(result: Result) -> State:
    """Return what a reader is told of a result."""
    known = getattr(result, "known", "")
    if result.outcome == Outcome.VIOLATED.value:
        return State.KNOWN if known else State.VIOLATED
    if result.outcome == Outcome.MET.value:
        return State.STALE if known else State.MET
    return State.BROKEN if result.outcome == Outcome.BROKEN.value else State.NOT_APPLICABLE
