"""Checks of text agents: what the next manager restores is what the one before it left."""

from __future__ import annotations

from session_conformance.harness import Run, expect_same, unpaired_tools, violated
from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import AgentAtRest, Event, Failed, ProcessStarted, same

from .stored_history import expect_readable


def expect_restored_as_left(run: Run) -> None:
    """Report a violation unless each manager restored what the agent before it had in memory when it came to rest.

    Raises:
        Violation: History, state or the count of removed messages differs.
    """
    left: AgentAtRest | None = None
    for event in run.timeline:
        if isinstance(event, ProcessStarted) and left is not None:
            what = f"{run.scenario.name}: the next manager restores the history as it was in memory"
            expect_same(left.memory, event.memory, what, run.timeline, left, event)
            if not same(left.state, event.state):
                violated(f"the state {left.state!r} is restored", f"{event.state!r}", run.timeline, left, event)
            if left.removed != event.removed:
                violated(
                    f"the conversation manager knows that {left.removed} messages were removed",
                    f"it says {event.removed}",
                    run.timeline,
                    left,
                    event,
                )
        elif isinstance(event, AgentAtRest):
            left = event
    if len(run.processes) < 1 + sum(step.op == "restart_process" for step in run.scenario.script.steps):
        violated("each manager opens the session", "one could not", run.timeline, *run.timeline.of(Failed)[-1:])
    expect_readable(run.stored, "after the conversation", run.timeline)
    if left is not None:
        what = f"{run.scenario.name}: at the end the history is stored as in memory"
        expect_same(left.memory, run.stored.messages, what, run.timeline, left)
        if not same(left.state, run.stored.state):
            violated(f"the state {left.state!r} is stored", f"{run.stored.state!r}", run.timeline, left)


def expect_answered(messages: list[Message], what: str, run: Run, *at: Event) -> None:
    """Report a violation unless a model accepts the tool uses and results of a history."""
    unpaired = unpaired_tools(messages)
    if unpaired is not None:
        violated(f"{what} is one that a model accepts", unpaired, run.timeline, *at)
