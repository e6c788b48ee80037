"""Kills: what one costs, for a voice agent and a text agent, and what a manager may lose by its promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from session_conformance.harness import NotApplicable, Script, Session, violated
from session_conformance.harness.backends import Durability
from session_conformance.harness.conversations import TextAgent
from session_conformance.harness.faults import is_end_of_turn, killed_at_each_moment
from session_conformance.harness.sdk import SdkLacks
from session_conformance.harness.timeline import Acknowledged, AgentStopped, Timeline

_TALK = Script().user("My name is Alice").assistant("Hello Alice").user("What is my name?").assistant("Alice")

TALKS: dict[str, tuple[Script, TextAgent | None]] = {
    "a voice agent": (_TALK.stops().starts().user("And yours?").redacts("[redacted]").assistant("I have none"), None),
    "a text agent": (
        _TALK.redacts("[redacted]").user("The weather?").calls("weather", city="Paris").assistant("Sunny"),
        TextAgent(),
    ),
}
"""What is said while processes are killed: some turns, a redaction, and a voice agent that stops in between."""


@dataclass
class Cost:
    """What kills cost.

    Attributes:
        lost: By kind of agent, how many messages were lost at most by one kill, of those that were acknowledged.
        kills: How many processes were killed.
    """

    lost: dict[str, int]
    kills: int = 0

    def __str__(self) -> str:
        bounds = " and ".join(f"{number} message{'s' * (number != 1)} of {who}" for who, number in self.lost.items())
        return f"a kill loses at most {bounds} ({self.kills} kills)"


def promised_by(timeline: Timeline, promise: Durability) -> int:
    """Return the number of the event by which all that was acknowledged is promised to be stored; -1 if none is."""
    if promise is Durability.MESSAGE:
        return len(timeline) - 1
    ends = [e.at for e in timeline if is_end_of_turn(e) and (promise is Durability.TURN or isinstance(e, AgentStopped))]
    return ends[-1] if ends else -1


def expect_cost_as_promised(new_session: Callable[[], Session], promise: Durability) -> Cost:
    """Report a violation unless kills cost no more than is promised, and return what they cost.

    Raises:
        NotApplicable: The backend takes no agents.
    """
    cost = Cost({})
    for who, (script, text_agent) in TALKS.items():
        try:
            for session, timeline in killed_at_each_moment(
                lambda agent=text_agent: replace(new_session(), text_agent=agent),  # type: ignore[misc]
                script,
            ):
                reading, said = session.read(), Acknowledged(timeline)
                missing = said.missing(reading, promised_by(timeline, promise))
                if missing is not None:
                    violated(f"{promise.words} ({who})", missing, timeline, list(timeline)[-1])
                cost.kills += 1
                cost.lost[who] = max(cost.lost.get(who, 0), said.lost(reading, len(timeline) - 1))
        except SdkLacks as reason:
            cost.lost.pop(who, None)
            lacking = str(reason)
    if not cost.lost:
        raise NotApplicable(lacking)
    return cost
