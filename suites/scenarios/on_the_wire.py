"""What is played and judged where something goes wrong between a manager and its server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from session_conformance.harness import (
    Conversation,
    Reading,
    Script,
    Session,
    Timeline,
    expect_no_failure,
    play,
    violated,
)
from session_conformance.harness.process import clock, tolerating_warnings, within_limit
from session_conformance.harness.s3 import without_pauses
from session_conformance.harness.scripts import Start, Stop
from session_conformance.harness.sdk import Message
from session_conformance.harness.services import Met, Seam, Traffic, WireFault
from session_conformance.harness.timeline import AgentStopped, Failed, HookCalled, one_message

from .places import StorageFault
from .stored_history import expect_readable

TALK = (
    Script()
    .user("Good morning")
    .assistant("Good morning to you")
    .calls("weather", city="Paris", returns="Sunny")
    .restarts_process()
    .user("I am back")
    .assistant("Welcome back")
)
"""What is said while something goes wrong: a life of a session, and a second one that begins with a restore."""

LOOP_LIMIT_S = 3.0
"""In seconds of real time: an event loop that has not turned by then is held up. It turns in microseconds."""


Faults = Callable[[int, bytes], "WireFault | None"]
"""Given an exchange's number, counted from 0, and what its request begins with, says what shall go wrong with it."""


def seams_of(session: Session) -> list[Seam]:
    """Return the seams between a session's workspace and its servers."""
    return [place.seam for place in session.workspace.places]


@contextmanager
def faults(session: Session, choose: Faults) -> Iterator[Met]:
    """Let exchanges of a session's workspace fail, counted over all its servers."""
    met, lock = Met(), threading.Lock()

    def count(seam: Seam, _: int) -> WireFault | None:
        with lock:
            fault = choose(met.exchanges, seam.latest_request)
            met.requests.append(seam.latest_request)
            met.exchanges += 1
            met.faults += fault is not None
        return fault

    with ExitStack() as stack:
        if any(place.service.name == "dynamodb" for place in session.workspace.places):
            stack.enter_context(without_pauses())
        for seam in seams_of(session):
            stack.enter_context(seam.faults(partial(count, seam)))
        yield met


def refusing_writes(session: Session) -> StorageFault | None:
    """Return what lets a session's server answer each write with an error; None where it is not made to do so."""
    places = session.workspace.places
    if len(places) != 1:
        return None
    refusing = places[0].service.refusing_writes(places[0].database)
    return None if refusing is None else lambda: refusing


@contextmanager
def traffic(session: Session) -> Iterator[list[Traffic]]:
    """Say what goes over the seams during a while: the list has one entry, when the while is over."""
    found: list[Traffic] = []
    with ExitStack() as stack:
        records = [stack.enter_context(seam.recording()) for seam in seams_of(session)]
        yield found
    found.append(sum_of([record.traffic for record in records]))


def sum_of(parts: list[Traffic]) -> Traffic:
    """Return what went over several seams."""
    total = Traffic()
    for part in parts:
        total = Traffic(
            total.connections + part.connections,
            total.exchanges + part.exchanges,
            total.sent + part.sent,
            total.received + part.received,
        )
    return total


@dataclass(frozen=True)
class Calm:
    """The talk where nothing goes wrong.

    Attributes:
        exchanges: How many exchanges it takes.
        requests: What the request of each of them began with.
        reading: What is stored at its end.
    """

    exchanges: int
    requests: Sequence[bytes]
    reading: Reading


def calm_talk(new_session: Callable[[], Session]) -> Calm:
    """Play the talk where nothing goes wrong."""
    session = new_session()
    with faults(session, lambda number, request: None) as met:
        timeline = play(session, TALK, observing=False)
    expect_no_failure(timeline)
    reading = session.read()
    expect_readable(reading, "where nothing goes wrong", timeline)
    return Calm(met.exchanges, met.requests, reading)


