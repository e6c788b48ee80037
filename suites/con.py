"""CON: concurrency. Several processes, sessions and readers at once do not get in each other's way."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from session_conformance.fixtures.suite import ConformanceSuite, NewSession
from session_conformance.harness import (
    Capability,
    Conversation,
    Level,
    Reading,
    ScenarioRuns,
    Script,
    Session,
    Timeline,
    Violation,
    clock,
    expect_no_failure,
    expect_same,
    play,
    requirement,
    violated,
)
from session_conformance.harness.acknowledgement import Acknowledged
from session_conformance.harness.file_operations import Step
from session_conformance.harness.history import texts
from session_conformance.harness.recording import Recording
from session_conformance.harness.sdk import SDK_EXCEPTIONS
from session_conformance.harness.timeline import AgentStarted, AgentStopped, Failed, HookCalled
from session_conformance.harness.writers import write_together

from .dur import ON_DISK, recorded_conversation


class Concurrency(ConformanceSuite):
    """CON: concurrency."""

    @requirement("CON-01", source="B: harness-sdk #2531", needs=[Capability.FRESH_PROCESS])
    def two_writers(self, new_session: NewSession) -> None:
        """Where two processes write one session, no acknowledged message is overwritten, lost or doubled, and each
        process's messages keep their order; a conflict is ordered or refused with an SDK exception.
        """
        for in_turn, count in ((True, 5), (False, 20)):
            session = new_session()
            expect_no_failure(play(session, Script().user("before"), observing=False))
            timelines = write_together(session, ("one", "two"), count, in_turn=in_turn)
            _expect_all_kept(session.read(), timelines, "taking turns" if in_turn else "writing at once")

    @requirement("CON-02", source="F: a service holds many conversations in one process")
    def hundred_sessions(self, new_session: NewSession) -> None:
        """One hundred sessions at once in one process do not mix."""
        place = new_session()
        sessions = [replace(place, session_id=f"session-{number}") for number in range(100)]
        timelines = [Timeline() for _ in sessions]

        async def talk(session: Session, timeline: Timeline) -> None:
            script = Script().user(f"I am {session.session_id}").user(f"Goodbye from {session.session_id}")
            await Conversation(session, script, timeline=timeline, observing=False).play()

        async def main() -> None:
            await asyncio.gather(*map(talk, sessions, timelines))

        clock.run(main())
        for session, timeline in zip(sessions, timelines, strict=True):
            expect_no_failure(timeline)
            reading = session.read()
            if reading.error is not None:
                violated(f"session {session.session_id} can be read", f"a reader raised {reading.error}", timeline)
            memory = timeline.of(AgentStopped)[-1].memory
            expect_same(
                memory, reading.messages, f"session {session.session_id} is stored as it was in memory", timeline
            )

    @requirement(
        "CON-03",
        source="F: a reader beside a writer sees a state that was",
        needs=[Capability.FRESH_PROCESS, Capability.READ_BESIDE_WRITER],
    )
    def reader_beside_writer(self, new_session: NewSession) -> None:
        """A reader while a writer in another process writes sees a prefix of the history, never a torn one, and never
        less than it saw before.
        """
        session = new_session()
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

    @requirement("CON-04", level=Level.SHOULD, source="B: harness-sdk #1800", needs=ON_DISK)
    def event_loop_goes_on(self, run: ScenarioRuns) -> None:
        """Persisting does not block the event loop while storage is slow: nothing is written on the loop's thread while
        a conversation is on.
        """
        recording = run.once(recorded_conversation)
        blocking = _written_on_the_loop(recording)
        if blocking:
            raise Violation(
                "while a conversation is on, files are written on other threads than the event loop's",
                f"{len(blocking)} writes, syncs and renames were done on it, each of which holds it up for as long as"
                " storage takes",
                "\n".join(["such as:", *(f"    {step}" for step in blocking[:6])]),
            )


def _expect_all_kept(stored: Reading, timelines: list[Timeline], how: str) -> None:
    if stored.error is not None:
        violated(f"after two processes wrote one session, {how}, it can be read", f"a reader raised {stored.error}")
    clear = {kind.__name__ for kind in SDK_EXCEPTIONS}
    for timeline in timelines:
        for failure in timeline.of(Failed):
            if failure.type not in clear:
                violated("a conflict is refused with an SDK exception", failure.summary, timeline, failure)
        told = [call for call in timeline.hooks("message_added") if call.position == "early" and call.message]
        places = []
        for call in told:
            text = texts([call.message] if call.message is not None else [])[0]
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


def _much_to_say() -> Script:
    script = Script()
    for number in range(30):
        script = script.user(f"message {number}").assistant(f"answer {number} of some length, " + "and more " * 20)
    return script


def _written_on_the_loop(recording: Recording) -> list[Step]:
    """Return what was done to files on an event loop's thread between start and stop of an agent."""
    loops = {step.thread for step in recording.steps if step.mark in _hook_calls(recording)}
    spans = zip(recording.timeline.of(AgentStarted), recording.timeline.of(AgentStopped), strict=False)
    open_between = [(begin.at, end.at) for begin, end in spans]
    mark, found = -1, []
    for step in recording.steps:
        if step.mark is not None:
            mark = step.mark
        elif step.operation is not None and step.thread in loops and any(b <= mark < e for b, e in open_between):
            found.append(step)
    return found


def _hook_calls(recording: Recording) -> set[int]:
    return {call.at for call in recording.timeline.of(HookCalled)}
