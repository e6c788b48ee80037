"""An agent that asks the user within another agent's tool call, and is answered when both were made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from session_conformance.harness import Session, Timeline, expect_no_failure, violated
from session_conformance.harness.models import Answering, ScriptedTextModel, text_answer
from session_conformance.harness.process import clock, tolerating_warnings, within_limit
from session_conformance.harness.sdk import Agent, Message, SessionManager, ToolContext, sdk_tool
from session_conformance.harness.timeline import Failed, copied, difference_of_values, one_message

REASON = {"what": "May I?", "lines": [1, 2.5, None], "äö": {"1": True}}
"""Why the user is asked: what an application shows, and not always a text."""

ANSWERS: tuple[Any, ...] = ({"granted": True, "by": ["Zoë", 1.0, None]}, "yes")
"""What the user answers, one after the other. A tool that asks twice is given the first answer again."""

_TOLD = f"the clerk was told {ANSWERS!r}"


def expect_asked_within_a_tool(session: Session) -> None:
    """Report a violation unless an agent that is another one's tool, and asked the user, goes on with the answer.

    The outer agent keeps what the inner one had said by then; where the SDK's own snapshots do not bring that back,
    nothing is asked of a manager.

    Args:
        session: A new session.

    Raises:
        Violation: What was asked, and within what, is not restored as it was, or the answer does not arrive.
    """
    if not (hasattr(Agent, "as_tool") and hasattr(Agent, "take_snapshot")):
        return  # an older release
    timeline = Timeline()
    with tolerating_warnings():
        within_limit(lambda: clock.run(_asked_within_a_tool(session, timeline)), "an agent that is a tool")


async def _asked_within_a_tool(session: Session, timeline: Timeline) -> None:
    asking = _outer(session, session.open(), timeline)
    result = await asking.invoke_async("Ask the clerk")
    for response in ANSWERS:
        answers: Any = [
            {"interruptResponse": {"interruptId": one.id, "response": response}}
            for one in getattr(result, "interrupts", None) or ()
        ]
        wanted = _asks(asking)
        twin = _outer(session, None, Timeline())
        twin.load_snapshot(asking.take_snapshot(preset="session"))
        if not answers or not _goes_on(await twin.invoke_async(answers), response):
            return  # a release in which agents that are tools do not ask, or do not go on
        try:
            restored = _outer(session, session.open(), timeline)
            found = _asks(restored)
            result = await restored.invoke_async(answers)
        except Exception as error:
            timeline.record(Failed.by("an agent that asked within a tool call is restored and answered", error))
            expect_no_failure(timeline)
            raise
        differs = difference_of_values(wanted, found, "what it asked, and within what,")
        if differs is not None:
            violated("an agent that asked within a tool call is restored as it asked", differs, timeline)
        if not _goes_on(result, response):
            shown = f"{result.stop_reason}: {one_message(result.message)}"
            violated(f"the agent that asked within a tool call is given the answer {response!r}", shown, timeline)
        asking = restored


def _asks(agent: Agent) -> Any:
    """Return a copy of what an agent keeps of what it asked: snapshots share it with the agent, which changes it."""
    return copied(agent.take_snapshot(preset="session").data.get("interrupt_state"))


def _goes_on(result: Any, response: Any) -> bool:
    """Whether an agent that was given an answer asks what it asks then, or says at last what it was told."""
    if response is not ANSWERS[-1]:
        return bool(getattr(result, "interrupts", None))
    return _TOLD in str(result)


def _outer(session: Session, manager: SessionManager[Any] | None, timeline: Timeline) -> Agent:
    """Make an agent with a tool that is another agent, whose tool asks the user."""
    clerk = Agent(
        model=ScriptedTextModel(timeline, answer=_calls("ask", {})),
        name="clerk",
        tools=[ask],
        callback_handler=None,
        retry_strategy=None,
    )
    return Agent(
        model=ScriptedTextModel(timeline, answer=_calls("clerk", {"input": "Ask the user"})),
        agent_id=session.agent_id,
        tools=[clerk.as_tool()],
        session_manager=manager,
        callback_handler=None,
        retry_strategy=None,
    )


def _calls(tool: str, given: dict[str, Any]) -> Answering:
    """Return the answers of a model that calls a tool once, and then says what it was told."""
    use = {"toolUseId": f"of-{tool}", "name": tool, "input": given}

    def answer(messages: Sequence[Message]) -> list[Any]:
        results = [block["toolResult"] for block in messages[-1]["content"] if "toolResult" in block]
        if not results:
            return [{"type": "tool_use_blocks", "tool_uses": [use]}, {"type": "response_stop"}]
        return text_answer(str(results[0]["content"][0].get("text")))

    return answer


@sdk_tool(context=True)
def ask(tool_context: ToolContext) -> str:
    """Ask the user twice."""
    asked = ("approval", REASON), ("amount", "How much?")
    return f"the clerk was told {tuple(tool_context.interrupt(name, reason=reason) for name, reason in asked)!r}"
