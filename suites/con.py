"""CON: concurrency. Several processes, sessions and readers at once do not get in each other's way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import pytest
from session_conformance.fixtures import ConformanceSuite, NewSession, capabilities_of, endpoint_of_run
from session_conformance.harness import (
    Backend,
    Capability,
    Conversation,
    Level,
    NotApplicable,
    Reading,
    ScenarioRuns,
    Script,
    Session,
    Timeline,
    Violation,
    expect_no_failure,
    expect_same,
    play,
    requirement,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.conversations import begin_together, write_together
from session_conformance.harness.faults import Recording, Step
from session_conformance.harness.process import WRITING, before_file_calls, clock, tolerating_warnings
from session_conformance.harness.s3 import Request, Seam
from session_conformance.harness.scripts import Start, Stop
from session_conformance.harness.timeline import (
    REDACTS,
    Acknowledged,
    AgentStarted,
    AgentStopped,
    Failed,
    Happened,
    HookCalled,
    ProcessStarted,
)

from .scenarios import (
    ON_DISK,
    HoldFirstWrite,
    begins_anew,
    expect_beginnings_kept,
    expect_kept,
    expect_kept_between_requests,
    expect_kept_where_a_sync_fails,
    expect_late_writer_kept,
    expect_merged_to_be_accepted,
    expect_order_whatever_clocks_say,
    expect_refused_clearly,
    expect_update_kept,
    hundred_sessions,
    loop_goes_on,
    recorded_conversation,
    redacts,
    shut_out_by,
)


class Concurrency(ConformanceSuite):
    """CON: concurrency."""

    @requirement("CON-01", source="B: harness-sdk #2531", needs=[Capability.FRESH_PROCESS])
    def two_writers(self, new_session: NewSession, backend: Backend, request: pytest.FixtureRequest) -> None:
        """Where two processes write one session, no acknowledged message is overwritten, lost or doubled, and each
        process's messages keep their order; a conflict is ordered or refused with an SDK exception.
        """
        _expect_kept_by_processes(new_session(), 5, in_turn=True)
        expect_update_kept(new_session())
        expect_late_writer_kept(new_session(), "redacted what it said", redacts)
        if new_session().backend.delete is not None:
            expect_late_writer_kept(new_session(), "deleted the session and began it anew", begins_anew)
        expect_kept_where_a_sync_fails(new_session())
        if Capability.SERVER in capabilities_of(backend, request.config):
            expect_kept_between_requests(new_session())
        _expect_kept_by_processes(new_session(), 20, in_turn=False)

    @requirement("CON-02", source="F: a service holds many conversations in one process")
    def hundred_sessions(self, run: ScenarioRuns) -> None:
        """One hundred sessions at once in one process do not mix."""
        for one in run.once(hundred_sessions):
            id, timeline, reading = one.session.session_id, one.timeline, one.reading
            expect_no_failure(timeline)
            if reading.error is not None:
                violated(f"session {id} can be read", f"a reader raised {reading.error}", timeline)
            memory = timeline.of(AgentStopped)[-1].memory
            expect_same(memory, reading.messages, f"session {id} is stored as it was in memory", timeline)

    @requirement(
        "CON-03",
        source="F: a reader beside a writer sees a state that was",
        needs=[Capability.FRESH_PROCESS, Capability.READ_BESIDE_WRITER],
    )
    def reader_beside_writer(self, new_session: NewSession) -> None:
        """A reader while a writer in another process writes sees a prefix of the history, never a torn one, and never
        less than it saw before.
        """
        beside = 0
        for _ in range(_MOST_WRITERS):
            session = new_session()
            try:
                beside += _read_beside_a_writer(session)
            except Violation:
                refused = shut_out_by(session)
                if refused:
                    raise NotApplicable(
                        f"while one process has it open, another one cannot open it: {refused}"
                    ) from None
                raise
            if beside >= _ENOUGH_READINGS:
                break

    @requirement("CON-04", level=Level.SHOULD, source="B: harness-sdk #1800")
    def event_loop_goes_on(
        self,
        request: pytest.FixtureRequest,
        backend: Backend,
        run: ScenarioRuns,
        new_session: NewSession,
    ) -> None:
        """Persisting does not block the event loop while storage is slow: while a conversation is on, no file is
        written on the loop's thread, and the loop goes on while a file is written on another one, or a request to S3,
        or to a server, has no answer yet.
        """
        if backend.on_s3:
            session = new_session()
            seam, bucket = endpoint_of_run(request.config).seam, session.workspace.values["bucket"]
            holding = partial(_holding_requests, seam, bucket)
            _expect_loop_goes_on(session, holding, "a request to S3 has no answer")
            return
        if Capability.SERVER in capabilities_of(backend, request.config):
            run.once(loop_goes_on)
            return
        missing = [need for need in ON_DISK if need not in capabilities_of(backend, request.config)]
        if missing:
            raise NotApplicable(missing[0].missing)
        recording = run.once(recorded_conversation)
        blocking = _written_on_the_loop(recording)
        if blocking:
            raise Violation(
                "while a conversation is on, files are written on other threads than the event loop's",
                f"{len(blocking)} writes, syncs and renames were done on it, each of which holds it up for as long as"
                " storage takes",
                "\n".join(["such as:", *(f"    {step}" for step in blocking[:6])]),
            )
        _expect_loop_goes_on(new_session(), _holding_file_calls, "a write to a file is not done")

    @requirement("CON-05", source="F: a service begins many conversations at once", needs=[Capability.FRESH_PROCESS])
    def beginnings(self, new_session: NewSession, request: pytest.FixtureRequest) -> None:
        """Sessions that several processes begin at once do not get in each other's way: others, even if their ids begin
        alike, open for each; one and the same opens for one process at least, and holds once what was acknowledged.
        """
        place = new_session("user")
        others = [replace(place, session_id=id) for id in ("user", "user-voice", "user-voice-2", "voice")]
        for session, timelines in zip(others, begin_together(others, _BEGINNINGS), strict=True):
            for number, timeline in enumerate(timelines):
                expect_no_failure(timeline)
                there = replace(session, session_id=f"{session.session_id}-{number}")
                expect_kept(there, [timeline], "beginning sessions of their own at once")
        same = new_session("shared")
        begun = begin_together([same] * len(others), _BEGINNINGS)
        for number, at_once in enumerate(zip(*begun, strict=True)):
            if not any(timeline.of(ProcessStarted) for timeline in at_once):
                violated(
                    f"a session that {len(at_once)} processes begin at once opens for one of them",
                    "it opens for none",
                    at_once[0],
                    *at_once[0].of(Failed),
                )
            there = replace(same, session_id=f"{same.session_id}-{number}")
            expect_kept(there, list(at_once), "beginning one session at once")
        held = new_session("held")
        expect_beginnings_kept(held, _holding_the_first_write(held, request))

    @requirement(
        "CON-06",
        source="F: clocks of several machines differ, and go back",
        needs=[Capability.FRESH_PROCESS],
        since="2026.12",
    )
    def clocks(self, new_session: NewSession) -> None:
        """Messages keep the order in which they were said where the clocks of the processes that say them differ by
        minutes.
        """
        expect_order_whatever_clocks_say(new_session())

    @requirement("CON-07", source="B: harness-sdk #2025, #2531", promise=Durability.MESSAGE, since="2026.12")
    def merged(self, new_session: NewSession) -> None:
        """After two writers' turns, where one speaks while a tool of the other one runs, a model accepts the history
        that the next one restores, and what hooks were told of is in it.
        """
        expect_merged_to_be_accepted(new_session())


def _expect_kept_by_processes(session: Session, count: int, *, in_turn: bool) -> None:
    expect_no_failure(play(session, Script().user("before"), observing=False))
    timelines = write_together(session, ("one", "two"), count, in_turn=in_turn)
    expect_refused_clearly(timelines)
    expect_kept(session, timelines, "taking turns" if in_turn else "writing at once")


def _holding_the_first_write(session: Session, request: pytest.FixtureRequest) -> HoldFirstWrite:
    """Return what does something ahead of the first write: to a file, or to S3."""
    if not session.backend.on_s3:
        return lambda meanwhile: before_file_calls(WRITING, lambda *_: meanwhile())
    seam = endpoint_of_run(request.config).seam

    def hold(meanwhile: Callable[[], object]) -> AbstractContextManager[None]:
        def wait(asked: Request) -> None:
            if asked.operation == "PutObject":
                meanwhile()

        return seam.holding(session.workspace.values["bucket"], wait)

    return hold


_ENOUGH_READINGS = 50
"""How many readings must have met a writer at work: on a busy machine, one that is done soon may meet but a few."""

_MOST_WRITERS = 10
"""How many writers are read beside until there are enough readings: one that is too fast for them is let go then."""


def _read_beside_a_writer(session: Session) -> int:
    """Read as often as can be while another process writes; return how many readings met it at work."""
    first = play(session, Script().user("the first message"), observing=False)
    expect_no_failure(first)
    with ThreadPoolExecutor(max_workers=1) as pool:
        written = pool.submit(play, session, _much_to_say(), observing=False, fresh_processes=True)
        readings: list[Reading] = []
        while not written.done():
            readings.append(session.read())
        timeline = written.result()
    expect_no_failure(timeline)
    said = Acknowledged(Timeline([*first, *timeline]))
    length = 0
    for number, reading in enumerate(readings):
        problem = said.no_prefix(reading)
        if problem is None and len(reading.messages) < length:
            problem = f"it has {len(reading.messages)} messages, and an earlier one had {length}"
        if problem is not None:
            violated(
                "what a reader sees beside a writer is a prefix of the history",
                f"reading {number} of {len(readings)} is none: {problem}",
            )
        length = len(reading.messages)
    return sum(1 < len(reading.messages) < length for reading in readings)


def _much_to_say() -> Script:
    script = Script()
    for number in range(30):
        script = script.user(f"message {number}").assistant(f"answer {number} of some length, " + "and more " * 20)
    return script


_BEGINNINGS = 5
"""How many times sessions are begun at once. Each is an occasion for processes to get in each other's way."""

