"""Deletion of sessions: all that belongs to one goes, nothing else, and who had it open brings nothing back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from session_conformance.harness import (
    Conversation,
    NotApplicable,
    Script,
    Session,
    Team,
    Timeline,
    Violation,
    expect_no_failure,
    play,
    violated,
)
from session_conformance.harness.backends import Durability, try_out
from session_conformance.harness.conversations import Die, in_fresh_process, let_go
from session_conformance.harness.process import (
    clock,
    tolerating_warnings,
)
from session_conformance.harness.scripts import NodeWill, Send, SetState, Start, Step, Stop
from session_conformance.harness.sdk import SDK_EXCEPTIONS
from session_conformance.harness.timeline import Failed, ModelStarted, NodeRan, texts

from .session_ids import accepted, say
from .several_writers import acknowledged_by, expect_refused_clearly, told_of
from .stored_history import expect_nothing_kept, expect_texts, find_at_rest, stored_messages
from .whole_sessions import delete, delete_or_refuse

ALIKE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("user_1", ("user_10", "user", "other")),
    ("u*", ("u1", "u2", "u*1")),
    ("u?", ("u1", "u2")),
    ("[ab]", ("a", "b")),
    ("{a,b}", ("a", "b")),
    ("a%", ("ab", "a")),
    ("a_c", ("abc", "a_cd")),
    ("a:b", ("a", "a:b:c", "a:c")),
    ("a#b", ("a", "a#b#c")),
    ("a|b", ("a", "a|b|c")),
    ("a/b", ("a", "a/b/c")),
    ("Maria", ("maria", "MARIA")),
    ("caf\u00e9", ("cafe\u0301", "cafe")),
)
"""Ids that mean more than themselves as a pattern, as a prefix, as a joined key, or to who compares texts as people do,
and those of whom they may mean."""

LONG = 120
"""So many messages have sessions that are deleted whole: what deletes in parts takes 25, or 100, at a time."""

JOINTS = ("#", ":", "|", "/", "#AGENT#", "-", "_", ".", " ", "%", "::", ":agent:", "/agents/agent_")
"""What keys of sessions and agents are joined with in one place or another."""


def expect_only_one_deleted(new_session: Callable[..., Session]) -> None:
    """Delete sessions whose ids are patterns, or beginnings, of others' ids, and report a violation if more is gone.

    An id that is refused, as unusual ones may be, is passed over.
    """
    for id, others in ALIKE:
        session = new_session(id)
        neighbours = [replace(session, session_id=other) for other in others]
        kept = [other for other in neighbours if accepted(say(other, f"I am {other.session_id}"))]
        if not accepted(say(session, f"I am {id}")):
            continue
        delete(session)
        for other in kept:
            expect_texts(other, [f"I am {other.session_id}"], f"when {id!r} is deleted")
        expect_texts(session, [], "after it was deleted")


def expect_apart_where_ids_meet(new_session: Callable[..., Session], *, deleting: bool) -> None:
    """Report a violation if two agents mix whose session's and agent's ids are the same text when they are joined.

    Args:
        new_session: Makes a session in a fresh workspace.
        deleting: Whether the session of one of them is deleted then, and the other one must stay.
    """
    place = new_session()
    for joint in JOINTS[: 5 if deleting else None]:
        one = replace(place, session_id=f"a{joint}b", agent_id="c")
        other = replace(place, session_id="a", agent_id=f"b{joint}c")
        there = []
        for agent in (one, other):
            if accepted(say(agent, f"I am {agent.agent_id!r}")):
                there.append(agent)
        for agent in there:
            expect_texts(agent, [f"I am {agent.agent_id!r}"], "where ids meet when they are joined")
        if deleting and len(there) == 2:
            delete(one)
            expect_texts(one, [], "after it was deleted")
            expect_texts(other, [f"I am {other.agent_id!r}"], f"when {one.session_id!r} is deleted")


def expect_own_where_agents_look_like_keys(new_session: Callable[..., Session]) -> None:
    """Report a violation if an agent whose id looks like the key of another one's message takes its place."""
    place = new_session("keys")
    first = replace(place, agent_id="a")
    said = [f"message {number}" for number in range(3)]
    for text in said:
        say(first, text)
    for id in ("a:msg:0", "a:messages:1", "a:0", "a#0", "a#MESSAGE#0", "a/messages/message_0", "a-0", "a_0", "a:meta"):
        other = replace(place, agent_id=id)
        if accepted(say(other, f"I am {id}")):
            expect_texts(other, [f"I am {id}"], "whose id looks like a key of another one")
        expect_texts(first, said, f"beside an agent {id!r}")


