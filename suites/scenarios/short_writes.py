"""Writes that take only a part of what they are given, as they do on a disk that is nearly full."""

from __future__ import annotations

import hashlib

from session_conformance.harness import NotApplicable, Script, Session, expect_no_failure, play, violated
from session_conformance.harness.backends import looked_at
from session_conformance.harness.process import no_file_can_be_written
from session_conformance.harness.timeline import Acknowledged, Failed, ModelReceived, difference, texts

from .stored_history import expect_readable

_TALK = Script().user("My name is Alice").assistant("Hello Alice").user("And yours?").assistant("I have none")

_LONG = " ".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(40))
"""Longer than what is said next, compressed too: what is left of it must not be taken for a part of that."""

_ROOM = (24, 160, 1600)
"""How many bytes more than it has a file takes, and how many a new file does."""


def expect_rest_written_or_told_of(session: Session) -> None:
    """Let files take only so many bytes while a session goes on, several times, each with another number.

    Raises:
        Violation: A message of which only a part was stored cost what was stored before, or no error reached the
            caller, or the session does not go on when there is room again.
        NotApplicable: None of the writes was cut short: they are not this process's own.
    """
    expect_no_failure(play(session, _TALK, observing=False))
    stored = session.read()
    expect_readable(stored, "after a conversation")
    before = stored.messages
    cut_short = False
    folder = session.workspace.folder
    for room in _ROOM:
        sizes = looked_at(lambda: {path.stat().st_size for path in folder.rglob("*") if path.is_file()})
        for size in (room, *(size + room for size in sorted(sizes)[-3:])):
            what = f"where each file takes {size} bytes and no more"
            with no_file_can_be_written(size):
                timeline = play(session, Script().user(f"This may be cut short, {size}: {_LONG}"), observing=False)
            cut_short = cut_short or bool(timeline.of(Failed))
            refused = bool(timeline.of(Failed)) and not timeline.of(ModelReceived)  # later failures are of other writes
            stored = session.read()
            if stored.error is not None:
                violated(f"{what}, what was stored before stays", f"a reader raised {stored.error}", timeline)
            missing = None if refused else Acknowledged(timeline, at_stop=False).missing(stored, len(timeline) - 1)
            if missing is not None:
                violated(f"{what}, what is said is stored or an error reaches the caller", missing, timeline)
            differs = difference(before, stored.messages[: len(before)])
            if differs is not None:
                violated(f"{what}, what was stored before stays", differs, timeline)
            before = stored.messages
    if not cut_short:
        raise NotApplicable("none of its writes was cut short: they are not this process's own")
    timeline = play(session, Script().user("There is room again"), observing=False)
    expect_no_failure(timeline)
    stored = session.read()
    expect_readable(stored, "after writes were cut short", timeline)
    if "There is room again" not in texts(stored.messages):
        violated("when there is room again, what is said is stored", f"it has {texts(stored.messages)}", timeline)


__all__ = ["expect_rest_written_or_told_of"]
