"""What is left of a session whose server lets it expire (TTL): all of it, or nothing."""

from __future__ import annotations

from session_conformance.harness import NotApplicable, Script, Session, expect_no_failure, play, violated
from session_conformance.harness.timeline import texts

from .stored_history import expect_readable

_SAID = ["one", "two", "three", "four"]
_PART = 0.6
"""How much of its time passes at once: twice that is more than all, counted from the first message alone."""


def expect_whole_or_nothing(session: Session) -> str:
    """Say something twice, with most of a session's time between and afterwards, and look at what is left each time.

    What expires by itself is what the server says does, and it is the server that lets time pass: what is stored is
    made older.

    Returns:
        What expires, and when, in a few words.

    Raises:
        Violation: A part of the session is left, it came back after it was gone, or it stays for ever.
        NotApplicable: Nothing of it expires.
    """
    expect_no_failure(play(session, Script().user("one").assistant("two"), observing=False))
    places = session.workspace.places
    lifetimes = [seconds for place in places for seconds in place.lifetimes]
    if not lifetimes:
        raise NotApplicable("nothing that it stores expires by itself: give its own argument for that, if it has one")
    whole_s = max(lifetimes)
    for place in places:
        place.age(whole_s * _PART)
    before = _found(session, "when a part of its time is over", _SAID[:2])
    expect_no_failure(play(session, Script().user("three").assistant("four"), observing=False))
    for place in places:
        place.age(whole_s * _PART)
    when = "when its time is over since its first message, and not since its last one"
    since = _SAID if before else _SAID[2:]
    first, again = _found(session, when, since), _found(session, when, since)
    if again and not first:
        violated("a session that has expired stays away", f"it was gone, and the next reading has {again}")
    for _ in range(2):  # the first lets what readings have renewed expire
        for place in places:
            place.age(whole_s * 2)
    _found(session, "long after its time is over", [])
    return f"what it stores expires after {whole_s:,.0f} s"


def _found(session: Session, when: str, whole: list[str]) -> list[str]:
    """Return what is restored: all, or nothing."""
    reading = session.read()
    expect_readable(reading, when)
    found = texts(reading.messages)
    if found not in (whole, []):
        violated(f"{when}, a session is there whole ({whole}), or not at all", f"there is {found}")
    return found


__all__ = ["expect_whole_or_nothing"]