_LOOP_LIMIT_S = 2.0
"""Seconds that a request waits for a loop that does not go on. One that does is not waited for at all."""


Hold = Callable[[Callable[[str], None]], "AbstractContextManager[object]"]
"""Returns a context in which each write to storage waits for a function, which is told what is written."""


def _holding_requests(seam: Seam, bucket: str, wait: Callable[[str], None]) -> AbstractContextManager[object]:
    return seam.holding(bucket, lambda request: wait(f"{request.operation} {request.target}"))


def _holding_file_calls(wait: Callable[[str], None]) -> AbstractContextManager[object]:
    """Hold what Python writes to files on other threads: what is written on the loop's own is recorded as such."""
    own = threading.get_ident()

    def ahead(name: str, *_: object) -> None:
        if threading.get_ident() != own:
            wait(f"os.{name}()")

    return before_file_calls(WRITING, ahead)


def _expect_loop_goes_on(session: Session, holding: Hold, slow: str) -> None:
    """Hold each write until the event loop has turned once more: one that is blocked by the write never does."""
    blocked: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def wait(what: str) -> None:
            turned = threading.Event()
            if not blocked:
                loop.call_soon_threadsafe(turned.set)
                if not turned.wait(_LOOP_LIMIT_S):
                    blocked.append(what)

        conversation = Conversation(session, Script(), observing=False)
        await conversation.step(Start())
        with holding(wait):
            for step in Script().user("one").assistant("two").user("three").steps:
                await conversation.step(step)
        await conversation.step(Stop())
        for failure in conversation.timeline.of(Failed):
            violated("the conversation goes on without an error", failure.summary, conversation.timeline, failure)

    with tolerating_warnings():
        clock.run(main())
    if blocked:
        violated(f"while {slow} yet, the event loop goes on", f"it does not, during {blocked[0]}")


def _written_on_the_loop(recording: Recording) -> list[Step]:
    """Return what was done to files on an event loop's thread between start and stop of an agent.

    But for redactions: the SDK calls ``redact_latest_message()`` on that thread, and it returns when they are stored.
    """
    loops = {step.thread for step in recording.steps if step.mark in _hook_calls(recording)}
    spans = zip(recording.timeline.of(AgentStarted), recording.timeline.of(AgentStopped), strict=False)
    open_between = [(begin.at, end.at) for begin, end in spans]
    redactions = {event.at for event in recording.timeline.of(Happened) if event.what == REDACTS}
    mark, found = -1, []
    for step in recording.steps:
        if step.mark is not None:
            mark = step.mark
        elif step.operation is None or step.thread not in loops or mark in redactions:
            continue
        elif any(begin <= mark < end for begin, end in open_between):
            found.append(step)
    return found


def _hook_calls(recording: Recording) -> set[int]:
    return {call.at for call in recording.timeline.of(HookCalled)}
