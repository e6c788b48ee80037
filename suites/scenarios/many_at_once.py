"""One hundred sessions at once in one process, and what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from session_conformance.harness import Conversation, Reading, Script, Session, Timeline
from session_conformance.harness.process import clock
from session_conformance.harness.timeline import Failed


@dataclass(frozen=True)
class OneOfMany:
    """A session that had its conversation at the same time as others.

    Attributes:
        session: The session, in a workspace that it has in common with the others.
        timeline: What happened.
        reading: What was stored when all of them were over.
    """

    session: Session
    timeline: Timeline
    reading: Reading


def hundred_sessions(new_session: Callable[[], Session]) -> list[OneOfMany]:
    """Let one hundred sessions have a conversation each, all at once, in one process."""
    place = new_session()
    sessions = [replace(place, session_id=f"session-{number}") for number in range(100)]
    timelines = [Timeline() for _ in sessions]

    async def talk(session: Session, timeline: Timeline) -> None:
        script = Script().user(f"I am {session.session_id}").user(f"Goodbye from {session.session_id}")
        try:
            conversation = Conversation(session, script, timeline=timeline, observing=False)
        except Exception as error:
            timeline.record(Failed.by("opening the session", error))
        else:
            await conversation.play()

    async def main() -> None:
        await asyncio.gather(*map(talk, sessions, timelines))

    clock.run(main())
    return [OneOfMany(session, timeline, session.read()) for session, timeline in zip(sessions, timelines, strict=True)]


__all__ = ["OneOfMany", "hundred_sessions"]
