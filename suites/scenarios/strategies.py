"""Strategies: how often snapshots are saved, one after another, and what a kill costs under each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from session_conformance.harness import NotApplicable, Script, Session, Team, TextAgent, play, violated
from session_conformance.harness.backends import Durability
from session_conformance.harness.faults import killed_at_each_moment
from session_conformance.harness.scripts import NodeWill
from session_conformance.harness.sdk import SdkLacks
from session_conformance.harness.timeline import Acknowledged, NodeRan, ProcessStarted

from .kills import promised_by
from .options import having

_SAYS = Script().user("one").assistant("two")
_TALKS = {
    "save_latest_on": _SAYS.user("three").calls("weather", city="Paris").assistant("four"),
    "bidi_agent_save_latest_on": _SAYS.user("three").assistant("four").stops().starts().user("five").assistant("six"),
}
_TASK = Script().then(NodeWill("check", "wait")).user("a task").restarts_process("killed").user("go on")
"""A team of three, of which the last is at work when its process is killed."""


@dataclass(frozen=True)
class Strategy:
    """One way to save.

    Attributes:
        option: The constructor's argument.
        value: What it is given.
        promise: What is stored then, as the SDK says it; None where nothing is, unless the application asks for it.
        loses: How many messages of those that were acknowledged one kill may cost at most beside; None for any number.
    """

    option: str
    value: str
    promise: Durability | None
    loses: int | None = None

    def __str__(self) -> str:
        return f'{self.option}="{self.value}"'


STRATEGIES = (
    Strategy("save_latest_on", "message", Durability.TURN, loses=1),
    Strategy("save_latest_on", "invocation", Durability.STOP),
    Strategy("save_latest_on", "trigger", None),
    Strategy("bidi_agent_save_latest_on", "message", Durability.TURN, loses=1),
    Strategy("bidi_agent_save_latest_on", "stop", Durability.STOP),
    Strategy("bidi_agent_save_latest_on", "trigger", None),
)
"""What the SDK says of each: after every message, which may be the one that hooks are being told of; or more seldom."""


def expect_saved_as_each_strategy_says(new_session: Callable[[], Session]) -> list[str]:
    """Report a violation unless each strategy keeps what the SDK says of it; return what a kill costs under each.

    Raises:
        NotApplicable: The backend's constructor takes none of them.
    """
    told: list[str] = []
    for value, again in (("node", 0), ("invocation", 2)):
        try:
            told.append(_teams_cost(new_session(), value, again))
        except NotApplicable:
            continue
    for strategy in STRATEGIES:
        try:
            told.append(f"{strategy}: {_cost(new_session, strategy)}")
        except SdkLacks:
            continue
        except NotApplicable:
            if strategy.option == "save_latest_on":
                raise
    return told


def _cost(new_session: Callable[[], Session], strategy: Strategy) -> str:
    text_agent = TextAgent() if strategy.option == "save_latest_on" else None

    def saving() -> Session:
        return replace(having(new_session(), **{strategy.option: strategy.value}), text_agent=text_agent)

    lost = kills = 0
    for session, timeline in killed_at_each_moment(saving, _TALKS[strategy.option]):
        reading, said, last = session.read(), Acknowledged(timeline), list(timeline)[-1]
        kills += 1
        now = said.lost(reading, len(timeline) - 1)
        lost = max(lost, now)
        if strategy.promise is not None:
            missing = said.missing(reading, promised_by(timeline, strategy.promise))
            if missing is not None:
                violated(f"{strategy}: {strategy.promise.words}", missing, timeline, last)
        if strategy.loses is not None and now > strategy.loses:
            wanted = f"{strategy}: a kill loses at most {strategy.loses} message of those that hooks were told of"
            violated(wanted, f"{now} are lost", timeline, last)
    return f"a kill loses at most {lost} messages ({kills} kills)"


def _teams_cost(session: Session, value: str, may_run_again: int) -> str:
    strategy = f'multi_agent_save_latest_on="{value}"'
    session = replace(having(session, multi_agent_save_latest_on=value), team=Team("graph"))
    timeline = play(session, _TASK, observing=False, fresh_processes=True)
    nodes: list[list[str]] = []
    for event in timeline:
        if isinstance(event, ProcessStarted):
            nodes.append([])
        elif isinstance(event, NodeRan) and event.what == "begins":
            nodes[-1].append(event.node)
    finished, after = nodes[0][:-1], nodes[-1]
    again = [node for node in finished if node in after]
    if len(nodes) != 2 or len(again) > may_run_again:
        wanted = f"{strategy}: after a kill in the third node, at most {may_run_again} finished nodes run again"
        violated(wanted, f"these do: {_names(again)}", timeline, *timeline.of(ProcessStarted)[-1:])
    return f"{strategy}: a kill in the third node of a graph lets {len(again)} finished nodes run again (1 kill)"


def _names(nodes: Iterable[str]) -> str:
    return ", ".join(nodes) or "none"


__all__ = ["STRATEGIES", "Strategy", "expect_saved_as_each_strategy_says"]
