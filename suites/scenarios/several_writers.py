"""Several writers of one session whose steps lie between each other's in one certain order."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from session_conformance.harness import (
    Conversation,
    Reading,
    Script,
    Session,
    Timeline,
    ToolCall,
    expect_no_failure,
    play,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.conversations import Die, in_fresh_process
from session_conformance.harness.faults import is_end_of_turn
from session_conformance.harness.process import (
    HANG_LIMIT_S,
    SYNCING,
    before_file_calls,
    clock,
    skew_clock,
    tolerating_warnings,
    within_limit,
)
from session_conformance.harness.scripts import CallTools, Emit, Release, Send, SetState, Start, Stop, stream
from session_conformance.harness.sdk import SDK_EXCEPTIONS, Message
from session_conformance.harness.timeline import AgentStopped, Failed, HookCalled, ModelStarted, texts, unpaired_tools

from .stored_history import expect_readable, expect_stored
from .tool_results import results_of
from .whole_sessions import delete_or_refuse

LET_GO_S = 0.5
"""Seconds after which a writer that is held is let go: the other one may wait for it, as it may."""


def told_of(timeline: Timeline, event: str = "message_added") -> list[HookCalled]:
    """Return the calls by which the earliest hook was told of messages: what they tell of is acknowledged."""
    return [call for call in timeline.hooks(event) if call.position == "early" and call.message is not None]


def acknowledged_by(timeline: Timeline, promise: Durability, event: str = "message_added") -> list[HookCalled]:
    """Return the calls by which hooks were told of what is promised to be stored.

    A writer that promises less than each message, and is refused before a turn has ended, has acknowledged nothing of
    that turn: the refusal is what its caller is told.
    """
    told = told_of(timeline, event)
    if promise is Durability.MESSAGE:
        return told
    failures = [failure.at for failure in timeline.of(Failed)]
    ends = [
        at.at
        for at in timeline
        if is_end_of_turn(at)
        and (promise is Durability.TURN or isinstance(at, AgentStopped))
        and not any(failed <= at.at for failed in failures)
    ]
    return [call for call in told if ends and call.at <= ends[-1]]


def expect_refused_clearly(timelines: Iterable[Timeline]) -> None:
    """Report a violation unless whatever was refused was refused with an exception of the SDK.

    Raises:
        Violation: Something was refused otherwise.
    """
    for timeline in timelines:
        for failure in timeline.of(Failed):
            if not failure.is_a(*SDK_EXCEPTIONS):
                violated("a conflict is refused with an SDK exception", failure.summary, timeline, failure)


def expect_kept(session: Session, timelines: Iterable[Timeline], how: str) -> None:
    """Report a violation unless what each of several writers was told of is stored once, in its order.

    Args:
        session: The session that they wrote, when all is over.
        timelines: What happened to each writer.
        how: How they wrote, in words.

    Raises:
        Violation: It is not, or the session cannot be read.
    """
    stored = session.read()
    if stored.error is not None:
        violated(f"after two processes wrote one session, {how}, it can be read", f"a reader raised {stored.error}")
    for timeline in timelines:
        places = []
        for call in acknowledged_by(timeline, session.backend.durability):
            text = texts([_message(call)])[0]
            found = [index for index, message in enumerate(stored.messages) if texts([message]) == [text]]
            if len(found) != 1:
                violated(
                    f"a message that was acknowledged is stored once, two processes {how}: {text!r}",
                    f"it is stored {len(found)} times; stored is {texts(stored.messages)}",
                    timeline,
                    call,
                )
            places += found
        if places != sorted(places):
            violated(
                f"the messages of each of two processes {how} keep their order",
                f"they are stored at the places {places}",
                timeline,
            )


def expect_update_kept(session: Session) -> None:
    """Let one writer complete a message that another one restored while it was pending, and that writes then.

    Raises:
        Violation: The text that the hooks of the first were told of is not stored.
    """
    one, two, promise = Timeline(), Timeline(), session.backend.durability
    begun = stream("said", "text", "Hello Alice")
    readings: list[Reading] = []

    async def main() -> None:
        first = await begin(session, one)
        if first is None:
            return
        await first.step(Send("hello"))
        await first.step(Emit(tuple(begun[:-1])))
        second = await begin(session, two)
        await first.step(Emit(tuple(begun[-1:])))
        if second is not None:
            await second.step(SetState("seen", True))
            await second.step(Stop())
            del second
            if promise is Durability.MESSAGE:
                readings.append(session.read())
        await first.step(Stop())

    _run(main)
    expect_refused_clearly([one, two])
    readings.append(session.read())
    if readings[-1].error is not None:
        violated("a session that two writers have open can be read", f"a reader raised {readings[-1].error}", two)
    for reading in readings:
        for call in acknowledged_by(one, promise, "message_updated") if reading.error is None else ():
            what = "is what is stored, whoever restored what it has replaced, and writes"
            expect_stored(_message(call), reading.messages, what, one, call)


HoldFirstWrite = Callable[[Callable[[], object]], "AbstractContextManager[None]"]
"""Returns a context in which what it is given is done ahead of a write to storage."""


@dataclass
class Meanwhile:
    """What became of a session while a writer had it open: what must be stored after that, and what must not."""

    kept: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    timelines: list[Timeline] = field(default_factory=list)


def expect_late_writer_kept(session: Session, what: str, change: Callable[[Session, Meanwhile], object]) -> None:
    """Let a writer open a session, and write only after another one changed it, once and twice.

    Once and twice are two cases: a file system may give the second new file what it gave the old one.

    Args:
        session: A new session.
        what: What the other one does, in words.
        change: Does it, and notes what must be stored after it.

    Raises:
        Violation: Something that somebody was told of is lost, or something that was removed comes back.
    """
    for times in (1, 2):
        place = replace(session, session_id=f"{session.session_id}-{times}")
        expect_no_failure(play(place, Script().user("before"), observing=False))
        so_far, late = Meanwhile(kept=["before"]), Timeline()

        async def main(place: Session = place, so_far: Meanwhile = so_far, late: Timeline = late) -> None:
            writer = await begin(place, late)
            for _ in range(times):  # noqa: B023 - it is awaited before the next one
                await asyncio.to_thread(change, place, so_far)
            if writer is not None:
                await writer.step(Send("late 0"))
                await writer.step(Send("late 1"))
                await writer.step(Stop())

        _run(main)
        how = f"one of them after the other one {what}"
        expect_refused_clearly([late])
        expect_kept(place, [late], how)
        said = texts(place.read().messages)
        for text in so_far.kept:
            if said.count(text) != 1:
                violated(f"{how}: {text!r} is stored, once", f"stored is {said}", late)
        for text in so_far.gone:
            if text in said:
                violated(f"{how}: {text!r} stays away", f"stored is {said}", late)


def redacts(session: Session, so_far: Meanwhile) -> None:
    """Let another writer say something, and something that is redacted."""
    number = len(so_far.timelines)
    secret = f"a secret {number}"
    script = Script().user(f"meanwhile {number}").user(secret).redacts(f"[redacted {number}]")
    timeline = play(session, script, observing=False)
    so_far.timelines.append(timeline)
    if not timeline.of(Failed):
        so_far.kept += [f"meanwhile {number}", f"[redacted {number}]"]
        so_far.gone.append(secret)


def begins_anew(session: Session, so_far: Meanwhile) -> None:
    """Delete the session and begin it anew, where that can be done while somebody has it open."""
    try:
        delete_or_refuse(session)
    except SDK_EXCEPTIONS:
        return  # what is open is not deleted
    so_far.gone += so_far.kept
    so_far.kept = []
    timeline = play(session, Script().user(f"anew {len(so_far.timelines)}"), observing=False)
    so_far.timelines.append(timeline)
    told = acknowledged_by(timeline, session.backend.durability)
    so_far.kept += [text for call in told for text in texts([_message(call)])]


def expect_kept_where_a_sync_fails(session: Session) -> None:
    """Let a writer's sync fail right after another one has read what it had written; both go on.

    Each sync of one message fails in turn, up to the third. Where the backend syncs nothing through Python's ``os``,
    nothing fails.

    Raises:
        Violation: Something that one of them was told of is lost.
    """
    for number in range(3):
        place = replace(session, session_id=f"{session.session_id}-{number}")
        one, failing = Timeline(), _Once(number)
        other = OtherWriter(place)

        def fail(*_: object, other: OtherWriter = other, failing: _Once = failing) -> None:
            if failing.now():
                other.read()
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        async def main(place: Session = place, one: Timeline = one, other: OtherWriter = other,
                       fail: Callable[..., object] = fail) -> None:  # fmt: skip
            first = await begin(place, one)
            if first is None:
                return
            await first.step(Send("one 0"))
            with before_file_calls(SYNCING, fail):
                await first.step(Send("one 1"))
            await asyncio.to_thread(other.write)
            await first.step(Send("one 2"))
            await first.step(Stop())

        _run(main)
        how = "one of them reading and writing while a sync of the other one fails"
        expect_kept(place, [one, other.timeline], how)
        if not failing.has_been:
            return


class OtherWriter:
    """A writer that opens a session at one moment, and writes at another, in a thread and an event loop of its own."""

    def __init__(self, session: Session) -> None:
        self.timeline = Timeline()
        self._session = session
        self._has_read = threading.Event()
        self._may_write = threading.Event()
        self._thread = threading.Thread(target=_run, args=[self._main], daemon=True)

    def read(self) -> None:
        """Open the session; return when that is done, or when it may be that it waits for this thread."""
        self._thread.start()
        self._has_read.wait(LET_GO_S)

    def write(self, limit_s: float = HANG_LIMIT_S) -> None:
        """Write two messages, and stop; return when that is done, or after so many seconds."""
        self._may_write.set()
        if self._thread.ident is not None:
            self._thread.join(limit_s)

    async def _main(self) -> None:
        writer = await begin(self._session, self.timeline)
        self._has_read.set()
        await asyncio.to_thread(self._may_write.wait, HANG_LIMIT_S)
        if writer is not None:
            for number in range(2):
                await writer.step(Send(f"two {number}"))
            await writer.step(Stop())


def expect_beginnings_kept(session: Session, hold_first_write: HoldFirstWrite) -> None:
    """Let a process that begins a session be held ahead of its first write, while another one begins it and writes.

    Args:
        session: A new session.
        hold_first_write: Returns a context in which the first write to storage waits for what it is given.

    Raises:
        Violation: What one of them was told of is lost.
    """
    one, two = Timeline(), Timeline()

    def write(name: str, timeline: Timeline) -> None:
        async def main() -> None:
            writer = await begin(session, timeline)
            if writer is not None:
                for number in range(2):
                    await writer.step(Send(f"{name} {number}"))
                await writer.step(Stop())

        _run(main)

    failing = _Once(0)

    def meanwhile() -> None:
        if failing.now():
            _in_thread(lambda: write("two", two))

    with hold_first_write(meanwhile):
        write("one", one)
    expect_kept(session, [one, two], "one of them held between its look and its first write")


def expect_order_whatever_clocks_say(session: Session) -> None:
    """Let processes whose clocks differ by minutes go on with a session in turn.

    Raises:
        Violation: The messages are not stored in the order in which they were said.
    """
    said = []
    for number, ahead_s in enumerate((0, -600, 0, 240, 0)):
        said.append(f"message {number}, with a clock {ahead_s:+} s ahead")
        # A process of its own also where its clock is right: this one could still have open what it alone may have.
        expect_no_failure(Timeline.from_json(in_fresh_process(_say_with_clock, session, said[-1], ahead_s)))
    found = session.read()
    expect_readable(found, "after processes whose clocks differ")
    if texts(found.messages) != said:
        violated(f"messages are in the order in which they were said: {said}", f"they are {texts(found.messages)}")


def _say_with_clock(session: Session, _: Die, text: str, ahead_s: float) -> str:
    if ahead_s:
        skew_clock(ahead_s)
    return play(session, Script().user(text), observing=False).to_json()


def expect_merged_to_be_accepted(session: Session) -> None:
    """Let one writer speak while a tool of the other one runs; then a third one goes on with both their turns.

    Raises:
        Violation: What the third one's model is given is no history that a model accepts, or lacks what was told of.
    """
    one, two = Timeline(), Timeline()
    call = ToolCall("note", {"text": "milk"}, "note-1", result="noted", held=True)
    script = Script().calls_together(call)

    async def main() -> None:
        first = await begin(session, one, script)
        if first is None:
            return
        await first.step(Send("one 0"))
        second = await begin(session, two)
        await first.step(CallTools((call,)))
        if second is not None:
            await second.step(Send("two 0"))
            await second.step(Emit(tuple(stream("two", "text", "answer to two 0"))))
        await first.step(Release("note-1"))
        await first.step(Send("one 1"))
        if second is not None:
            await second.step(Send("two 1"))
            await second.step(Stop())
        await first.step(Stop())

    _run(main)
    third = play(session, Script().user("three 0"), observing=False)
    expect_no_failure(third)
    [start] = third.of(ModelStarted)
    unpaired = unpaired_tools(start.messages)
    if unpaired is not None:
        violated("after two writers' turns a model accepts the history", unpaired, third, start)
    for timeline in (one, two):
        told = _latest_told_of(timeline)
        for latest in told:
            _expect_in_history(latest, start, timeline, _uses_in([_message(one) for one in told]))


def _latest_told_of(timeline: Timeline) -> list[HookCalled]:
    """Return the last call, for each message, by which the earliest hook was told of it."""
    calls = [*told_of(timeline), *told_of(timeline, "message_updated")]
    return list({_message(call).get("tracking_id"): call for call in sorted(calls, key=lambda call: call.at)}.values())


def _uses_in(messages: Iterable[Message]) -> list[str]:
    return [block["toolUse"]["toolUseId"] for one in messages for block in one["content"] if "toolUse" in block]


def _expect_in_history(told: HookCalled, start: ModelStarted, timeline: Timeline, uses: list[str]) -> None:
    """Report a violation unless a model's history has a message's text once, its tool uses, and what came of them.

    Args:
        told: What tells of the message.
        start: When the model is given the history.
        timeline: What happened to the writer of the message.
        uses: The ids of the tool uses that this writer told of: a voice agent tells of one again with its result.
    """
    expected = "the history that a model is given after two writers' turns has"
    message, said, used = _message(told), texts(start.messages), _uses_in(start.messages)
    for text in texts([message]):
        if said.count(text) != 1:
            violated(f"{expected} {text!r}, once", f"it has {said}", timeline, told)
    for use in _uses_in([message]):
        if used.count(use) != uses.count(use):
            wanted = f"{expected} the tool use {use!r} as often as it was told of: {uses}"
            violated(wanted, f"it has the tool uses {used}", timeline, told)
    for result in results_of([message]):
        found = [one["content"] for one in results_of(start.messages) if one["toolUseId"] == result["toolUseId"]]
        if result["content"] not in found:
            violated(f"{expected} the result {result}", f"of this tool use it has {found}", timeline, told)


async def begin(session: Session, timeline: Timeline, script: Script | None = None) -> Conversation | None:
    """Open a session and start its agent; return None where it is refused, which the timeline says then."""
    try:
        conversation = Conversation(session, script or Script(), timeline=timeline, observing=False)
    except Exception as error:
        timeline.record(Failed.by("opening the session", error))
        return None
    await conversation.step(Start())
    return conversation


class _Once:
    """Says yes once, after it was asked a number of times."""

    def __init__(self, after: int) -> None:
        self._left = after
        self.has_been = False
        self._lock = threading.Lock()

    def now(self) -> bool:
        with self._lock:
            self._left -= 1
            if self._left >= 0 or self.has_been:
                return False
            self.has_been = True
            return True


def _in_thread(work: Callable[[], object]) -> None:
    """Do something in a thread of its own, and wait for it as long as nobody can be waiting for this thread."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(LET_GO_S)


def _run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with tolerating_warnings():
        within_limit(lambda: clock.run(main()), "two writers")


def _message(call: HookCalled) -> Message:
    assert call.message is not None
    return call.message
