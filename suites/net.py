"""NET: storage behind a network. What happens to any connection, now and then, costs no message."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from session_conformance.fixtures import (
    ConformanceSuite,
    NewSession,
    RecordProperty,
    attributed_by,
    attributed_without_a_server,
)
from session_conformance.harness import (
    Capability,
    Conversation,
    Level,
    NotApplicable,
    Run,
    Scenario,
    ScenarioRuns,
    Script,
    Session,
    Timeline,
    expect_no_failure,
    play,
    requirement,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.faults import killed_at_exchange
from session_conformance.harness.process import clock, tolerating_warnings, within_limit
from session_conformance.harness.scripts import Start, Step, Stop, StorageFails, StorageWorks
from session_conformance.harness.services import DynamoDB, Service, WireFault
from session_conformance.harness.timeline import Acknowledged, AgentStopped, Failed, one_message, texts

from .scenarios import (
    Counted,
    StorageFault,
    expect_outages_told_of,
    expect_readable,
    expect_secrets_kept,
    expect_whole_or_nothing,
    kind_of_request,
    loop_goes_on,
    places_of_faults,
)
from .scenarios import on_the_wire as wire

NEEDS = (Capability.SERVER,)
SINCE = "2026.12"


def _persistence_before_hooks() -> list[Callable[..., object]]:
    """Return what a manager violates that tells hooks of a message before it is stored: a kill in between loses it."""
    from .ord import PersistenceBeforeHooks

    return [getattr(PersistenceBeforeHooks(), id) for id in ("ORD-01", "ORD-02")]


class StorageBehindANetwork(ConformanceSuite):
    """NET: storage behind a network."""

    @requirement("NET-01", source="F: TCP: a connection may end at any time", needs=NEEDS, since=SINCE)
    def requests_that_do_not_arrive(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """Where a connection is cut before a request arrives, or the next one refused, the request is sent again, or an
        error reaches the caller; nothing that was stored is lost, and nothing is doubled.
        """
        _expect_exact(run, new_session, (WireFault.CUT_BEFORE, WireFault.REFUSED))

    @requirement("NET-02", source="F: an answer that is lost says nothing of the request", needs=NEEDS, since=SINCE)
    def answers_that_are_lost(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """A request that was carried out though its answer was lost leaves one message, not two."""
        _expect_exact(run, new_session, (WireFault.CUT_AFTER,))

    @requirement("NET-03", source="F: servers crash, and are started again", needs=NEEDS, since=SINCE)
    def server_that_is_killed(self, run: ScenarioRuns, new_session: NewSession, request: pytest.FixtureRequest) -> None:
        """After the server was killed and started again, between turns or in the middle of one, all acknowledged
        messages are there, and the same manager stores the next message.
        """
        calm = run.once(wire.calm_talk)
        session = new_session()
        service = _server_of(session, request)
        timeline = _converse(
            session,
            Script().user("before").assistant("noted"),
            lambda: _restarted(service),
            Script().user("afterwards").assistant("noted again"),
        )
        _expect_stored_since_then(session, timeline, "after the server was killed between turns")
        for number in _spread(calm.exchanges, 3):
            session = new_session()
            timeline = _killed_while_it_answers(session, service, number)
            where = f"after the server was killed before it answered exchange {number + 1} of {calm.exchanges}"
            wire.expect_nothing_lost_or_doubled(session, timeline, calm, where)

    @requirement("NET-04", source="F: a write-ahead rule: who is told of a message may rely on it", needs=NEEDS,
                 since=SINCE)  # fmt: skip
    @attributed_without_a_server
    def server_that_is_away(self, new_session: NewSession) -> None:
        """While the server cannot be reached, or refuses what is written as a full one does, failures reach the caller
        and no hook is told of what is not stored; when it is back, what is said is stored again, in the order of
        memory.
        """
        script = (
            Script()
            .user("before")
            .assistant("noted")
            .then(StorageFails())
            .user("meanwhile")
            .then(StorageWorks())
            .user("afterwards")
            .assistant("noted again")
        )

        def outage(session: Session, fault: StorageFault | None, over: str) -> None:
            timeline = play(session, script, observing=False, at_rest=True, storage_fault=fault)
            expect_outages_told_of(Run(Scenario("a server that is away", script), session, timeline), "agent.send()")
            _expect_stored_since_then(session, timeline, over)

        outage(new_session(), None, "when the server is back")
        session = new_session()
        full = wire.refusing_writes(session)
        if full is not None:
            with suppress(NotApplicable):  # what it writes to was not there yet when the server was full
                outage(session, full, "when the server has room again")

    @requirement("NET-05", source="F: a read that fails says nothing of what is stored", needs=NEEDS, since=SINCE)
    def restores_that_fail(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """A restore whose reads fail is an error, never an empty history or a part of one; what is stored stays."""
        session = new_session()
        expect_no_failure(play(session, wire.TALK, observing=False))
        with wire.faults(session, lambda number, request: None) as met:
            whole = session.read()
        expect_readable(whole, "where nothing goes wrong")
        for first in places_of_faults(met.requests):
            faults = (
                (_all_from(first), "all later ones"),
                (_only(first), "no other"),
                (_all_like(met.requests[first]), "all that ask for the same, while others are carried out"),
            )
            for fault, what in faults:
                with wire.faults(session, fault):
                    found = within_limit(session.read, "restoring")
                if found.error is None and wire.said(found.messages) != wire.said(whole.messages):
                    violated(
                        f"a restore of which exchange {first + 1} of {met.exchanges} fails, and {what}, is an error, or"
                        f" whole: {'; '.join(wire.shown(whole.messages))}",
                        f"it came back with: {'; '.join(wire.shown(found.messages)) or 'nothing'}",
                    )
        after = within_limit(session.read, "restoring")
        expect_readable(after, "after restores that failed")
        if wire.said(after.messages) != wire.said(whole.messages):
            violated("after restores that failed, all is there", f"there is {wire.shown(after.messages)}")

    @requirement("NET-06", source="F: replicas, and reads that are eventually consistent", needs=NEEDS, since=SINCE)
    def reads_that_are_late(self, new_session: NewSession) -> None:
        """A read that is served late (by a replica, or eventually consistent) never makes a new session of an old one,
        and never an older history the truth.
        """
        for before in (Script(), Script().user("one").assistant("two")):
            session = new_session()
            [service, *_] = [place.service for place in session.workspace.places]
            if not isinstance(service, DynamoDB) or not service.may_be_late:
                raise NotApplicable(f"its reads are never late here: {service.name} has no replica")
            if before.steps:
                expect_no_failure(play(session, before, observing=False))
            with service.late_reads():
                expect_no_failure(play(session, Script().user("three"), observing=False))
                late = session.read()
                timeline = play(session, Script().user("four"), observing=False)
            history = [*(["one", "two"] if before.steps else []), "three"]
            if late.error is None and texts(late.messages) != history:
                violated(
                    f"a session that is read late is an error, or whole: {history}",
                    f"it came back with {texts(late.messages)}",
                )
            reading = session.read()
            expect_readable(reading, "afterwards", timeline)
            found = texts(reading.messages)
            if found not in ([*history, "four"], history if timeline.of(Failed) else None):
                violated(f"what was said while reads were late is stored: {[*history, 'four']}", f"there is {found}")

    @requirement("NET-07", level=Level.SHOULD, source="F: a voice agent's audio is on the event loop", needs=NEEDS,
                 since=SINCE)  # fmt: skip
    def server_that_does_not_answer(
        self, run: ScenarioRuns, new_session: NewSession, record_property: RecordProperty
    ) -> None:
        """A server that does not answer holds up no event loop; when it answers after all, or the client has given up
        with an error, nothing is lost or doubled.
        """
        run.once(loop_goes_on)
        calm = run.once(wire.calm_talk)
        number = calm.exchanges - 1  # of the last message, or of what is stored at the end
        session = new_session()
        timeline, gave_up = _played_without_an_answer(session, number)
        how = "the client gave up by itself" if gave_up else f"the client waited for more than {_PATIENCE_S:g} s"
        record_property("measured", f"an answer that did not come: {how}")
        where = f"where exchange {number + 1} of {calm.exchanges} has no answer for long"
        wire.expect_nothing_lost_or_doubled(session, timeline, calm, where)

    @requirement("NET-08", level=Level.SHOULD, source="F: servers and proxies close idle connections", needs=NEEDS,
                 since=SINCE)  # fmt: skip
    def idle_connections(self, new_session: NewSession) -> None:
        """An idle connection that the server closed is noticed: the next message is stored, and no error told of."""
        session = new_session()

        @contextmanager
        def dropped() -> Iterator[None]:
            for seam in wire.seams_of(session):
                seam.drop_idle()
            yield

        timeline = _converse(
            session, Script().user("before").assistant("noted"), dropped, Script().user("afterwards").assistant("again")
        )
        _expect_stored_since_then(session, timeline, "after idle connections were closed")
        for failure in timeline.of(Failed):
            violated("after idle connections were closed, the next message is stored", failure.told, timeline, failure)

    @requirement("NET-09", level=Level.SHOULD, source="F: a round trip is what a message costs on a network",
                 needs=NEEDS, since=SINCE)  # fmt: skip
    def round_trips(self, new_session: NewSession, record_property: RecordProperty) -> None:
        """Round trips a message, and a restore, do not grow with the history."""
        counted = {turns: Counted(new_session(), turns) for turns in _TURNS}
        (few, many) = (counted[turns] for turns in _TURNS)
        record_property(
            "measured",
            f"{few.a_message:.1f} round trips and {few.bytes_a_message:,.0f} bytes a message, {few.restoring} round"
            f" trips a restore of {few.messages} messages; {many.a_message:.1f},"
            f" {many.bytes_a_message:,.0f} and {many.restoring} with {many.messages}",
        )
        if many.a_message > few.a_message * _GROWTH:
            violated(
                f"a message takes as many round trips with {many.messages} messages as with {few.messages}:"
                f" {few.a_message:.1f}",
                f"it takes {many.a_message:.1f}",
            )
        if many.restoring > few.restoring + _PAGES:
            violated(
                f"a restore takes as many round trips with {many.messages} messages as with {few.messages}:"
                f" {few.restoring}, and at most {_PAGES} more for pages",
                f"it takes {many.restoring}",
            )

    @requirement("NET-10", level=Level.SHOULD, source="F: a server accepts so many connections, and no more",
                 needs=NEEDS, since=SINCE)  # fmt: skip
    def connections(self, new_session: NewSession, record_property: RecordProperty) -> None:
        """A conversation opens connections once, however many messages it has, and not one a message; managers that
        were closed leave none behind that add up.
        """
        few, many = (Counted(new_session(), turns) for turns in _TURNS)
        session, left = new_session(), []
        for number in range(_MANAGERS):
            expect_no_failure(play(session, Script().user(f"to manager {number}"), observing=False))
            gc.collect()  # what has no way to be closed is let go of
            left.append(sum(seam.open_connections for seam in wire.seams_of(session)))
        record_property(
            "measured",
            f"{many.connections} connections a conversation, {left[-1]} open after {_MANAGERS} managers were closed",
        )
        if many.connections > few.connections + 1:
            violated(
                f"a conversation of {many.messages} messages opens as many connections as one of {few.messages}:"
                f" {few.connections}",
                f"it opens {many.connections}",
            )
        if left[-1] > left[0] + 1:
            violated(
                f"after {_MANAGERS} managers were closed no more connections are open than after one: {left[0]}",
                f"{left[-1]} are open",
            )

    @requirement("NET-11", level=Level.SHOULD, source="F: servers remove what has expired key by key", needs=NEEDS,
                 since=SINCE)  # fmt: skip
    def expiry(self, new_session: NewSession, record_property: RecordProperty) -> None:
        """Expiry (TTL) removes a session whole or not at all."""
        record_property("measured", expect_whole_or_nothing(new_session()))

    @requirement("NET-12", level=Level.SHOULD, source="F: logs and reports are posted, and kept", needs=NEEDS,
                 since=SINCE)  # fmt: skip
    def secrets(self, new_session: NewSession) -> None:
        """The password that its server is reached with stands in no error, no warning and no log."""
        expect_secrets_kept(new_session())

    @requirement("NET-13", source="D: session management, 'persistence before hooks'",
                 needs=[*NEEDS, Capability.FRESH_PROCESS], promise=Durability.MESSAGE, since=SINCE)  # fmt: skip
    @attributed_by(_persistence_before_hooks)
    def process_that_is_killed(self, run: ScenarioRuns, new_session: NewSession, record_property: RecordProperty
                               ) -> None:  # fmt: skip
        """Where a process is killed before a request of its arrives, or after it was carried out, all acknowledged
        messages are restored, in order, and at most the unacknowledged one beside them.
        """
        calm, kills = run.once(wire.calm_talk), 0
        places = places_of_faults(calm.requests, _KILLS)
        cuts = [(number, WireFault.CUT_BEFORE) for number in places]
        cuts += [(number, WireFault.CUT_AFTER) for number in places[:: _KILLS // _CARRIED_OUT]]
        for number, fault in cuts:
            session = new_session()
            timeline = killed_at_exchange(session, wire.TALK, number, fault)
            if timeline is None:
                continue
            kills += 1
            reading = within_limit(session.read, "restoring")
            where = f"where exchange {number + 1} of {calm.exchanges} is {fault.value} and its process killed"
            wire.expect_once_and_in_order(timeline, reading, where)
            acknowledged = Acknowledged(timeline)
            for message, whole in zip(reading.messages, calm.reading.messages, strict=False):
                if wire.said([message]) == wire.said([whole]):
                    acknowledged.allow(message)  # carried out, and its answer reached nobody
            problem = acknowledged.missing(reading, len(timeline) - 1)
            beside = wire.not_told_of(timeline, reading)
            if len(beside) > 1:
                problem = problem or f"more came back than was under way: {'; '.join(wire.shown(beside))}"
            if problem is not None:
                violated(
                    "after a kill at any exchange with its server, all acknowledged messages are restored",
                    f"{where}, {problem}",
                    timeline,
                )
            session.workspace.drop()
        record_property("measured", f"{kills} kills, of {calm.exchanges} exchanges of a conversation")


_MANAGERS = 4

_KILLS = 12
"""At how many exchanges a process is killed before they arrive."""

_CARRIED_OUT = 3
"""At how many of them another one is killed after they were carried out."""

_TURNS = (5, 40)
"""Turns of the conversations whose round trips are counted: messages of a user and of an assistant."""

_GROWTH = 1.2
_PAGES = 4
"""What is done now and then, and what comes in pages, may be some more with a longer history."""


def _all_from(first: int) -> wire.Faults:
    return lambda number, request: WireFault.CUT_BEFORE if number >= first else None


def _all_like(request: bytes) -> wire.Faults:
    """Let requests of one kind fail, as often as they are sent: a client that sends again what failed gives up."""
    kind = kind_of_request(request)
    return lambda number, request: WireFault.CUT_BEFORE if kind_of_request(request) == kind else None


def _only(number: int, fault: WireFault = WireFault.CUT_BEFORE) -> wire.Faults:
    return lambda n, request: fault if n == number else None


def _expect_exact(run: ScenarioRuns, new_session: NewSession, kinds: tuple[WireFault, ...]) -> None:
    """Play the talk with each fault at each exchange, each alone."""
    calm = run.once(wire.calm_talk)
    for fault in kinds:
        for number in places_of_faults(calm.requests):
            session = new_session()
            with wire.faults(session, _only(number, fault)) as met:
                timeline = play(session, wire.TALK, observing=False)
            if met.faults:
                where = f"where exchange {number + 1} of {calm.exchanges} is {fault.value}"
                wire.expect_nothing_lost_or_doubled(session, timeline, calm, where)
            session.workspace.drop()


def _converse(session: Session, before: Script, meanwhile: Callable[[], Any], afterwards: Script) -> Timeline:
    """Play two scripts with one manager and one agent, and something between them."""
    conversation: list[Conversation] = []

    async def main() -> None:
        conversation.append(Conversation(session, Script(), observing=False))
        steps: list[Step] = [Start(), *before.steps]
        for step in steps:
            await conversation[0].step(step)
        with meanwhile():
            pass
        for step in [*afterwards.steps, Stop()]:
            await conversation[0].step(step)

    with tolerating_warnings():
        within_limit(lambda: clock.run(main()), "the conversation")
    return conversation[0].timeline


def _expect_stored_since_then(session: Session, timeline: Timeline, when: str) -> None:
    """Report a violation unless what was said before and afterwards is stored, once and in order."""
    reading = within_limit(session.read, "restoring")
    expect_readable(reading, when, timeline)
    wire.expect_once_and_in_order(timeline, reading, when)
    stored = {message.get("tracking_id") for message in reading.messages}
    for message in timeline.of(AgentStopped)[-1].memory if timeline.of(AgentStopped) else ():
        meanwhile = message["content"] == [{"text": "meanwhile"}]
        if message.get("tracking_id") not in stored and not meanwhile:
            violated(
                f"{when} the same manager stores the next message, and all that was acknowledged is there",
                f"{one_message(message)} is not; what is stored is:"
                f" {'; '.join(wire.shown(reading.messages)) or 'nothing'}",
                timeline,
                *timeline.of(Failed),
            )


def _server_of(session: Session, request: pytest.FixtureRequest) -> Service:
    """Return the server of a session, which is to be killed."""
    service = session.workspace.places[0].service
    if not service.can_be_killed:
        raise NotApplicable(f"{service.name} runs already, or in this process: the harness does not kill it")
    return service


@contextmanager
def _restarted(service: Service) -> Iterator[None]:
    with service.killed():
        yield


def _spread(exchanges: int, count: int) -> list[int]:
    return sorted({exchanges * (2 * number + 1) // (2 * count) for number in range(count)})


def _killed_while_it_answers(session: Session, service: Service, number: int) -> Timeline:
    """Play the talk, and kill the server when it has carried an exchange out and has not answered yet."""
    with wire.faults(session, _only(number, WireFault.HELD)):
        talk = _Talk(session)
        if talk.waits_for_an_answer():
            with service.killed():
                pass
        return talk.finish()


def _played_without_an_answer(session: Session, number: int) -> tuple[Timeline, bool]:
    """Play the talk with no answer to an exchange, for long, and say whether the client gave up by then."""
    with wire.faults(session, _only(number, WireFault.HELD)):
        talk = _Talk(session)
        gave_up = not talk.waits_for_an_answer() or talk.is_over(_PATIENCE_S)
    return talk.finish(), gave_up


class _Talk:
    """The talk, played in a thread of its own."""

    def __init__(self, session: Session) -> None:
        self._seams = wire.seams_of(session)
        self._played: list[Timeline] = []
        self._thread = threading.Thread(
            target=lambda: self._played.append(play(session, wire.TALK, observing=False)), daemon=True
        )
        self._thread.start()

    def waits_for_an_answer(self) -> bool:
        """Wait until an answer is held, and return whether one is; False if the talk ends before that."""
        while self._thread.is_alive():
            if any(seam.wait_for_held(_LOOK_S) for seam in self._seams):
                return True
        return False

    def is_over(self, seconds: float) -> bool:
        """Wait for its end for some seconds, and return whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def finish(self) -> Timeline:
        """Return what happened.

        Raises:
            Violation: It does not end.
        """
        if not self.is_over(_LIMIT_S) or not self._played:
            violated("the conversation comes to its end", f"it does not, within {_LIMIT_S:g} s")
        return self._played[0]


_LOOK_S = 0.05
_PATIENCE_S = 10.0
_LIMIT_S = 120.0
"""In seconds of real time: how often is looked, how long an answer stays away, and when a talk is called hung."""


__all__ = ["StorageBehindANetwork"]
