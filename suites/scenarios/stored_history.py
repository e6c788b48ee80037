"""Checks that several groups share: what is stored is what the agent's memory holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence

from session_conformance.harness import Reading, Run, Session, Timeline, Workspace, expect_same, violated
from session_conformance.harness.backends import kept
from session_conformance.harness.sdk import Message
from session_conformance.harness.timeline import AgentAtRest, AgentStopped, Event, difference, one_message, same, texts


def has_block(message: Message, *kinds: str) -> bool:
    """Whether a message has a content block of one of these kinds."""
    return any(kind in block for block in message["content"] for kind in kinds)


def find_same(message: Message, messages: Iterable[Message]) -> Message | None:
    """Return the message with the same tracking id, or None."""
    return next((other for other in messages if other.get("tracking_id") == message.get("tracking_id")), None)


def expect_readable(reading: Reading, when: str, timeline: Timeline | None = None, *at: Event) -> None:
    """Report a violation if the session could not be read.

    Raises:
        Violation: A reader raised.
    """
    if reading.error is not None:
        violated(f"{when} the session can be read", f"a reader raised {reading.error}", timeline, *at)


def expect_stored(message: Message, stored: Sequence[Message], what: str, timeline: Timeline, *at: Event) -> None:
    """Report a violation unless a message is stored exactly as it is.

    Raises:
        Violation: It is missing, or stored otherwise.
    """
    found = find_same(message, stored)
    if found is None or difference([message], [found]) is not None:
        violated(f"{one_message(message)} {what}", f"what was stored of it was: {one_message(found)}", timeline, *at)


def expect_stored_as_in_memory(run: Run) -> None:
    """Report a violation unless, at each stop, history and state were stored as they were in memory.

    Raises:
        Violation: They were not.
    """
    for stop in run.timeline.of(AgentStopped):
        stored = stop.stored if stop.stored is not None else run.stored
        when = "at rest" if isinstance(stop, AgentAtRest) else "after stop()"
        expect_readable(stored, when, run.timeline, stop)
        expect_same(stop.memory, stored.messages, f"{when} the history is stored as in memory", run.timeline, stop)
        if not same(stop.state, stored.state):
            violated(
                f"{when} the state is stored as in memory: {stop.state!r}",
                f"the stored state is {stored.state!r}",
                run.timeline,
                stop,
            )


def expect_nowhere_at_rest(text: str, run: Run, *at: Event) -> None:
    """Report a violation if a text lies in the stored bytes, in whatever form.

    Raises:
        Violation: It does.
    """
    found = find_at_rest(text, run.session.workspace)
    if found is not None:
        violated("the redacted text is nowhere in the stored bytes", f"it is in {found}", run.timeline, *at)


def find_at_rest(text: str, workspace: Workspace) -> str | None:
    """Say where a text lies in the stored bytes, in whatever form, or return None where it lies nowhere."""
    return _find_in(workspace.stored(), text)


def expect_nothing_kept(text: str, workspace: Workspace, what: str) -> None:
    """Report a violation if a text is kept.

    Args:
        text: What was said in a session that was deleted.
        workspace: Where it was.
        what: What leaves nothing stored.

    Raises:
        Violation: It is.
    """
    found = find_kept(text, workspace)
    if found is not None:
        violated(f"{what} leaves nothing stored", f"its text is still in {found}")


def find_kept(text: str, workspace: Workspace) -> str | None:
    """Say where a text is kept, in whatever form, or return None: in a file, an object, a table or a key.

    What database engines have freed, and not yet used for something else, is not kept: ``find_at_rest()`` finds it.
    """
    stored = (kept(workspace.stored()), *(place.contents() for place in workspace.places))
    return next((found for each in stored if (found := _find_in(each, text))), None)


def expect_texts(session: Session, wanted: list[str], when: str) -> None:
    """Report a violation unless a session can be read and has these texts."""
    found = texts(stored_messages(session))
    if found != wanted:
        violated(f"session {session.session_id!r} (agent {session.agent_id!r}) has {wanted} {when}", f"it has {found}")


def stored_messages(session: Session) -> list[Message]:
    """Return the messages of a session, and report a violation if it cannot be read."""
    reading = session.read()
    if reading.error is not None:
        violated(f"session {session.session_id!r} can be read", f"a reader raised {reading.error}")
    return reading.messages


def _find_in(stored: Mapping[str, bytes], text: str) -> str | None:
    for path, data in stored.items():
        for form, needle in _forms_of(text).items():
            if needle in data:
                return f"{path}, {form}, at byte {data.index(needle)}"
    return None


def _forms_of(text: str) -> dict[str, bytes]:
    """Return the ways in which a text may lie in a file."""
    forms = {
        "as text": text.encode(),
        "as JSON": json.dumps(text)[1:-1].encode(),
        "as UTF-16": text.encode("utf-16-le"),
    }
    for shift in range(3):  # the three ways in which it can fall into base64's groups of three bytes
        encoded = base64.b64encode(b"\0" * shift + text.encode())
        forms[f"in base64, shifted by {shift}"] = encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
    return forms
