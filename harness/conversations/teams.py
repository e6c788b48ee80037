"""Teams: a graph or a swarm of scripted agents, and what each of them does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..models import Answering, ScriptedTextModel, chunk, text_answer
from ..sdk import Agent, Graph, GraphBuilder, Message, SessionManager, Swarm, ToolContext, sdk_tool
from ..timeline import Timeline, copied

ModelOf = Callable[[str, Answering], ScriptedTextModel]
"""Makes the model of an agent, given its name and what it answers."""

MAX_EXECUTIONS = 50
"""A limit that no script reaches; without one the SDK warns."""


@dataclass(frozen=True)
class Team:
    """A graph or a swarm whose agents have no session managers of their own.

    Each agent answers a text that names it; in a swarm it hands over to the next, with a message and a fact.

    Attributes:
        kind: ``graph`` or ``swarm``.
        nodes: The names of the nodes. A swarm hands over in this order.
        edges: The edges of a graph; by default each node is followed by the next.
        nested: The nodes of a graph that are swarms of two agents, ``NAME-1`` and ``NAME-2``.
        asking: The nodes of a graph whose agents call a tool that asks the user by an interrupt.
        redacted: Bytes that each answer has as redacted reasoning, if any.
        id: The id of the graph or swarm in its session.
    """

    kind: Literal["graph", "swarm"]
    nodes: tuple[str, ...] = ("plan", "write", "check")
    edges: tuple[tuple[str, str], ...] | None = None
    nested: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()
    redacted: bytes = b""
    id: str = "team"

    def build(self, model_of: ModelOf, session_manager: SessionManager[Any] | None, hooks: Sequence[Any] = ()
              ) -> Graph | Swarm:  # fmt: skip
        """Make the graph or swarm, which restores its session."""
        if self.kind == "swarm":
            return self._swarm(model_of, self.nodes, session_manager, hooks, self.id)
        builder = GraphBuilder()
        for name in self.nodes:
            inner = (f"{name}-1", f"{name}-2")
            builder.add_node(
                self._swarm(model_of, inner, None, (), name)
                if name in self.nested
                else self._agent(model_of, name, _asks(name) if name in self.asking else None),
                name,
            )
        for before, after in self.edges if self.edges is not None else itertools.pairwise(self.nodes):
            builder.add_edge(before, after)
        builder.set_graph_id(self.id).set_max_node_executions(MAX_EXECUTIONS).set_hook_providers(list(hooks))
        if session_manager is not None:
            builder.set_session_manager(session_manager)
        return builder.build()

    def restored(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return what a team that is made anew knows when it is given a state, as the SDK restores it.

        Args:
            state: What ``serialize_state()`` gave; it is not changed.
        """

        def model_of(_: str, answer: Answering) -> ScriptedTextModel:
            return ScriptedTextModel(Timeline(), answer=answer)

        team = self.build(model_of, None)
        team.deserialize_state(copied(state))
        return team.serialize_state()

    def _swarm(
        self,
        model_of: ModelOf,
        names: Sequence[str],
        session_manager: SessionManager[Any] | None,
        hooks: Sequence[Any],
        id: str,
    ) -> Swarm:
        agents = [
            self._agent(model_of, name, _hands_over(name, after) if after else None)
            for name, after in itertools.zip_longest(names, names[1:])
        ]
        return Swarm(agents, id=id, session_manager=session_manager, hooks=list(hooks))

    def _agent(self, model_of: ModelOf, name: str, first: list[Any] | None) -> Agent:
        """Make an agent that calls a tool first, if it has one to call, and answers when it is given the result."""

        def answer(messages: Sequence[Message]) -> list[Any]:
            given = any("toolResult" in block for block in messages[-1]["content"])
            return self._says(name) if first is None or given else first

        tools: list[Any] = [approve] if name in self.asking else []
        return Agent(model=model_of(name, answer), name=name, tools=tools, callback_handler=None, retry_strategy=None)

    def _says(self, name: str) -> list[Any]:
        answer = text_answer(said_by(name))
        if self.redacted:
            delta = {"delta": {"reasoningContent": {"redactedContent": self.redacted}}}
            answer[1:1] = [{"type": "reasoning_start"}, chunk(contentBlockDelta=delta), {"type": "reasoning_stop"}]
        answer[-1:-1] = [_USED]
        return answer


_USED = {"type": "usage", "input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
"""What each answer of a node's agent costs."""


@sdk_tool(context=True)
def approve(tool_context: ToolContext) -> str:
    """Ask the user."""
    tool_context.agent.state.set("approvals", {"asked for": 1})
    return f"the user says {tool_context.interrupt('approval', reason='May I?')}"


def said_by(name: str) -> str:
    """Return what the agent of a node answers."""
    return f"{name} has done its part"


def handed_over_by(name: str) -> str:
    """Return the message with which an agent of a swarm hands over."""
    return f"{name} hands over"


def fact_from(name: str) -> str:
    """Return the fact that an agent of a swarm adds to the swarm's shared context."""
    return f"{name} knows a fact"


_ODD_FACTS: dict[str, Any] = {
    "counts": [1, 1.0, -0.0, 2**53 + 1, True, None],
    "empty": ["", [], {}],
    "of dots.and $signs": {"Zoë 東京": {"1": "one", "a.b": ["2026-11-28", "null"]}},
}
"""What agents of a swarm tell each other besides: values that a store may have another form for."""


def _asks(name: str) -> list[Any]:
    use = {"toolUseId": f"by-{name}", "name": "approve", "input": {}}
    return [{"type": "tool_use_blocks", "tool_uses": [use]}, {"type": "response_stop"}]


def _hands_over(name: str, to: str) -> list[Any]:
    use = {
        "toolUseId": f"from-{name}",
        "name": "handoff_to_agent",
        "input": {
            "agent_name": to,
            "message": handed_over_by(name),
            "context": {"fact": fact_from(name), **_ODD_FACTS},
        },
    }
    return [{"type": "tool_use_blocks", "tool_uses": [use]}, {"type": "response_stop"}]


__all__ = ["Team", "fact_from", "handed_over_by", "said_by"]
