"""Ending: a process that reads and talks, and then has nothing more to do."""

from __future__ import annotations

from dataclasses import replace

from session_conformance.harness import Reading, Script, Session, Timeline
from session_conformance.harness.conversations import Conversation, Die, TextConversation, in_fresh_process
from session_conformance.harness.process import Hang, clock, tolerating_warnings
from session_conformance.harness.verdicts import Violation


def read_in_process_that_ends(session: Session) -> Reading:
    """Return what a new process finds stored, which talks in a session of its own, and then ends by itself.

    Raises:
        Violation: It does not end.
    """
    try:
        return Reading.from_json(in_fresh_process(_read_and_talk, session, must_end=True))
    except Hang as hang:
        raise Violation("a process reads, talks in a session of its own, and ends", str(hang), hang.where) from hang


def _read_and_talk(session: Session, _: Die) -> str:
    reading = session.read()
    beside = replace(session, session_id=f"{session.session_id}-beside")
    said = Script().user("one").assistant("two")

    async def main() -> None:
        conversation = TextConversation if beside.text_agent is not None else Conversation
        await conversation(beside, said, timeline=Timeline(), observing=False).play()

    with tolerating_warnings():
        clock.run(main())  # in the main thread: what a thread of the harness's begins is a daemon, as it is one itself
    return reading.to_json()


__all__ = ["read_in_process_that_ends"]