def expect_nothing_lost_or_doubled(session: Session, timeline: Timeline, calm: Calm, where: str) -> None:
    """Report a violation if a fault cost a message that nobody was told of, or left one twice.

    Where an error reached the caller, the message under way may be missing; what was told of before is there. Where
    none did, all is stored as where nothing goes wrong.

    Raises:
        Violation: Something is lost, doubled, in another order, or cannot be read.
    """
    reading = within_limit(session.read, "restoring")
    expect_readable(reading, f"afterwards, {where},", timeline)
    expect_once_and_in_order(timeline, reading, where)
    failures = timeline.of(Failed)
    if not failures:
        if said(reading.messages) != said(calm.reading.messages):
            violated(
                f"{where}, an error reaches the caller, or all is stored: {'; '.join(shown(calm.reading.messages))}",
                f"no error did, and what is stored is: {'; '.join(shown(reading.messages)) or 'nothing'}",
                timeline,
            )
        return
    stored = {message.get("tracking_id") for message in reading.messages}
    for message in told_before(timeline, failures[0])[:-1]:  # the last one may be the one that was under way
        if message.get("tracking_id") not in stored:
            violated(
                f"{where}, what was told of before the error is stored",
                f"{one_message(message)} is not; what is stored is: {'; '.join(shown(reading.messages)) or 'nothing'}",
                timeline,
                failures[0],
            )


def expect_once_and_in_order(timeline: Timeline, reading: Reading, where: str) -> None:
    """Report a violation if messages are stored twice, or in another order than they were said.

    Raises:
        Violation: They are.
    """
    told: list[str | None] = []
    for call in timeline.of(HookCalled):
        id = call.message.get("tracking_id") if call.message is not None else None
        if id is not None and id not in told:
            told.append(id)
    ids = [message.get("tracking_id") for message in reading.messages]
    doubled = [message for number, message in enumerate(reading.messages) if ids[number] in ids[:number]]
    if doubled:
        violated(f"{where}, each message is stored once", f"{one_message(doubled[0])} is stored twice", timeline)
    # What failed is told of to nobody, and may be stored with the next message, where memory has it.
    memories = [[message.get("tracking_id") for message in stop.memory] for stop in timeline.of(AgentStopped)]
    for order in (told, *memories):
        known = [id for id in ids if id in order]
        if known != sorted(known, key=order.index):
            violated(f"{where}, the order stays", f"what is stored is: {'; '.join(shown(reading.messages))}", timeline)


def not_told_of(timeline: Timeline, reading: Reading) -> list[Message]:
    """Return the messages that were restored and that no hook was told of, but for results of tools.

    A restore may make those up, and a manager may store them together with what asks for them.
    """
    told = {call.message.get("tracking_id") for call in timeline.of(HookCalled) if call.message is not None}
    return [
        message
        for message in reading.messages
        if message.get("tracking_id") not in told and not any("toolResult" in block for block in message["content"])
    ]


def told_before(timeline: Timeline, failure: Failed) -> list[Message]:
    """Return the messages that hooks were told of before an error, each once."""
    told: dict[str | None, Message] = {}
    for call in timeline.of(HookCalled):
        if call.at < failure.at and call.message is not None:
            told.setdefault(call.message.get("tracking_id"), call.message)
    return list(told.values())


def said(messages: list[Message]) -> list[tuple[str, object]]:
    """Return what is the same each time that a script is played: not the ids that agents give to messages."""
    return [(message["role"], message["content"]) for message in messages]


def shown(messages: list[Message]) -> list[str]:
    """Return messages as reports show them."""
    return [one_message(message) for message in messages]


def loop_goes_on(new_session: Callable[[], Session]) -> None:
    """Hold each answer until the event loop has turned once more: one that is blocked by the wait for it never does.

    Raises:
        Violation: The loop was held up, or the conversation failed.
    """
    session = new_session()
    blocked: list[int] = []
    over = threading.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def let_go(seam: Seam) -> None:
            while not over.is_set():
                if seam.wait_for_held(_LOOK_S) and not over.is_set():
                    turned = threading.Event()
                    loop.call_soon_threadsafe(turned.set)
                    if not turned.wait(LOOP_LIMIT_S):
                        blocked.append(1)
                        over.set()
                    seam.release()

        conversation = Conversation(session, Script(), observing=False)
        await conversation.step(Start())
        with faults(session, lambda number, request: None if over.is_set() else WireFault.HELD):
            watching = [threading.Thread(target=let_go, args=(seam,), daemon=True) for seam in seams_of(session)]
            for thread in watching:
                thread.start()
            try:
                for step in Script().user("one").assistant("two").user("three").steps:
                    await conversation.step(step)
            finally:
                over.set()
        await conversation.step(Stop())
        if blocked:
            violated("while a request to its server has no answer yet, the event loop goes on", "it stands still")
        for failure in conversation.timeline.of(Failed):
            violated("the conversation goes on without an error", failure.summary, conversation.timeline, failure)

    with tolerating_warnings():
        clock.run(main())


_LOOK_S = 0.05
"""In seconds: how often the thread that lets answers go looks whether the conversation is over."""
