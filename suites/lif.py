"""LIF: life of a session. What was said comes back to the process that opens the session next."""

from __future__ import annotations

from itertools import pairwise

import pytest
from session_conformance.fixtures import ConformanceSuite, NewSession, capabilities_of, storage_fault_for
from session_conformance.harness import (
    Backend,
    Capability,
    Level,
    ScenarioRuns,
    Script,
    Session,
    Timeline,
    expect_no_failure,
    expect_same,
    play,
    requirement,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.models import ScriptedBidiModel
from session_conformance.harness.sdk import BidiAgent
from session_conformance.harness.timeline import (
    AgentStarted,
    AgentStopped,
    HookCalled,
    difference,
    is_pending,
    same,
    texts,
)

from .scenarios import (
    CONSTRUCTOR_MESSAGES,
    EVERYDAY,
    GIVEN_MESSAGES,
    GREETED,
    KILLED,
    OTHER_STORAGE_FAULTS,
    SAID_AGAIN,
    SILENT,
    STATE,
    STATE_OF_A_LONG_TALK,
    STATE_OF_A_VOICE,
    STATE_SET_BY_STOP_HOOK,
    STOP_AND_START,
    TEXT_STORAGE_FAULT,
    expect_apart_on_one_manager,
    expect_apart_where_messages_are_shared,
    expect_folder_behind_link,
    expect_folder_of_when_it_was_made,
    expect_here_and_elsewhere,
    expect_long_state_restored,
    expect_no_growth_with_deletions,
    expect_no_growth_without_content,
    expect_no_leaks,
    expect_own,
    expect_readable,
    expect_same_in_any_locale,
    expect_state_stored_after_outages,
    expect_stored,
    expect_stored_as_in_memory,
    expect_twins_refused,
    read_in_process_that_ends,
)

LIFECYCLE_DOCUMENTED = "D: bidirectional streaming, session management, 'Session Lifecycle'"


class LifeOfASession(ConformanceSuite):
    """LIF: life of a session."""

    @requirement("LIF-01", source=f"{LIFECYCLE_DOCUMENTED} ('Session created on first start')")
    def new_session_is_empty(self, run: ScenarioRuns, backend: Backend) -> None:
        """A new session id starts an empty history, and the session exists in storage once the agent has started."""
        timeline = run(EVERYDAY).timeline
        expect_no_failure(timeline)
        if run(EVERYDAY).processes[0].memory:
            violated("a new session starts empty", "it has messages", timeline, run(EVERYDAY).processes[0])
        started = timeline.of(AgentStarted)[0]
        stored_at_end = run(EVERYDAY).session.workspace.bytes_stored()
        by_message = backend.durability is Durability.MESSAGE  # else, nothing was said that is promised to be stored
        if by_message and started.bytes_stored == 0 and stored_at_end > 0:
            violated(
                "the session is in storage once the agent has started",
                "nothing is stored in the workspace, and later there is",
                timeline,
                started,
            )

    @requirement("LIF-02", source=LIFECYCLE_DOCUMENTED)
    def second_manager(self, run: ScenarioRuns) -> None:
        """A second manager with the same id restores the history exactly: order, roles, content, tracking ids,
        metadata.
        """
        for scenario in (EVERYDAY, SAID_AGAIN, GREETED):
            played = run(scenario)
            expect_no_failure(played.timeline)
            expect_readable(played.stored, "after the conversation")
            expect_same(
                played.memory,
                played.stored.messages,
                "a second manager restores the history exactly",
                played.timeline,
                *played.timeline.of(AgentStopped),
            )

    @requirement("LIF-03", source=LIFECYCLE_DOCUMENTED, needs=[Capability.FRESH_PROCESS])
    def fresh_process(self, run: ScenarioRuns) -> None:
        """A fresh process restores the history exactly, as a second manager does, and ends when its work is done."""
        played = run(EVERYDAY)
        found = read_in_process_that_ends(played.session)
        stops = played.timeline.of(AgentStopped)
        expect_readable(found, "in a fresh process", played.timeline, *stops)
        expect_same(
            played.memory, found.messages, "a fresh process restores the history exactly", played.timeline, *stops
        )

    @requirement("LIF-04", source="D: session management, 'Agent state'")
    def state(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """Agent state (key-value) is restored, also a change made without any message, by the time the agent has
        stopped.
        """
        for scenario in (STATE, STATE_SET_BY_STOP_HOOK, STATE_OF_A_VOICE, STATE_OF_A_LONG_TALK):
            played = run(scenario)
            expect_no_failure(played.timeline)
            expect_readable(played.stored, "after the conversation")
            stop = played.timeline.of(AgentStopped)[-1]
            if not same(stop.state, played.stored.state):
                violated(
                    f"{scenario.name}: the state {stop.state!r} is restored",
                    f"{played.stored.state!r}",
                    played.timeline,
                    stop,
                )
            for stop, opened in zip(played.timeline.of(AgentStopped), played.processes[1:], strict=False):
                if not same(stop.state, opened.state):
                    what = f"{scenario.name}: the next process restores the state {stop.state!r}"
                    violated(what, f"{opened.state!r}", played.timeline, stop, opened)
        expect_long_state_restored(new_session())

    @requirement("LIF-05", source="A: BidiAgent.start, 'call stop before starting again'")
    def stop_and_start(self, run: ScenarioRuns) -> None:
        """Starting, stopping and starting again on one agent neither doubles nor drops a message."""
        played = run(STOP_AND_START)
        expect_no_failure(played.timeline)
        expect_readable(played.stored, "after the conversation")
        wanted = [message.get("tracking_id") for message in played.memory]
        found = [message.get("tracking_id") for message in played.stored.messages]
        if wanted != found or len(found) != 4 or len(set(found)) != 4:
            differs = difference(played.memory, played.stored.messages)
            violated(
                "the four messages are stored, each once and in order",
                f"{len(found)} are, {len(set(found))} of them different: {differs or 'the same as in memory'}",
                played.timeline,
                *played.timeline.of(AgentStopped),
            )

    @requirement("LIF-06", source="A: AgentInitializedEvent restores; it is no event that changes a session")
    def restoring_is_idempotent(self, new_session: NewSession) -> None:
        """Restoring is idempotent: N restores change nothing that a reader sees, and storage does not grow with N."""
        session = new_session()
        play(session, Script().user("one").assistant("two").calls("weather", city="Paris"), observing=False)
        first, sizes = session.read(), []
        for _ in range(5):
            again = session.read()
            sizes.append(session.workspace.bytes_stored())
            expect_readable(again, "after it was restored before")
            expect_same(first.messages, again.messages, "restoring again gives the same history")
            if not same(first.state, again.state):
                violated(f"restoring again gives the same state: {first.state!r}", f"{again.state!r}")
        if all(earlier < later for earlier, later in pairwise(sizes)):
            violated("storage does not grow with each restore", f"it has {sizes} bytes after each of five restores")

    @requirement("LIF-07", source="A: RepositorySessionManager.initialize")
    def constructor_messages(self, run: ScenarioRuns) -> None:
        """Messages given to the constructor are stored for a new session, and give way to the stored ones for an old
        session, as its state does.
        """
        played = run(GIVEN_MESSAGES)
        expect_no_failure(played.timeline)
        expect_readable(played.stored, "after the conversation")
        expect_same(
            CONSTRUCTOR_MESSAGES,
            played.stored.messages,
            "the constructor's messages are stored",
            played.timeline,
            *played.timeline.of(AgentStopped),
        )
        other = [{"role": "user", "content": [{"text": "I come too late"}]}]
        again = play(played.session, Script().starts().stops(), messages=other)  # type: ignore[arg-type]
        expect_no_failure(again)
        stop = again.of(AgentStopped)[-1]
        expect_same(CONSTRUCTOR_MESSAGES, stop.memory, "the stored messages replace the constructor's", again, stop)
        expect_same(CONSTRUCTOR_MESSAGES, played.session.read().messages, "they stay stored", again, stop)
        _expect_stored_state_to_win(played.session)

    @requirement("LIF-08", source="A: SessionAgent.agent_id")
    def two_agents(self, new_session: NewSession) -> None:
        """Two agents (other agent_id) in one session never mix, neither their histories nor their states."""
        one = new_session(agent_id="one")
        two = Session(one.backend, one.workspace, one.session_id, "two")
        for turn in range(3):
            for agent in (one, two):
                says = Script().sets_state(agent.agent_id, turn).user(f"{agent.agent_id} {turn}")
                expect_no_failure(play(agent, says, observing=False))
        for agent in (one, two):
            expect_own(agent, [f"{agent.agent_id} {turn}" for turn in range(3)], {agent.agent_id: 2})
        expect_apart_on_one_manager(new_session())
        expect_apart_where_messages_are_shared(new_session())

    @requirement(
        "LIF-09",
        source="A,B: RepositorySessionManager.initialize, 'the agent_id of an agent must be unique in a session'",
    )
    def same_agent_twice(self, new_session: NewSession) -> None:
        """The same agent_id twice on one manager is refused with SessionException."""
        expect_twins_refused(
            new_session(),
            lambda manager: BidiAgent(
                model=ScriptedBidiModel(Timeline()), agent_id="twin", session_manager=manager, hooks=[]
            ),
        )

    @requirement("LIF-10", source="B: harness-sdk #458, #1859")
    def added_agent(self, new_session: NewSession) -> None:
        """A second agent added to an existing session starts empty, history and state, and is stored."""
        first = new_session(agent_id="first")
        expect_no_failure(play(first, Script().sets_state("seat", 1).user("I was here first"), observing=False))
        second = Session(first.backend, first.workspace, first.session_id, "second")
        timeline = play(second, Script().user("I came later"), observing=False)
        expect_no_failure(timeline)
        expect_own(second, ["I came later"], {}, timeline)
        expect_own(first, ["I was here first"], {"seat": 1}, timeline)

    @requirement("LIF-11", source=LIFECYCLE_DOCUMENTED, needs=[Capability.FRESH_PROCESS], promise=Durability.MESSAGE)
    def killed_process(self, run: ScenarioRuns) -> None:
        """A process that ends without stop() loses nothing that was stored before."""
        played = run(KILLED)
        if len(played.processes) < 2:
            expect_no_failure(played.timeline)
        first = [event for event in played.timeline if event.at < played.processes[1].at]
        told = [call for call in first if isinstance(call, HookCalled) and call.message is not None]
        for call in told:
            message = call.message
            later = [other.message for other in told if other.at > call.at]
            if message is None or is_pending(message) or message in later:
                continue
            if call.stored is not None and message not in call.stored.messages:
                continue  # it was not stored before; whether it should have been is for ORD to say
            expect_stored(
                message, played.stored.messages, "is still stored after the process was killed", played.timeline, call
            )
        expect_readable(played.stored, "after the process was killed", played.timeline, played.processes[1])
        if not {"remember the milk", "and the bread"} <= set(texts(played.stored.messages)):
            violated(
                "what the user said is stored", f"{texts(played.stored.messages)}", played.timeline, played.processes[1]
            )

    @requirement("LIF-12", source="A: a session is created before its first message")
    def silent_session(self, run: ScenarioRuns) -> None:
        """A session that holds no message restores without error."""
        played = run(SILENT)
        expect_no_failure(played.timeline)
        expect_readable(played.stored, "that holds no message", played.timeline, *played.processes)
        if played.stored.messages:
            violated("no message", f"{texts(played.stored.messages)}", played.timeline)
        expect_stored_as_in_memory(played)

    @requirement(
        "LIF-13",
        level=Level.SHOULD,
        source="F: reading leaves no trace: backups, read replicas, audits",
        needs=[Capability.AT_REST],
    )
    def reading_writes_nothing(self, backend: Backend, new_session: NewSession, request: pytest.FixtureRequest) -> None:
        """Opening a session for reading only (restore, no send) writes nothing."""
        elsewhere = Capability.FRESH_PROCESS in capabilities_of(backend, request.config)
        expect_here_and_elsewhere(_expect_reading_to_write_nothing, new_session, elsewhere)

    @requirement(
        "LIF-14",
        level=Level.SHOULD,
        source="F: a service changes its folder when it starts",
        needs=[Capability.ON_DISK, Capability.FRESH_PROCESS],
        since="2026.12",
    )
    def relative_folder(self, new_session: NewSession) -> None:
        """A relative folder is that of when the manager was made, wherever the process goes since."""
        expect_folder_of_when_it_was_made(new_session())

    @requirement(
        "LIF-15",
        level=Level.SHOULD,
        source="F: volumes and releases are linked to",
        needs=[Capability.ON_DISK],
        since="2026.12",
    )
    def linked_folder(self, new_session: NewSession) -> None:
        """A folder behind a symbolic link is that folder: sessions open, and what is deleted is gone."""
        expect_folder_behind_link(new_session())

    @requirement(
        "LIF-16",
        level=Level.SHOULD,
        source="F: a service lives for weeks",
        needs=[Capability.FRESH_PROCESS],
        since="2026.12",
    )
    def no_leaks(self, backend: Backend, new_session: NewSession, request: pytest.FixtureRequest) -> None:
        """Descriptors and threads do not grow with the sessions that a process used and let go of, nor with the
        messages that could not be stored.
        """
        session = new_session()
        elsewhere = backend.on_s3 or session.workspace.places  # other processes cannot cut these off
        fault = storage_fault_for(backend, session.workspace, request.config) if elsewhere else None
        expect_no_leaks(session, 10, 60, fault)

    @requirement(
        "LIF-17",
        level=Level.SHOULD,
        source="F: cron, containers and services run in the C locale; PEP 597",
        needs=[Capability.FRESH_PROCESS],
        since="2026.12",
    )
    def any_locale(self, new_session: NewSession) -> None:
        """A process in the C locale restores and stores the same text as one in any other locale."""
        expect_same_in_any_locale(new_session())

    @requirement(
        "LIF-18",
        level=Level.SHOULD,
        source="F: storage is paid by the byte, and is read at each restore",
        needs=[Capability.AT_REST],
        since="2026.12",
    )
    def no_growth(self, backend: Backend, new_session: NewSession, request: pytest.FixtureRequest) -> None:
        """Storage does not grow without bound where the content does not: with each update of an agent's state, and
        with each session that was deleted.
        """
        expect_no_growth_without_content(new_session(), 200, 65_536)
        can = capabilities_of(backend, request.config)
        if Capability.DELETE in can:
            expect_no_growth_with_deletions(new_session(), 20, 524_288, with_teams=Capability.MULTI_AGENT in can)

    @requirement(
        "LIF-19",
        source="A: RepositorySessionManager.sync_agent, 'update tracked versions after successful sync'",
        needs=[Capability.STORAGE_FAULTS],
        since="2026.12",
    )
    def state_after_a_failure(self, run: ScenarioRuns) -> None:
        """A state that could not be stored is no stored one: when storage works again, it is stored with the next stop
        or invocation that raises nothing, though it has not changed since.
        """
        if same(run(STATE).timeline.of(AgentStopped)[-1].state, run(STATE).stored.state):
            expect_state_stored_after_outages(run(OTHER_STORAGE_FAULTS))  # that a stop stores it at all is for LIF-04
        expect_state_stored_after_outages(run(TEXT_STORAGE_FAULT))


def _expect_reading_to_write_nothing(session: Session, elsewhere: bool) -> None:
    expect_no_failure(play(session, Script().user("one").assistant("two"), observing=False))
    for fresh in (False, True)[: 1 + elsewhere]:
        before = session.workspace.stored()
        expect_no_failure(play(session, Script().starts().stops(), observing=False, fresh_processes=fresh))
        after = session.workspace.stored()
        changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
        if changed:
            where = ", in a process of its own," if fresh else ""
            violated(
                f"starting and stopping an agent{where} changes no stored byte", f"it changes {', '.join(changed)}"
            )


def _expect_stored_state_to_win(session: Session) -> None:
    expect_no_failure(play(session, Script().starts().sets_state("city", "Paris").user("in Paris"), observing=False))
    if session.read().state.get("city") != "Paris":
        return  # that state is stored at all is for LIF-04 to ask
    again = play(session, Script().starts().stops(), state={"city": "Rome", "street": "Corso"}, observing=False)
    expect_no_failure(again)
    stop = again.of(AgentStopped)[-1]
    for state in (stop.state, session.read().state):
        if state.get("city") != "Paris" or "street" in state:
            expected = "the stored state replaces the constructor's: the city is 'Paris', and there is no street"
            violated(expected, f"it is {state}", again, stop)
