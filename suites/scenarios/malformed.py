"""Messages that no agent should make, and some do: each is refused, or what is accepted can be restored."""

from __future__ import annotations

import asyncio
from typing import Any

from session_conformance.harness import Script, Session, play, violated
from session_conformance.harness.conversations import Appender, talk
from session_conformance.harness.process import clock, tolerating_warnings, within_limit
from session_conformance.harness.sdk import SDK_EXCEPTIONS
from session_conformance.harness.timeline import AgentStopped, Failed, Timeline, difference, same

from .stored_history import expect_readable, find_same

_ID = "00000000-0000-4000-8000-00000000bad0"

MALFORMED: dict[str, Any] = {
    "a tracking id that is a list": {"role": "user", "content": [{"text": "x"}], "tracking_id": ["t"]},
    "a tracking id that is a number": {"role": "user", "content": [{"text": "x"}], "tracking_id": 7},
    "metadata that are a text": {"role": "user", "content": [{"text": "x"}], "tracking_id": _ID, "metadata": "m"},
    "metadata that are a list": {"role": "user", "content": [{"text": "x"}], "tracking_id": _ID, "metadata": [1]},
    "custom metadata that are null": {
        "role": "user", "content": [{"text": "x"}], "tracking_id": _ID, "metadata": {"custom": None},
    },
    "a message without content": {"role": "user", "tracking_id": _ID},
    "content that is null": {"role": "user", "content": None, "tracking_id": _ID},
    "content that is a text": {"role": "user", "content": "x", "tracking_id": _ID},
    "a block that is a text": {"role": "user", "content": ["x"], "tracking_id": _ID},
    "a message without a role": {"content": [{"text": "x"}], "tracking_id": _ID},
    "a tool use that is null": {"role": "assistant", "content": [{"toolUse": None}], "tracking_id": _ID},
    "a tool result without an id": {
        "role": "user", "content": [{"toolResult": {"status": "success", "content": []}}], "tracking_id": _ID,
    },
}  # fmt: skip

LARGE = "8 MiB in one message"

REFUSALS: tuple[type[Exception], ...] = (ValueError, TypeError, *SDK_EXCEPTIONS)
"""How what cannot be stored is refused."""


def expect_restorable(session: Session) -> None:
    """Store messages of which some are malformed; each is refused, or the session can be restored all the same.

    A good message is stored ahead of each, and one more behind the last. What was refused is taken out of the agent's
    history again, as an application does that goes on.

    Raises:
        Violation: One is refused unclearly, or was accepted and now the session cannot be restored, or has lost a good
            message.
    """
    for name, message in MALFORMED.items():
        place = Session(session.backend, session.workspace, f"{session.session_id}-{list(MALFORMED).index(name)}")
        refused = _append_between(place, name, message)
        found = place.read()
        expect_readable(found, f"after {name} was {'refused' if refused else 'accepted'},")
        for number in (0, 1):
            kept = find_same(talk(number), found.messages)
            if kept is None or difference([talk(number)], [kept]) is not None:
                violated(
                    f"message {number} stays beside {name}, which was {'refused' if refused else 'accepted'}",
                    f"what was stored of it was: {kept}",
                )


def expect_large_or_refused(session: Session) -> None:
    """Store a message of 8 MiB; it comes back equal, or is refused clearly.

    Raises:
        Violation: It is neither, or what was stored beside it is lost.
    """
    large: Any = {"role": "user", "content": [{"text": "0123456789abcdef" * 2**19}], "tracking_id": _ID}
    refused = _append_between(session, LARGE, large)
    found = session.read()
    expect_readable(found, f"after {LARGE} was {'refused' if refused else 'accepted'},")
    wanted = [talk(0), talk(1)] if refused else [talk(0), large, talk(1)]
    differs = difference(wanted, found.messages)
    if differs is not None:
        violated(f"{LARGE} is refused clearly, or comes back equal", differs[:400])


def expect_large_state_or_refused(session: Session) -> None:
    """Set a state of 1 MiB; it comes back equal, or is refused clearly.

    Raises:
        Violation: It is neither.
    """
    script = Script().user("before it").sets_state("large", "0123456789abcdef" * 2**16).user("after it")
    timeline = play(session, script, observing=False)
    found = session.read()
    expect_readable(found, "after a state of 1 MiB was set", timeline)
    for failure in timeline.of(Failed):
        if not failure.is_a(*REFUSALS) or not failure.error.strip():
            what = "a state of 1 MiB is refused with ValueError, TypeError or an SDK exception"
            violated(what, failure.summary, timeline, failure)
    stop = timeline.of(AgentStopped)[-1]
    if not timeline.of(Failed) and not same(stop.state, found.state):
        keys = {key: len(value) for key, value in found.state.items()}
        violated("a state of 1 MiB is refused clearly, or comes back equal", f"lengths by key: {keys}", timeline, stop)


def _append_between(session: Session, name: str, message: Any) -> bool:
    """Store a message between two good ones; return whether it was refused."""

    async def main() -> bool:
        try:
            appender = Appender(session.open())
            await appender.start()
            await appender.append(talk(0))
        except Exception as error:
            timeline = Timeline()
            failed = Failed.by("opening a new session and storing a message", error)
            timeline.record(failed)
            violated("a session is opened beside others, and a message stored in it", failed.told, timeline, failed)
        refused = False
        try:
            await appender.append(message)
        except REFUSALS as error:
            refused = True
            appender.agent.messages.remove(message)
            if not str(error).strip():
                violated(f"the refusal of {name} says why", f"{type(error).__name__} without a text")
        except Exception as error:
            violated(f"{name} is refused with ValueError, TypeError or an SDK exception",
                     f"{type(error).__name__}: {error}")  # fmt: skip
        try:
            await appender.append(talk(1))
            await appender.stop()
        except Exception as error:
            violated(f"after {name} was {'refused' if refused else 'accepted'}, the conversation goes on",
                     f"{type(error).__name__}: {error}")  # fmt: skip
        await asyncio.sleep(0)
        return refused

    with tolerating_warnings():
        return within_limit(lambda: clock.run(main()), f"a conversation with {name}")


__all__ = ["LARGE", "MALFORMED", "expect_large_or_refused", "expect_large_state_or_refused", "expect_restorable"]
