"""A long state: more than fits into a column for texts."""

from __future__ import annotations

from session_conformance.harness import Script, Session, play, violated
from session_conformance.harness.timeline import Failed

from .stored_history import expect_readable

_LONG = "".join(f"{number:07d}" for number in range(10_000))
"""A text of 70,000 characters: TEXT in MySQL and MariaDB has room for 65,535, and cuts off the rest where it is lax."""


def expect_long_state_restored(session: Session) -> None:
    """Let an agent keep a long text in its state, and report a violation if not all of it comes back.

    Who has no room for it and says so is right: how that is said, CNT-06 asks.
    """
    for text in (_LONG, _LONG[::-1]):
        if play(session, Script().sets_state("notes", text).user("note that"), observing=False).of(Failed):
            return
        found = session.read()
        expect_readable(found, "with a long state")
        notes = (found.state or {}).get("notes")
        if notes != text:
            told = f"another of {len(notes)}" if isinstance(notes, str) else f"{type(notes).__name__}"
            violated(f"a text of {len(text)} characters in the state is restored", f"what is restored is {told}")


__all__ = ["expect_long_state_restored"]