def expect_all_of_it_deleted(session: Session, *, with_teams: bool) -> None:
    """Delete a session of many messages and a tool's result, of two agents with states, and of teams.

    Args:
        session: A new session.
        with_teams: Whether a graph in it stopped at its second node, too.

    Raises:
        Violation: Something of it is there still: in storage, or when it is begun anew.
    """
    one, two = (replace(session, agent_id=agent_id) for agent_id in ("one", "two"))
    graph = replace(session, team=Team("graph"))
    say(replace(session, session_id="other"), "I am another")
    long = Script().sets_state("word", "xylograph").calls("look_up", word="xylograph", returns="a xylograph: a print")
    for number in range(LONG):
        long = long.user(f"xylograph {number}")
    for script, agent in ((long, one), (Script().sets_state("word", "xylograph").user("xylograph"), two)):
        expect_no_failure(play(agent, script, observing=False))
    if with_teams:
        fails = Script().then(NodeWill("write", "fail")).user("Write of a xylograph")
        expect_no_failure(play(graph, fails), allowed=["ScriptedFailure"])
    delete(session)
    expect_nothing_kept(
        "xylograph",
        session.workspace,
        f"a deleted session of {LONG} messages, two agents{' and a graph' * with_teams}",
    )
    for agent in (one, two):
        expect_texts(agent, [], "after it was deleted")
        state = agent.read().state
        if state:
            violated(f"the state of agent {agent.agent_id!r} is deleted with its session", f"it has {state!r}")
    if with_teams:
        timeline = play(graph, Script().user("Write something else"))
        expect_no_failure(timeline)
        begun = [event for event in timeline.of(NodeRan) if event.what == "begins"]
        told = "\n".join(texts([message for start in timeline.of(ModelStarted) for message in start.messages]))
        if [event.node for event in begun] != list(Team("graph").nodes) or "xylograph" in told:
            violated(
                "a graph is deleted with its session: the next one begins at its first node, told of nothing old",
                f"these run: {', '.join(event.node for event in begun) or 'none'}, and are told {told!r:.300}",
                timeline,
                *begun,
            )


def expect_deleted_among_many(sessions: Sequence[Session]) -> None:
    """Delete a few of many sessions, and report a violation if one of those is there still, or another one is gone.

    Args:
        sessions: Sessions of one workspace, each with messages in it.
    """
    for session, other in zip(sessions[::40], sessions[1::40], strict=False):
        kept = texts(stored_messages(other))
        let_go(session)
        delete(session)
        expect_texts(session, [], f"after it was deleted, one of {len(sessions)}")
        expect_texts(other, kept, f"when {session.session_id!r} is deleted, one of {len(sessions)}")


def expect_deleted_by_another(session: Session) -> None:
    """Let another process delete a session that this one has used, and begin it anew.

    Raises:
        Violation: Who opens the session in this process finds, or stores, something else than that process.
    """
    say(session, "before it was deleted")
    let_go(session)
    expect_no_failure(Timeline.from_json(in_fresh_process(_delete_and_begin, session)))
    expect_texts(session, ["anew"], "after another process has deleted it and begun it anew")
    say(session, "and on")
    let_go(session)
    found = json.loads(in_fresh_process(_texts_of, session))
    if found != ["anew", "and on"]:
        violated("another process finds what is said in a session that it has deleted and begun anew", f"{found}")


def _delete_and_begin(session: Session, _: Die) -> str:
    if session.backend.delete is None:  # what a callable opens has to be asked what it can do, and was so elsewhere
        session = replace(session, backend=try_out(session.backend, session.workspace, session.session_id))
    with tolerating_warnings():
        delete_or_refuse(session)
    return play(session, Script().user("anew"), observing=False).to_json()


def _texts_of(session: Session, _: Die) -> str:
    return json.dumps(texts(stored_messages(session)))


def expect_deletion_holds(session: Session, what: str, *steps: Step) -> None:
    """Delete a session that an agent has open, begin it anew, and let the old agent do something.

    Args:
        session: A new session.
        what: What the old agent does, in words.
        steps: What it does, before it stops.

    Raises:
        Violation: The new session has lost something, or has something of the old one; or what the old agent was told
            of since is not stored.
    """
    old, new = Timeline(), Timeline()
    deleted_at = 0

    async def main() -> None:
        nonlocal deleted_at
        outlives = Conversation(session, Script(), timeline=old, observing=False)
        await outlives.step(Start())
        await outlives.step(SetState("whose", "private"))
        for number in range(5):
            await outlives.step(Send(f"private {number}"))
        deleted_at = len(old)
        try:
            await asyncio.to_thread(delete_or_refuse, session)  # it may need a loop of its own
            begins = Conversation(session, Script(), timeline=new, observing=False)
        except SDK_EXCEPTIONS as error:
            raise NotApplicable(f"a session that an agent has open is not deleted and begun anew: {error}") from error
        except Violation:
            raise
        except Exception as error:
            failed = Failed.by("opening a session that was deleted", error)
            new.record(failed)
            violated(
                "a session that was deleted begins anew, or an SDK exception says why not", failed.told, new, failed
            )
        await begins.step(Start())
        await begins.step(SetState("mine", "new"))
        await begins.step(Send("I am new"))
        for step in steps:
            await outlives.step(step)
        await begins.step(Send("I go on"))
        await begins.step(Stop())
        for step in steps:
            if isinstance(step, Send):
                await outlives.step(Send(f"{step.content}, still"))
        await outlives.step(Stop())

    with tolerating_warnings():
        clock.run(main())
    expect_refused_clearly([old, new])
    reading = session.read()
    found = texts(stored_messages(session))
    where = f"where an old agent {what}"
    told = acknowledged_by(new, session.backend.durability)
    wanted = [text for call in told if call.message is not None for text in texts([call.message])]
    if [text for text in found if text in wanted] != wanted:
        violated(f"{where}, the session that was begun anew has {wanted}, which were acknowledged",
                 f"it has {found}", new)  # fmt: skip
    if any("private" in text for text in found) or "private" in str(reading.state):
        violated(f"{where}, nothing comes back of the session that was deleted",
                 f"it has {found} and the state {reading.state}", old)  # fmt: skip
    if wanted and not new.of(Failed) and reading.state.get("mine") != "new":
        violated(f"{where}, the session that was begun anew has its state", f"it has {reading.state}", new)
    if session.backend.durability is not Durability.MESSAGE:
        return  # whether its later messages are stored when it is told of them is not promised
    for call in told_of(old):
        for text in texts([call.message]) if call.message is not None and call.at >= deleted_at else ():
            if text not in found:
                violated(f"{where}, what it was told of is stored: {text!r}", f"the session has {found}", old, call)


