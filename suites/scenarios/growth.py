"""Growth: what storage keeps of what is there no more, as older states and deleted sessions."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from session_conformance.harness import Script, Session, Team, Timeline, Violation, expect_no_failure, play, violated
from session_conformance.harness.models import ScriptedBidiModel
from session_conformance.harness.process import tolerating_warnings
from session_conformance.harness.sdk import BidiAgent, sync_voice_agent

from .session_ids import say
from .stored_history import expect_readable
from .whole_sessions import delete


def expect_no_growth_without_content(session: Session, updates: int, size: int) -> None:
    """Change an agent's state again and again; what is stored stays below half of all that was ever written.

    A log may keep many versions, and a database that keeps a log of its own has megabytes of it, before they fold
    them. What grows on and on reaches any bound.

    Raises:
        Violation: More is stored, or an update is refused.
    """
    with tolerating_warnings():
        manager = session.open()
        agent = BidiAgent(
            model=ScriptedBidiModel(Timeline()), agent_id=session.agent_id, session_manager=manager, hooks=[]
        )
        for number in range(updates):
            agent.state.set("place", f"{number:06}" + chr(97 + number % 26) * size)
            try:
                sync_voice_agent(manager, agent)
            except Exception as error:
                told = f"sync_agent() raises {type(error).__name__} at update {number}: {error}"
                raise Violation(f"a state that is updated {updates} times is stored each time", told) from error
    stored = session.workspace.bytes_stored()
    if stored > updates * size / 2:
        violated(
            f"a state of {size:,} bytes that was updated {updates} times does not keep all its versions for good",
            f"{stored:,} bytes are stored",
        )
    found = session.read()
    expect_readable(found, f"after its state was updated {updates} times")
    if found.state != agent.state.get():
        violated("the latest state is restored", f"it is that of update {str(found.state.get('place'))[:6]!r}")


def expect_no_growth_with_deletions(session: Session, count: int, size: int, *, with_teams: bool) -> None:
    """Begin and delete sessions, again and again; what is stored stays below half of what any one kind of content was.

    What lies in objects that sessions have in common cannot be looked for by its text: an engine may write over the
    place of what was deleted only later. But then it does, and what it keeps has a bound.

    Args:
        session: A new session.
        count: How many sessions are deleted for each kind of content: messages, tools' results, states, teams.
        size: How many characters one of them has of it.
        with_teams: Whether a graph's task is content, too.

    Raises:
        Violation: More is stored.
    """
    say(replace(session, session_id="another"), "I stay here")
    there = session.workspace.stored()
    say(session, "I do not")
    now = session.workspace.stored()
    if all(now.get(path) == data for path, data in there.items()):
        return  # no object is shared: whether one of a deleted session stays is for CLN-01 to see
    random = Random(18)
    for kind in ("messages", "tools' results", "states", *(["teams"] if with_teams else [])):
        before = session.workspace.bytes_stored()
        for number in range(count):
            text = random.randbytes(size // 2).hex()
            one = replace(session, session_id=f"{kind.split()[-1]}-{number}")
            script = {
                "messages": Script().user(text),
                "tools' results": Script().user("look").calls("look_up", returns=text),
                "states": Script().sets_state("place", text).user("look"),
                "teams": Script().user(text),
            }[kind]
            one = replace(one, team=Team("graph")) if kind == "teams" else one
            expect_no_failure(play(one, script, observing=False))
            delete(one)
        grown = session.workspace.bytes_stored() - before
        if grown > count * size / 2:
            violated(
                f"what {count} deleted sessions had in their {kind}, {size:,} bytes each, is not stored for good",
                f"{grown:,} bytes more are stored than before they were begun",
            )


__all__ = ["expect_no_growth_with_deletions", "expect_no_growth_without_content"]
