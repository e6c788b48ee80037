"""RPL: restart and replay. A new connection is given the whole conversation, and nothing twice."""

from __future__ import annotations

import pytest
from session_conformance.fixtures import ConformanceSuite, capabilities_of
from session_conformance.harness import (
    Backend,
    Capability,
    Run,
    ScenarioRuns,
    Timeline,
    expect_no_failure,
    expect_same,
    requirement,
    unpaired_tools,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.sdk import ConnectionTimeoutError, SdkFeature
from session_conformance.harness.timeline import (
    AgentStopped,
    Failed,
    HookCalled,
    ModelReceived,
    ModelStarted,
    ProcessStarted,
    bidi_metadata,
    content_of,
    difference,
    one_message,
    shape,
    texts,
)

from .scenarios import (
    AUTO_RESTART_OFF,
    BARGED_IN,
    CANCELLED,
    EVERYDAY,
    LONG_HISTORY,
    LONG_HISTORY_LENGTH,
    LONG_LIFE,
    NEW_PROCESS,
    RESTART_FAILS,
    RESTARTED_BY_RESTART,
    RESTARTED_BY_START,
    SCHEDULED,
    SENT_DURING_RESTART,
    TIMEOUT_IN_TOOL,
    TIMEOUT_IN_TRANSCRIPT,
    TWENTY_TIMEOUTS,
    expect_readable,
    expect_stored,
    has_block,
)

RESTART_DOCUMENTED = "D: bidirectional streaming, session management, 'Connection Restart Behavior'"
RESTORE_DOCUMENTED = "D: bidirectional streaming, session management, 'Session Restoration'"


def restarts(timeline: Timeline) -> list[ModelStarted]:
    """Return the connections that were opened by restarts, failed ones included."""
    begun = [call.at for call in timeline.hooks("before_connection_restart") if call.position == "early"]
    starts = timeline.of(ModelStarted)
    return [next(start for start in starts if start.at > at) for at in begun if any(s.at > at for s in starts)]


def expect_replayed(timeline: Timeline, start: ModelStarted) -> None:
    """Report a violation unless a restarted connection was given the history as it was in memory."""
    told = [call for call in timeline.hooks("before_connection_restart") if call.at < start.at][-1]
    expect_same(
        told.memory or [], start.messages, "the new connection is given the agent's full history", timeline, start
    )


def expect_replayed_as_stored(timeline: Timeline, start: ModelStarted) -> None:
    """Report a violation unless a restarted connection was given the history, and that is what was stored then."""
    expect_replayed(timeline, start)
    if start.stored is not None:
        expect_readable(start.stored, "at the restart", timeline, start)
        expect_same(
            start.messages, start.stored.messages, "what is stored is what the connection is given", timeline, start
        )


def expect_whole(run: Run) -> None:
    """Report a violation unless the session holds the agent's history after its last stop."""
    expect_readable(run.stored, "after the conversation")
    expect_same(
        run.memory,
        run.stored.messages,
        "the stored history is whole",
        run.timeline,
        *run.timeline.of(AgentStopped)[-1:],
    )


def expect_each_once(run: Run, said: list[str]) -> None:
    """Report a violation unless the stored texts are exactly these, in order."""
    found = texts(run.stored.messages)
    if found != said:
        missing = [text for text in said if text not in found]
        doubled = sorted({text for text in found if found.count(text) > said.count(text)})
        violated(
            f"the {len(said)} texts of the conversation are stored, each once and in order",
            f"{len(found)} are: missing {missing[:5]}, too many {doubled[:5]}",
            run.timeline,
            *run.timeline.of(AgentStopped)[-1:],
        )


class RestartAndReplay(ConformanceSuite):
    """RPL: restart and replay."""

    @requirement("RPL-01", source=RESTART_DOCUMENTED, needs=[Capability.READ_BESIDE_WRITER], promise=Durability.MESSAGE)
    def after_a_timeout(self, run: ScenarioRuns) -> None:
        """After a timeout the new connection is given the full history, equal to what is stored."""
        timeline = run(EVERYDAY).timeline
        expect_no_failure(timeline)
        if len(restarts(timeline)) != 1:
            violated("the connection is restarted once", f"{len(restarts(timeline))} times", timeline)
        expect_replayed_as_stored(timeline, restarts(timeline)[0])

    @requirement("RPL-02", source=RESTART_DOCUMENTED)
    def twenty_timeouts(self, run: ScenarioRuns, backend: Backend, request: pytest.FixtureRequest) -> None:
        """Twenty timeouts in a row: nothing doubled, nothing lost."""
        played = run(TWENTY_TIMEOUTS)
        beside = Capability.READ_BESIDE_WRITER in capabilities_of(backend, request.config)
        beside = beside and backend.durability is Durability.MESSAGE  # else, a restart ends nothing that is promised
        expect_no_failure(played.timeline)
        if len(restarts(played.timeline)) != 20:
            violated("twenty restarts", f"{len(restarts(played.timeline))}", played.timeline)
        for start in restarts(played.timeline):
            (expect_replayed_as_stored if beside else expect_replayed)(played.timeline, start)
        expect_each_once(played, [f"{word} {n}" for n in range(20) for word in ("question", "answer")])
        expect_whole(played)

    @requirement("RPL-03", source=RESTART_DOCUMENTED, sdk=[SdkFeature.MESSAGE_UPDATES])
    def timeout_inside_a_transcript(self, run: ScenarioRuns) -> None:
        """A timeout inside a transcript: what was said before is stored and replayed."""
        played = run(TIMEOUT_IN_TRANSCRIPT)
        expect_no_failure(played.timeline)
        for start in restarts(played.timeline):
            for said in ("tell me everything", "First of all", "then there "):
                if not any(said in text for text in texts(start.messages)):
                    violated(f"the new connection is told {said!r}", "it is not", played.timeline, start)
        for message in played.memory:
            expect_stored(message, played.stored.messages, "is stored", played.timeline, *restarts(played.timeline))

    @requirement("RPL-04", source="B: harness-sdk #4244")
    def timeout_while_a_tool_runs(self, run: ScenarioRuns) -> None:
        """A timeout while a tool runs: the tool use has exactly one result, stored and replayed."""
        played = run(TIMEOUT_IN_TOOL)
        timeline = played.timeline
        expect_no_failure(timeline)
        for start in restarts(timeline):
            unpaired = unpaired_tools(start.messages)
            if unpaired is not None:
                violated("each tool use is replayed with one result", unpaired, timeline, start)
        announced = [m for m in played.stored.messages if bidi_metadata(m).get("kind") == "tool_dispatch"]
        ended = [m for m in played.stored.messages if has_block(m, "toolResult") and m not in announced]
        if len(ended) != 1 or unpaired_tools(played.stored.messages) is not None:
            violated(
                "the tool's result is stored once, after its use",
                f"{len(ended)} are stored; {unpaired_tools(played.stored.messages) or 'all are paired'}",
                timeline,
                *timeline.of(AgentStopped),
            )
        last = restarts(timeline)[-1]
        if ended[0] not in last.messages:
            violated("the connection after the tool's end is given its result", "it is not", timeline, last)

    @requirement("RPL-05", source=RESTART_DOCUMENTED, sdk=[SdkFeature.RESTART_ERRORS])
    def restart_that_fails(self, run: ScenarioRuns) -> None:
        """A restart that fails surfaces its error; the stored history is whole; the next start replays it."""
        played = run(RESTART_FAILS)
        timeline = played.timeline
        expect_no_failure(timeline, allowed=["ScriptedFailure"])
        if not timeline.of(Failed):
            violated("the failed restart surfaces", "agent.receive() raised nothing", timeline, *restarts(timeline))
        stop = timeline.of(AgentStopped)[0]
        again = next(start for start in timeline.of(ModelStarted) if start.at > stop.at)
        if texts(again.messages) != ["one", "two"]:
            said = f"{texts(again.messages)}"
            violated("the next start is given the whole history: ['one', 'two']", said, timeline, again)
        if stop.stored is not None:
            expect_readable(stop.stored, "after the failed restart", timeline, stop)
            expect_same(stop.memory, stop.stored.messages, "the stored history is whole", timeline, stop)
        expect_whole(played)
        expect_each_once(played, ["one", "two", "three", "four"])

    @requirement(
        "RPL-06",
        source="D: ConnectionConfig.restart_after_s, a restart 'before the provider terminates the connection'",
    )
    def scheduled_restart(self, run: ScenarioRuns) -> None:
        """A scheduled restart (before the provider's limit) replays the full history, once."""
        played = run(SCHEDULED)
        expect_no_failure(played.timeline)
        if len(restarts(played.timeline)) != 1:
            violated("one restart", f"{len(restarts(played.timeline))}", played.timeline)
        replayed = restarts(played.timeline)[0]
        expect_replayed(played.timeline, replayed)
        if texts(replayed.messages) != ["one", "two"]:
            violated("['one', 'two'], each once", f"{texts(replayed.messages)}", played.timeline, replayed)

    @requirement("RPL-07", source=RESTORE_DOCUMENTED, needs=[Capability.FRESH_PROCESS], promise=Durability.MESSAGE)
    def new_process(self, run: ScenarioRuns) -> None:
        """A new process starts its connection with the full stored history."""
        timeline = run(NEW_PROCESS).timeline
        expect_no_failure(timeline)
        said = ["My name is Alice", "Hello Alice"]
        _expect_start_with(timeline, process=1, said=said, tools=["tool-2"])

    @requirement("RPL-08", source="F: a gate that holds a message back must neither drop nor double it")
    def sent_during_a_restart(self, run: ScenarioRuns) -> None:
        """A message sent while a restart is under way is stored once and reaches the model once."""
        played = run(SENT_DURING_RESTART)
        expect_no_failure(played.timeline)
        received = [
            sent for sent in played.timeline.of(ModelReceived) if {"text": "are you still there?"} in sent.content
        ]
        if len(received) != 1:
            violated("the model is sent the message once", f"{len(received)} times", played.timeline, *received)
        found = texts(played.stored.messages).count("are you still there?")
        if found != 1:
            violated("the message is stored once", f"{found} times", played.timeline, *received)

    @requirement("RPL-09", source="A: ConnectionConfig.auto_restart")
    def auto_restart_off(self, run: ScenarioRuns) -> None:
        """With auto_restart off the timeout reaches the caller and the stored history is whole."""
        played = run(AUTO_RESTART_OFF)
        expect_no_failure(played.timeline, allowed=[ConnectionTimeoutError.__name__])
        if not played.timeline.of(Failed):
            violated("the timeout reaches the caller", "agent.receive() raised nothing", played.timeline)
        expect_whole(played)
        expect_each_once(played, ["one", "two"])

    @requirement(
        "RPL-10",
        source="A: Restartable, 'a model that can replace its active connection'",
        sdk=[SdkFeature.RESTARTABLE_MODELS],
    )
    def with_and_without_restart(self, run: ScenarioRuns) -> None:
        """Models with and without restart() are replayed the same."""
        one, other = run(RESTARTED_BY_RESTART), run(RESTARTED_BY_START)
        for played in (one, other):
            expect_no_failure(played.timeline)
            for start in restarts(played.timeline):
                expect_replayed(played.timeline, start)
        left, right = restarts(one.timeline), restarts(other.timeline)
        if len(left) != len(right):
            violated(f"{len(left)} restarts", f"{len(right)}", other.timeline)
        for with_restart, without in zip(left, right, strict=True):
            differs = difference(with_restart.messages, without.messages, content_of)
            if differs is not None:
                violated("a model without restart() is replayed the same", differs, other.timeline, without)

    @requirement(
        "RPL-11", source="B: harness-sdk #2188, #2531", needs=[Capability.FRESH_PROCESS], promise=Durability.MESSAGE
    )
    def timeout_process_timeout(self, run: ScenarioRuns) -> None:
        """Timeout, process restart, timeout again: one continuous history."""
        played = run(LONG_LIFE)
        expect_no_failure(played.timeline)
        for start in restarts(played.timeline):
            expect_replayed(played.timeline, start)
        expect_each_once(played, ["one", "two", "three", "four", "five"])

    @requirement("RPL-12", source="F: lists of keys come in pages and in the order of text, where 10 comes before 9")
    def long_history(self, run: ScenarioRuns) -> None:
        """A history of 2,000 messages is replayed complete and in order."""
        played = run(LONG_HISTORY)
        expect_no_failure(played.timeline)
        wanted = list(LONG_HISTORY.messages or ())
        for start in played.timeline.of(ModelStarted):
            expect_same(
                wanted, start.messages, f"all {LONG_HISTORY_LENGTH} messages are replayed", played.timeline, start
            )
        if len(played.timeline.of(ModelStarted)) != 4:
            violated("four connections", f"{len(played.timeline.of(ModelStarted))}", played.timeline)

    @requirement(
        "RPL-13", source="B: harness-sdk #1123, #3651", needs=[Capability.FRESH_PROCESS], promise=Durability.MESSAGE
    )
    def barge_in_and_cancel(self, run: ScenarioRuns) -> None:
        """A session ended by barge-in, or cancelled, restores what had been said."""
        played = run(BARGED_IN)
        expect_no_failure(played.timeline)
        expect_readable(played.stored, "after the barge-in")
        expect_each_once(played, ["tell me a story", "Once upon a time", "there "])
        cancelled = run(CANCELLED)
        expect_no_failure(cancelled.timeline)
        again = cancelled.timeline.of(ProcessStarted)[1]
        if texts(again.memory) != ["weather?"]:
            violated(
                "the cancelled session restores what was said: ['weather?']",
                f"it restores {texts(again.memory)}",
                cancelled.timeline,
                again,
            )


def _expect_start_with(timeline: Timeline, *, process: int, said: list[str], tools: list[str]) -> None:
    begun = timeline.of(ProcessStarted)[process]
    start = next(start for start in timeline.of(ModelStarted) if start.at > begun.at)
    told = texts(start.messages)
    ids = [block["toolUse"]["toolUseId"] for m in start.messages for block in m["content"] if "toolUse" in block]
    if told != said or set(ids) != set(tools):
        violated(
            f"the new process starts its connection with {said} and the tool calls {tools}",
            f"with {shape(start.messages)}: {told}, and the tool calls {sorted(set(ids))}",
            timeline,
            begun,
            start,
        )
    told_before = [call.message for call in timeline.of(HookCalled) if call.at < begun.at]
    before = {message.get("tracking_id"): message for message in told_before if message is not None}
    for message in start.messages:
        last = before.get(message.get("tracking_id"))
        if last is None or difference([last], [message]) is not None:
            violated(f"{one_message(last)}", f"{one_message(message)}", timeline, begun, start)
