"""Readers: a second manager on the same workspace, which says what is stored."""

from __future__ import annotations

from typing import Any

from ..backends import Backend, Workspace
from ..models import ScriptedBidiModel, ScriptedTextModel
from ..process import FROM_OUTSIDE, closing
from ..sdk import SDK_EXCEPTIONS, BidiAgent, SdkLacks, SessionManager
from ..timeline import Reading, Timeline, copied, restored
from .text_agent import TextAgent


def restored_agent(backend: Backend, workspace: Workspace, session_id: str, agent_id: str = "default") -> BidiAgent:
    """Return a new agent, never started, that a new manager restored.

    Raises:
        Exception: What the manager raised.
    """
    return _given(backend.open_manager(session_id, workspace), agent_id)


def _given(manager: SessionManager[Any], agent_id: str) -> BidiAgent:
    return BidiAgent(model=ScriptedBidiModel(Timeline()), agent_id=agent_id, session_manager=manager, hooks=[])


def read_session(
    backend: Backend,
    workspace: Workspace,
    session_id: str,
    agent_id: str = "default",
    text_agent: TextAgent | None = None,
) -> Reading:
    """Restore a session with a new manager and a new agent that is never started, and say what came back.

    Args:
        backend: The backend.
        workspace: Where it keeps its data.
        session_id: The session.
        agent_id: The agent in it.
        text_agent: How the agent is made, if it is a text agent.

    Returns:
        The restored history and state; where the session could not be restored, the reading's ``error`` has the
        exception's type and text.
    """
    try:
        manager = backend.open_manager(session_id, workspace)
        with closing(manager):
            if text_agent is not None:
                model = ScriptedTextModel(Timeline(), stateful=text_agent.stateful)
                reader = text_agent.build(model, agent_id=agent_id, session_manager=manager)
                managed = copied(reader.conversation_manager.get_state())
                return Reading(messages=restored(copied(reader.messages)), state=reader.state.get(), managed=managed)
            agent = _given(manager, agent_id)
            return Reading(messages=restored(copied(agent.messages)), state=agent.state.get())
    except SdkLacks:
        raise
    except FROM_OUTSIDE:
        raise
    except BaseException as error:
        return Reading(error=f"{type(error).__name__}: {error}", is_clear=isinstance(error, SDK_EXCEPTIONS))
