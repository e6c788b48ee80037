"""Several agents of a session: each has its own history, and no two have one id."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from session_conformance.harness import (
    Conversation,
    Script,
    Session,
    TextConversation,
    Timeline,
    expect_no_failure,
    play,
    violated,
)
from session_conformance.harness.process import clock, tolerating_warnings
from session_conformance.harness.scripts import Redact, Send, Step, stream
from session_conformance.harness.sdk import Message, SessionException, SessionManager
from session_conformance.harness.timeline import Failed, Happened, UserSent, same, texts

from .stored_history import expect_readable


def expect_own(
    agent: Session,
    said: list[str],
    state: dict[str, Any],
    timeline: Timeline | None = None,
    answers: Collection[str] = (),
) -> None:
    """Report a violation unless an agent has its own history and state, and nothing else.

    Args:
        agent: The agent, by its session and id.
        said: What it has to have.
        state: The state it has to have.
        timeline: What happened, for the evidence.
        answers: What it may have beside that: whether answers are stored is for others to ask.

    Raises:
        Violation: It has not, or cannot be read.
    """
    found = agent.read()
    expect_readable(found, f"for agent {agent.agent_id!r}", timeline)
    if [text for text in texts(found.messages) if text not in answers] != said:
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


def expect_apart_on_one_manager(session: Session) -> None:
    """Report a violation unless two agents that take turns on one manager each have what is theirs.

    A manager that serves one agent alone may refuse the second one.

    Raises:
        Violation: What was said to one is missing, or is the other one's, or one has the other's state.
    """
    both = [replace(session, agent_id=agent_id) for agent_id in ("first", "second")]
    scripts = [_talk_of(one) for one in both]
    turns = [turn for steps in zip(*(script.steps for script in scripts), strict=True) for turn in enumerate(steps)]
    for one, script, timeline in zip(both, scripts, _on_one_manager(both, turns), strict=True):
        expect_no_failure(timeline)
        if timeline.of(UserSent):
            said = [step.content for step in script.steps if isinstance(step, Send)]
            expect_own(one, said, {one.agent_id: 1}, timeline, [f"yes, {text}" for text in said])


def expect_apart_where_messages_are_shared(session: Session) -> None:
    """Report a violation unless agents that are given the same messages each have their own, also when one redacts.

    Whether the redaction is stored at all is for UPD-05 to ask.

    Raises:
        Violation: The other one has what it was not told, or lacks what it was given.
    """
    shared: list[Message] = [
        {"role": "user", "content": [{"text": "what both were told"}], "tracking_id": str(uuid.UUID(int=8))}
    ]
    one, other = (replace(session, agent_id=agent_id) for agent_id in ("one", "other"))
    for agent in (one, other):
        expect_no_failure(play(agent, Script().starts().stops(), messages=shared, observing=False))
    timeline = play(one, Script().starts().then(Redact("[redacted]")).stops(), observing=False)
    expect_no_failure(timeline)
    found = other.read()
    expect_readable(found, "for agent 'other'", timeline)
    if texts(found.messages) != ["what both were told"]:
        wanted = "of a message that two agents were given, each has its own: the other's is not redacted with the one's"
        violated(wanted, f"agent 'other' has {texts(found.messages)}", timeline, *timeline.of(Happened))


def expect_redacted_apart_on_one_manager(session: Session) -> None:
    """Report a violation unless an agent's redaction is of what was said to it, where another one was spoken to since.

    A manager that serves one agent alone may refuse the second one. That an agent has nothing else, of another one, is
    for LIF-08 to ask.

    Raises:
        Violation: What was to be redacted is still there, or what was said to the other agent is not.
    """
    both = [replace(session, agent_id=agent_id) for agent_id in ("first", "second")]
    turns: list[tuple[int, Step]] = [
        (0, Send("my password")),
        (1, Send("said to another agent")),
        (0, Redact("[redacted]")),
    ]
    timelines = _on_one_manager(both, turns)
    for one, said, timeline in zip(both, ("[redacted]", "said to another agent"), timelines, strict=True):
        expect_no_failure(timeline)
        if timeline.of(UserSent):
            found = one.read()
            expect_readable(found, f"for agent {one.agent_id!r}", timeline)
            stored = texts(found.messages)
            if stored.count(said) != 1 or "my password" in stored:
                wanted = (
                    f"a redaction by 'first', after 'second' was spoken to on the same manager: {one.agent_id!r} has"
                    f" {said!r}, and nobody has what was redacted"
                )
                violated(wanted, f"it has {stored}", timeline, *timeline.of(Happened))


def _on_one_manager(agents: Sequence[Session], turns: Sequence[tuple[int, Step]]) -> list[Timeline]:
    """Let agents take turns on one manager, and return what happened to each; nothing to one that it refused.

    Args:
        agents: Each with another ``agent_id``.
        turns: The number of the agent whose turn it is, and what it plays.
    """
    timelines = [Timeline() for _ in agents]

    async def main() -> None:
        manager, there = agents[0].open(), list[Conversation | TextConversation]()
        for one, timeline in zip(agents, timelines, strict=True):
            try:
                there.append(_with(manager, one, timeline))
            except SessionException:
                if not there:
                    raise
        for number, step in turns:
            if number < len(there):
                await there[number].step(step)
        for conversation in there:
            await conversation.play(Script())

    try:
        with tolerating_warnings():
            clock.run(main())
    except Exception as error:
        timelines[0].record(Failed.by("opening the session", error))
    return timelines


def _talk_of(session: Session) -> Script:
    """Return what is said to an agent. Where it streams, somebody else may come in between."""
    script = Script()
    for turn in range(2):
        said = f"{session.agent_id} {turn}"
        script = script.sets_state(session.agent_id, turn).user(said)
        answer = stream(f"answer-{turn}", "text", f"yes, {said}")
        if session.text_agent is not None:
            script = script.assistant(f"yes, {said}")
        else:
            script = script.emits(*answer[:2]).emits(*answer[2:])
    return script


def _with(manager: SessionManager[Any], session: Session, timeline: Timeline) -> Conversation | TextConversation:
    if session.text_agent is not None:
        return TextConversation(session, Script(), timeline=timeline, manager=manager, observing=False)
    return Conversation(session, Script(), timeline=timeline, manager=manager, observing=False)
