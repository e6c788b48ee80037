"""Text agents whose history is set back, or whose session is opened by an agent that is made in another way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from session_conformance.harness import Reading, Run, Session, TextAgent, violated
from session_conformance.harness.conversations import Application, play_application
from session_conformance.harness.models import text_answer
from session_conformance.harness.sdk import SDK_EXCEPTIONS, SessionAgent
from session_conformance.harness.timeline import difference, texts

from .restored import expect_restored_as_left
from .stored_history import expect_readable

TAKEN_BACK = "what is taken back"

_REFUSALS: tuple[type[Exception], ...] = (*SDK_EXCEPTIONS, ValueError)
"""What a repository may raise for a record that it could not restore."""


def set_back(new_session: Callable[[], Session]) -> Run:
    """Take a snapshot of an agent, let it go on, and set it back; then it goes on, in this process and in the next."""

    def first(application: Application) -> None:
        agent = application.agent
        application.call("one", text_answer("two"))
        agent.state.set("turn", 1)
        snapshot = agent.take_snapshot(preset="session")
        application.call(TAKEN_BACK, text_answer("and its answer"))
        agent.state.set("turn", 2)
        application.call(f"{TAKEN_BACK}, too", text_answer("and that one's"))
        application.does("sets the agent back with load_snapshot()", lambda: agent.load_snapshot(snapshot))
        application.call("three", text_answer("four"))

    def second(application: Application) -> None:
        agent = application.agent
        snapshot = agent.take_snapshot(preset="session")
        application.call(f"{TAKEN_BACK} in another process", text_answer("and its answer"))
        application.does("sets the agent back with load_snapshot()", lambda: agent.load_snapshot(snapshot))
        application.call("five", text_answer("six"))

    def third(application: Application) -> None:
        application.call("seven", text_answer("eight"))

    return play_application(new_session(), "a history that is set back", first, second, third)


OTHERS = {
    "a sliding window": TextAgent(window=4),
    "a summarizing conversation manager": TextAgent(summarizes=True),
    "the SDK's default": TextAgent(),
}


def expect_opened_by_others(session: Session) -> None:
    """Open sessions with agents of another conversation manager: each is restored, or refused with an SDK exception.

    Raises:
        Violation: It is neither, or the session is another one afterwards.
    """
    for made_by, made in OTHERS.items():
        place = replace(session, session_id=f"{session.session_id}-{list(OTHERS).index(made_by)}")
        run = play_application(place, f"a conversation with {made_by}", _talk, made=made)
        expect_restored_as_left(run)
        for opened_by, other in OTHERS.items():
            if other is not made:
                how = f"a session of an agent with {made_by}, opened with {opened_by},"
                _expect_restored_or_refused(replace(run.session, text_agent=other).read(), run, how)
                _expect_as_it_was(run, how)


def expect_opened_with_unknown_record(session: Session) -> None:
    """Store a record that no SDK of today has written, where the backend has a repository, and open the session.

    Raises:
        Violation: It is neither restored nor refused with an SDK exception, or has changed by that.
    """
    unknown: dict[str, dict[str, Any]] = {
        "a conversation manager of tomorrow": {"conversation_manager_state": {"__name__": "OfTomorrow", "version": 2}},
        "interrupts of tomorrow": {"_internal_state": {"interrupt_state": {"version": 2}}},
        "no conversation manager at all": {"conversation_manager_state": {}},
    }
    for name, record in unknown.items():
        place = replace(session, session_id=f"{session.session_id}-{list(unknown).index(name)}")
        run = play_application(place, "a conversation", _talk)
        if not _store_record(run.session, record):
            return
        how = f"a session whose record has {name}"
        _expect_restored_or_refused(run.session.read(), run, how)
        repository = run.session.backend.repository_for(run.session.session_id, run.session.workspace)
        assert repository is not None
        found = [one.to_message() for one in repository.list_messages(run.session.session_id, run.session.agent_id)]
        differs = difference(run.memory, found)
        if differs is not None:
            violated(f"{how} keeps its messages when it is opened", differs, run.timeline)


def _store_record(session: Session, record: dict[str, Any]) -> bool:
    try:
        repository = session.backend.repository_for(session.session_id, session.workspace)
        if repository is None:
            return False
        known = repository.read_agent(session.session_id, session.agent_id)
        if known is None:
            return False
        given = {"conversation_manager_state": known.conversation_manager_state, "_internal_state": {}} | record
        repository.update_agent(session.session_id, SessionAgent(agent_id=session.agent_id, state=known.state, **given))
    except _REFUSALS:  # it refuses to store what it could not restore
        return False
    return True


def _talk(application: Application) -> None:
    for number in range(4):
        application.call(f"question {number}", text_answer(f"answer {number}"))


def _expect_restored_or_refused(found: Reading, run: Run, how: str) -> None:
    if found.error is not None:
        if not found.is_clear:
            violated(f"{how} is restored, or refused with an SDK exception", f"it raises {found.error}", run.timeline)
        return
    missing = [text for text in texts(run.memory) if text not in texts(found.messages)]
    if missing:
        violated(f"{how} is restored with all that its agent had", f"{missing} are missing", run.timeline)


def _expect_as_it_was(run: Run, how: str) -> None:
    again = run.session.read()
    expect_readable(again, f"{how} and then as it was made", run.timeline)
    differs = difference(run.memory, again.messages)
    if differs is not None:
        violated(f"{how} stays as it is", f"as it was made it restores {differs}", run.timeline)


__all__ = ["TAKEN_BACK", "expect_opened_by_others", "expect_opened_with_unknown_record", "set_back"]
