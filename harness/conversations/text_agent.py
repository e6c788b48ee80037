"""Text agents: how the ``Agent`` of a scripted text conversation is made, by its player and by readers alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ..models import ScriptedTextModel, text_answer
from ..sdk import Agent, Message, SessionManager, SlidingWindowConversationManager, SummarizingConversationManager
from ..timeline import Timeline

SUMMARY = "A summary of what was said before."
"""What the summarizing conversation manager's agent answers."""


_ANYTHING = 1e-6
"""The part of a model's context that is exceeded as soon as anything was said."""


class Booking(BaseModel):
    """The structured output that scripts ask for."""

    city: str
    nights: int


@dataclass(frozen=True)
class TextAgent:
    """How a text agent is built, apart from its session.

    Attributes:
        window: The window of a ``SlidingWindowConversationManager``, in messages.
        summarizes: Whether it has a ``SummarizingConversationManager``, which replaces the older half of the history
            by :data:`SUMMARY` where it is too long for the model.
        pin_first: How many messages at the beginning either of them keeps, if any.
        stateful: Whether its model keeps the conversation itself.
        per_turn: Whether the window is applied before each call of the model, and not only when an invocation ends.
        compresses: Whether either of them is applied before a call of the model whenever it can be
            (``proactive_compression``).
        cuts_results: Whether the window, where the history is too long for the model, cuts long results of tools.
        checkpointing: Whether it pauses before and after its tools, for an application to go on with later.
    """

    window: int | None = None
    summarizes: bool = False
    pin_first: int | None = None
    stateful: bool = False
    per_turn: bool = False
    compresses: bool = False
    cuts_results: bool = True
    checkpointing: bool = False

    def build(
        self,
        model: ScriptedTextModel,
        *,
        agent_id: str,
        session_manager: SessionManager[Any],
        system_prompt: str | None = None,
        tools: Sequence[Any] = (),
        messages: list[Message] | None = None,
        state: dict[str, Any] | None = None,
        hooks: Sequence[Any] = (),
    ) -> Agent:
        """Make the agent, which restores its session."""
        return Agent(
            model=model,
            agent_id=agent_id,
            session_manager=session_manager,
            system_prompt=system_prompt,
            tools=list(tools),
            messages=messages,
            state=state,
            hooks=list(hooks),
            conversation_manager=self._conversation_manager(),
            callback_handler=None,
            retry_strategy=None,
            checkpointing=self.checkpointing,
        )

    def _conversation_manager(self) -> Any:
        options: dict[str, Any] = {"pin_first": self.pin_first}
        if self.compresses:
            options["proactive_compression"] = {"compression_threshold": _ANYTHING}
        if self.summarizes:
            model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer(SUMMARY))
            writer = Agent(model=model, callback_handler=None)
            return SummarizingConversationManager(
                summary_ratio=0.5, preserve_recent_messages=2, summarization_agent=writer, **options
            )
        if self.window is not None:
            return SlidingWindowConversationManager(
                window_size=self.window, should_truncate_results=self.cuts_results, per_turn=self.per_turn, **options
            )
        return None


__all__ = ["SUMMARY", "Booking", "TextAgent"]
