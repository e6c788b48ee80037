"""Checks of text agents: what the next manager restores is what the one before it left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from session_conformance.harness import (
    Run,
    Script,
    Session,
    TextAgent,
    Timeline,
    expect_no_failure,
    expect_same,
    play,
    unpaired_tools,
    violated,
)
from session_conformance.harness.conversations import TORN_DOWN
from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import AgentAtRest, Event, Failed, Happened, ProcessStarted, same

from .stored_history import expect_readable, find_same


def expect_restored_but_for_torn_down(run: Run) -> None:
    """Report a violation unless each manager restored all that the agent before it had in memory, in that order.

    What was about to be stored when the application cancelled the task may be missing: nobody was told of it.

    Raises:
        Violation: Something else is missing, or something is there twice, or a call of the agent failed.
    """
    expect_no_failure(run.timeline)
    torn = [event.message for event in run.timeline.of(Happened) if event.what == TORN_DOWN]
    expect_readable(run.stored, "after the conversation", run.timeline)
    rests, starts = run.timeline.of(AgentAtRest), run.timeline.of(ProcessStarted)[1:]
    looks = [([rest for rest in rests if rest.at < start.at][-1], start.memory) for start in starts]
    for rest, found in [*looks, (rests[-1], run.stored.messages)]:
        wanted = [message for message in rest.memory if message not in torn or find_same(message, found)]
        expect_same(wanted, found, f"{run.scenario.name}: all else is restored as it was", run.timeline, rest)


def expect_restored_as_left(run: Run) -> None:
    """Report a violation unless each manager restored what the agent before it had in memory when it came to rest.

    Raises:
        Violation: History, state or the state of the conversation manager differs.
    """
    left: AgentAtRest | None = None
    for event in run.timeline:
        if isinstance(event, ProcessStarted) and left is not None:
            what = f"{run.scenario.name}: the next manager restores the history as it was in memory"
            expect_same(left.memory, event.memory, what, run.timeline, left, event)
            if not same(left.state, event.state):
                violated(f"the state {left.state!r} is restored", f"{event.state!r}", run.timeline, left, event)
            expect_managed(left.managed, event.managed, run.timeline, left, event)
        elif isinstance(event, AgentAtRest):
            left = event
    refused = [failure for failure in run.timeline.of(Failed) if failure.where == "opening the session"]
    if refused:
        violated("each manager opens the session", refused[0].summary, run.timeline, refused[0])
    expect_readable(run.stored, "after the conversation", run.timeline)
    if left is not None:
        what = f"{run.scenario.name}: at the end the history is stored as in memory"
        expect_same(left.memory, run.stored.messages, what, run.timeline, left)
        if not same(left.state, run.stored.state):
            violated(f"the state {left.state!r} is stored", f"{run.stored.state!r}", run.timeline, left)
        expect_managed(left.managed, run.stored.managed, run.timeline, left)


def expect_windows_apart(session: Session) -> None:
    """Report a violation unless each agent of a session is given back the state of its own conversation manager.

    Raises:
        Violation: One is given the other's, or a history that differs from what was in memory.
    """
    agents = [replace(session, agent_id=agent_id, text_agent=TextAgent(window=4)) for agent_id in ("long", "short")]
    left: dict[str, Timeline] = {}
    for turn in range(3):
        for agent in agents if not turn else agents[:1]:
            left[agent.agent_id] = play(
                agent, Script().user(f"{agent.agent_id} {turn}").assistant("yes"), observing=False
            )
            expect_no_failure(left[agent.agent_id])
    for agent in agents:
        found, timeline = agent.read(), left[agent.agent_id]
        expect_readable(found, f"for agent {agent.agent_id!r}", timeline)
        rest = timeline.of(AgentAtRest)[-1]
        what = f"agent {agent.agent_id!r} beside another one, each with a window: its history is restored as it was"
        expect_same(rest.memory, found.messages, what, timeline, rest)
        expect_managed(rest.managed, found.managed, timeline, rest)


def expect_managed(left: Mapping[str, Any], found: Mapping[str, Any], timeline: Timeline, *at: Event) -> None:
    """Report a violation unless a conversation manager was given back all that it says of itself.

    Args:
        left: What it said (``ConversationManager.get_state``).
        found: What the next one says.
        timeline: What happened.
        at: The events that show it.

    Raises:
        Violation: They differ.
    """
    for key in sorted({*left, *found}):
        if not same(left.get(key), found.get(key)):
            violated(
                f"the conversation manager is given back its state: {key} is {left.get(key)!r}",
                f"it is {found.get(key)!r}",
                timeline,
                *at,
            )


def expect_answered(messages: list[Message], what: str, run: Run, *at: Event) -> None:
    """Report a violation unless a model accepts the tool uses and results of a history."""
    unpaired = unpaired_tools(messages)
    if unpaired is not None:
        violated(f"{what} is one that a model accepts", unpaired, run.timeline, *at)
