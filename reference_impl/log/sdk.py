"""What differs from release to release of the SDK, under one set of names: strands-agents 1.48 to 1.x.

Until 1.55 a ``BidiAgent`` tells of its messages by events of its own and asks for methods of its own; until 1.57.1 its
events live in ``strands.experimental`` and no message in its history ever changes.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import strands.hooks
from strands.session import SessionManager
from strands.types.session import SessionAgent

if TYPE_CHECKING:
    from collections.abc import Iterable


def _bidi_hooks() -> Iterable[Any]:
    """Yield the modules that may have a voice agent's events, the newest first."""
    for name in ("strands.bidi", "strands.experimental.bidi"):
        if find_spec(name) is not None and find_spec(f"{name}.hooks") is not None:
            yield importlib.import_module(f"{name}.hooks")
            return
    yield importlib.import_module("strands.experimental.hooks")


def _events(*names: str) -> list[Any]:
    modules = [strands.hooks, *_bidi_hooks()]
    return [found for name in names for module in modules if (found := getattr(module, name, None)) is not None]


INITIALIZED: list[Any] = _events("AgentInitializedEvent", "BidiAgentInitializedEvent")
"""An agent was made, and is to be restored."""

MESSAGE_ADDED: list[Any] = _events("MessageAddedEvent", "BidiMessageAddedEvent")
"""A message was added to an agent's history."""

MESSAGE_UPDATED: list[Any] = _events("MessageUpdatedEvent")
"""One was replaced; no event where that never happens."""

RESTARTING: list[Any] = _events("BidiBeforeConnectionRestartEvent")
"""A voice agent's connection is about to be given the history again."""

VOICE_STOPPED: list[Any] = _events("BidiAgentStopEvent", "BidiAfterInvocationEvent")
"""A voice agent has stopped."""

_METHODS_OF_VOICE = hasattr(SessionManager, "initialize_bidi_agent")


def record_of(agent: Any) -> SessionAgent:
    """Return the record of an agent, as the SDK makes it."""
    if _METHODS_OF_VOICE and not isinstance(agent, strands.Agent):
        make: Any = SessionAgent.from_bidi_agent  # type: ignore[attr-defined]
        return make(agent)  # type: ignore[no-any-return]
    return SessionAgent.from_agent(agent)


def restore_internal_state(record: SessionAgent, agent: Any) -> None:
    """Give an agent what its record holds beside its state and its conversation manager's."""
    if _METHODS_OF_VOICE and not isinstance(agent, strands.Agent):
        record.initialize_bidi_internal_state(agent)  # type: ignore[attr-defined]
    else:
        record.initialize_internal_state(agent)


class VoiceMethods:
    """The methods that voice agents had for themselves until 1.55; each is that of any agent."""

    def initialize_bidi_agent(self, agent: Any, **kwargs: Any) -> None:
        """Do what ``initialize`` does."""
        self.initialize(agent, **kwargs)  # type: ignore[attr-defined]

    def append_bidi_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        """Do what ``append_message`` does."""
        self.append_message(message, agent, **kwargs)  # type: ignore[attr-defined]

    def sync_bidi_agent(self, agent: Any, **kwargs: Any) -> None:
        """Do what ``sync_agent`` does."""
        self.sync_agent(agent, **kwargs)  # type: ignore[attr-defined]