def expect_deleted_nowhere_at_rest(session: Session) -> None:
    """Delete a session of a few messages beside another one, and look for their text in the stored bytes.

    Raises:
        Violation: It is there, be it where a database engine has freed it.
    """
    say(replace(session, session_id="other"), "I am another")
    for number in range(3):
        say(session, f"the word is {_DELETED_WORD}, {number}")
    let_go(session)
    delete(session)
    found = find_at_rest(_DELETED_WORD, session.workspace)
    if found is not None:
        violated("what was deleted is nowhere in the stored bytes", f"it is in {found}")


_DELETED_WORD = "sesquipedalian"
_REFUSED_WORD = "quizzaciously"


def expect_refused_nowhere_at_rest(session: Session) -> None:
    """Delete a session that an agent has open, and let the agent say something.

    Raises:
        Violation: It is refused, and what it said lies in the stored bytes, where no deletion looks for it.
        NotApplicable: The session is not deleted meanwhile, or what is said is stored, as it may be.
    """
    timeline = Timeline()

    async def main() -> None:
        outlives = Conversation(session, Script(), timeline=timeline, observing=False)
        await outlives.step(Start())
        await outlives.step(Send("before the deletion"))
        try:
            await asyncio.to_thread(delete_or_refuse, session)
        except SDK_EXCEPTIONS as error:
            raise NotApplicable(f"a session that an agent has open is not deleted: {error}") from error
        await outlives.step(Send(f"my word is {_REFUSED_WORD}"))
        await outlives.step(Stop())

    with tolerating_warnings():
        clock.run(main())
    found = find_at_rest(_REFUSED_WORD, session.workspace)  # before a reader, which may tidy up, opens it
    if not timeline.of(Failed) or any(_REFUSED_WORD in text for text in texts(session.read().messages)):
        raise NotApplicable("what an agent says whose session was deleted is stored, or refused to nobody")
    if found is not None:
        violated("what was refused after a deletion is nowhere in the stored bytes", f"it is in {found}", timeline)


def expect_others_cleaned_up(session: Session) -> None:
    """Damage an old session, and report a violation if clean-up by age then leaves the others.

    Sessions that share what is damaged are not judged. The damaged one may stay.
    """
    remove = session.backend.clean_up
    assert remove is not None
    damaged, other = replace(session, session_id="damaged"), replace(session, session_id="whole")
    before = session.workspace.stored_files()
    say(damaged, "I am damaged")
    own = {path for path in session.workspace.stored_files() if path not in before}
    between = session.workspace.stored_files()
    say(other, "I am whole")
    after = session.workspace.stored_files()
    if not own or any(after.get(path) != between[path] for path in own):
        return
    let_go(session)
    for path in own:
        data = after[path]
        (session.workspace.folder / path).write_bytes(data[: len(data) // 2] + b"\xff\0damaged")
    try:
        remove(timedelta(hours=1), session.workspace, datetime.now(timezone.utc) + timedelta(days=1))
    except SDK_EXCEPTIONS as error:
        refusal = f", and raised {type(error).__name__}: {error}"
    else:
        refusal = ""
    left = texts(stored_messages(other))
    if left:
        violated("an old session is removed beside a damaged one", f"clean-up left {left}{refusal}")


__all__ = [
    "expect_all_of_it_deleted",
    "expect_apart_where_ids_meet",
    "expect_deleted_among_many",
    "expect_deleted_by_another",
    "expect_deleted_nowhere_at_rest",
    "expect_deletion_holds",
    "expect_only_one_deleted",
    "expect_others_cleaned_up",
    "expect_own_where_agents_look_like_keys",
    "expect_refused_nowhere_at_rest",
]
