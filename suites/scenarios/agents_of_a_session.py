"""Several agents of a session: each has its own history, and no two have one id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from session_conformance.harness import Session, Timeline, expect_no_failure, violated
from session_conformance.harness.sdk import SessionException, SessionManager
from session_conformance.harness.timeline import Failed, same, texts

from .stored_history import expect_readable


def expect_own(agent: Session, said: list[str], state: dict[str, Any], timeline: Timeline | None = None) -> None:
    """Report a violation unless an agent has its own history and state, and nothing else.

    Raises:
        Violation: It has not, or cannot be read.
    """
    found = agent.read()
    expect_readable(found, f"for agent {agent.agent_id!r}", timeline)
    if texts(found.messages) != said:
        violated(f"agent {agent.agent_id!r} has {said}", f"it has {texts(found.messages)}", timeline)
    if not same(found.state, state):
        violated(f"agent {agent.agent_id!r} has the state {state}", f"it has {found.state}", timeline)


def expect_twins_refused(session: Session, agent: Callable[[SessionManager[Any]], object]) -> None:
    """Report a violation unless a manager refuses a second agent of the same id.

    Args:
        session: A new session.
        agent: Makes an agent with a manager, each time with the same id.

    Raises:
        Violation: It is accepted, or refused with something else, or the first is refused too.
    """
    timeline, agents = Timeline(), list[object]()
    try:
        manager = session.open()
        agents.append(agent(manager))  # it lives on while there is a second one
    except Exception as error:
        timeline.record(Failed.by("opening the session", error))
    expect_no_failure(timeline)
    try:
        agents.append(agent(manager))
    except SessionException:
        return
    except Exception as error:
        violated("SessionException", f"{type(error).__name__}: {error}")
    violated("SessionException", "a second agent of the same id was accepted on the same manager")
