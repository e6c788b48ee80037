"""Checkpoints: an agent that pauses at each, is killed there, and is gone on with by a process that knows nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from session_conformance.harness import Session, TextAgent, Timeline, Violation, unpaired_tools
from session_conformance.harness.conversations import in_fresh_process
from session_conformance.harness.models import ScriptedTextModel, text_answer
from session_conformance.harness.process import clock, closing
from session_conformance.harness.sdk import Message, ToolContext, sdk_tool
from session_conformance.harness.timeline import same

CYCLES = (("book-1", "weather-2"), ("book-3",))
"""The tools that the model asks for, one group a cycle; then it answers."""

ENOUGH = 2 * len(CYCLES) + 1
"""How many processes it takes: one to each checkpoint, two of them a cycle, and one to the end."""

ANSWER = "All is booked."

_ran: list[str] = []
"""The tools that have run in this process, in order."""


@sdk_tool(context=True)
def book(tool_context: ToolContext) -> str:
    """Book a seat, and remember in the agent's state that it is taken."""
    return _run(tool_context)


@sdk_tool(context=True)
def weather(tool_context: ToolContext) -> str:
    """Tell the weather."""
    return _run(tool_context)


def _run(context: ToolContext) -> str:
    id = str(context.tool_use["toolUseId"])
    _ran.append(id)
    context.agent.state.set(id, "done")
    return f"result of {id}"


@dataclass(frozen=True)
class Pause:
    """How far one process got.

    Attributes:
        ran: The tools that it has run.
        ended: Why the invocation ended: ``checkpoint``, or ``end_turn`` where the conversation is at its end.
        checkpoint: What the application keeps, and goes on with.
        memory: The agent's history.
        state: The agent's state.
    """

    ran: list[str]
    ended: str
    checkpoint: dict[str, Any] | None
    memory: list[Any]
    state: dict[str, Any]

    def __str__(self) -> str:
        where = f" {self.checkpoint['position']} of cycle {self.checkpoint['cycle_index']}" if self.checkpoint else ""
        return f"ran {', '.join(self.ran) or 'no tool'}; ended: {self.ended}{where}; {len(self.memory)} messages"


def expect_each_tool_once(session: Session) -> None:
    """Report a violation unless what is killed at each checkpoint goes on where it was, in a process of its own."""
    paused = replace(session, text_agent=TextAgent(checkpointing=True))
    pauses: list[Pause] = []
    while len(pauses) < ENOUGH and (not pauses or pauses[-1].checkpoint):
        kept = pauses[-1].checkpoint if pauses else None
        answer = json.loads(in_fresh_process(_until_checkpoint, paused, kept))
        if "error" in answer:
            violated_after(pauses, "the session opens, and the agent goes on from its checkpoint", answer["error"])
        pauses.append(Pause(**answer))
    _judge(pauses, replace(session, text_agent=TextAgent()))


def _judge(pauses: list[Pause], session: Session) -> None:
    runs = Counter(id for pause in pauses for id in pause.ran)
    for id in (id for cycle in CYCLES for id in cycle):
        if runs[id] != 1:
            violated_after(pauses, f"{id} runs once", f"it runs {runs[id]} times" if runs[id] else "it never runs")
    end = pauses[-1]
    if end.ended != "end_turn":
        violated_after(pauses, f"{ENOUGH} processes are enough to the end", f"the last one ended with {end.ended}")
    unpaired = unpaired_tools(end.memory)
    if unpaired is not None:
        violated_after(pauses, "each tool use has one result", unpaired)
    for id in runs:
        if results_in(end.memory, id) != [f"result of {id}"]:
            violated_after(pauses, f"the model is given the result of {id}", f"{results_in(end.memory, id)}")
    reading, wanted = session.read(), dict.fromkeys(runs, "done")
    if reading.error is not None or not same(reading.state, wanted):
        violated_after(pauses, f"what the tools set comes back: {wanted}", reading.error or f"{reading.state}")
    if len(reading.messages) != len(end.memory):
        violated_after(pauses, f"the {len(end.memory)} messages come back", f"{len(reading.messages)} do")


def results_in(messages: Sequence[Message], id: str) -> list[str]:
    """Return the texts of the results that a tool use has in a history."""
    found: list[str] = []
    for message in messages:
        for block in message["content"]:
            if "toolResult" in block and block["toolResult"]["toolUseId"] == id:
                found += [str(part.get("text")) for part in block["toolResult"]["content"]]
    return found


def violated_after(pauses: list[Pause], expected: str, found: str) -> None:
    """Report a violation with what each process did before.

    Raises:
        Violation: Always.
    """
    lines = [f"    process {number}: {pause}" for number, pause in enumerate(pauses, 1)]
    raise Violation(expected, found, "\n".join(["killed at each checkpoint:", *lines]) if lines else "")


def _until_checkpoint(session: Session, die: Any, checkpoint: dict[str, Any] | None) -> str:
    """Invoke the agent, or go on from a checkpoint, and die where it pauses."""
    try:
        pause = clock.run(_invoked(session, checkpoint))
    except Exception as error:
        return json.dumps({"error": f"{type(error).__name__}: {error}"})
    told = json.dumps(vars(pause))
    if pause.checkpoint is not None:
        die(told)
    return told


async def _invoked(session: Session, checkpoint: dict[str, Any] | None) -> Pause:
    model = ScriptedTextModel(Timeline(), answer=_next)
    assert session.text_agent is not None
    manager = session.open()
    with closing(manager):
        agent = session.text_agent.build(
            model, agent_id=session.agent_id, session_manager=manager, tools=[book, weather]
        )
        prompt: Any = "Book what there is." if checkpoint is None else {"checkpointResume": {"checkpoint": checkpoint}}
        result = await agent.invoke_async(prompt)
        kept = result.checkpoint.to_dict() if result.checkpoint is not None else None
        return Pause(list(_ran), result.stop_reason, kept, list(agent.messages), agent.state.get())


def _next(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Ask for the tools of the cycle that a history has come to, or answer."""
    done = sum(any("toolUse" in block for block in message["content"]) for message in messages)
    if done >= len(CYCLES):
        return text_answer(ANSWER)
    uses = [{"toolUseId": id, "name": id.partition("-")[0], "input": {}} for id in CYCLES[done]]
    return [{"type": "tool_use_blocks", "tool_uses": uses}, {"type": "response_stop"}]
