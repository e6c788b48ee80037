"""Judging any script that was played: what is stored, and what models were given, is what the oracle expects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from session_conformance.harness import Reading, Script, Session, Timeline, violated
from session_conformance.harness.process import FAULT_BEGINS
from session_conformance.harness.scripts import OWN, Checkpoint, Expected, Oracle, Place, mismatch
from session_conformance.harness.sdk import SDK_EXCEPTIONS, ConnectionTimeoutError, Message
from session_conformance.harness.timeline import (
    AgentStopped,
    Event,
    Failed,
    Happened,
    HappenedElsewhere,
    HookCalled,
    ModelStarted,
    ProcessStarted,
    UserSent,
    difference,
    is_pending,
    one_message,
    same,
)

from .stored_history import find_same

REFUSALS: tuple[type[Exception], ...] = (ValueError, *SDK_EXCEPTIONS)
"""How a session id that is not an everyday one may be refused."""

SCRIPTED = frozenset({"ScriptedFailure", "HookError", ConnectionTimeoutError.__name__})
"""The types of the errors that a script asks for."""


@dataclass(frozen=True)
class _Seen:
    """An event, whose it was, and the event of the timeline that shows it."""

    place: Place
    event: Event
    shown: Event


def judge_script(session: Session, script: Script, timeline: Timeline, *, must_open: Sequence[str] = ()) -> None:
    """Report a violation unless what happened is what the script says, and what is stored is the agents' history.

    Args:
        session: Where the script was played.
        script: What should have happened.
        timeline: What did happen.
        must_open: The session ids, beside the conversation's own, that must not be refused.

    Raises:
        Violation: Storage, memory or what a model was given is not what it should be.
    """
    seen = list(_seen(session, timeline))
    refused = _refused(seen, timeline, must_open)
    _expect_failures_as_scripted(seen, script, timeline)
    oracle = Oracle.of(script, acknowledged=_acknowledged(seen), refused=refused)
    _Judgement(timeline).compare(oracle.checkpoints, [one for one in seen if _is_checkpoint(one.event)])
    _expect_told_is_stored(seen, timeline)
    _expect_at_rest(session, oracle, timeline)


def _seen(session: Session, timeline: Timeline) -> Iterator[_Seen]:
    for event in timeline:
        if isinstance(event, HappenedElsewhere):
            own_session, own_agent = event.session_id == session.session_id, event.agent_id == session.agent_id
            place = (None if own_session else event.session_id, None if own_agent else event.agent_id)
            yield _Seen(place, event.event, event)
        else:
            yield _Seen(OWN, event, event)


def _is_checkpoint(event: Event) -> bool:
    if isinstance(event, Happened):
        return event.memory is not None
    return isinstance(event, ProcessStarted | ModelStarted | AgentStopped)


def _refused(seen: Sequence[_Seen], timeline: Timeline, must_open: Sequence[str]) -> set[Place]:
    refused = set()
    for one in seen:
        if isinstance(one.event, Failed) and one.event.where == "opening the session":
            clear = one.event.is_a(*REFUSALS) and one.event.error.strip()
            if one.place == OWN or one.place[0] in must_open or not clear:
                what = "works, or is refused with ValueError or an SDK exception"
                everyday = one.place == OWN or one.place[0] in must_open
                id = "" if one.place[0] is None else f" with the id {one.place[0]!r}"
                violated(
                    f"the session{id} {'can be opened' if everyday else what}", one.event.summary, timeline, one.shown
                )
            refused.add(one.place)
    return refused


def _faulty(seen: Sequence[_Seen]) -> Iterator[tuple[_Seen, bool]]:
    """Yield each event, and whether it happened while nothing could be stored."""
    faulty = False
    for one in seen:
        if isinstance(one.event, Happened) and one.event.what == FAULT_BEGINS:
            faulty = True
        elif isinstance(one.event, Happened) and one.event.memory is not None:
            faulty = False
        yield one, faulty


def _acknowledged(seen: Sequence[_Seen]) -> list[bool]:
    """Return, for each message sent while nothing could be stored, whether the sender was not told of a failure."""
    acknowledged: list[bool] = []
    for one, faulty in _faulty(seen):
        if faulty and isinstance(one.event, UserSent):
            acknowledged.append(True)
        elif faulty and isinstance(one.event, Failed) and acknowledged:
            acknowledged[-1] = False
    return acknowledged


def _expect_failures_as_scripted(seen: Sequence[_Seen], script: Script, timeline: Timeline) -> None:
    allowed = SCRIPTED if script.auto_restart is False else SCRIPTED - {ConnectionTimeoutError.__name__}
    for one, faulty in _faulty(seen):
        unasked = isinstance(one.event, Failed) and not faulty and one.event.where != "opening the session"
        if unasked and one.event.type not in allowed:  # type: ignore[attr-defined]
            violated("the conversation goes on without an error", one.event.summary, timeline, one.shown)


@dataclass
class _Judgement:
    """Compares what was seen with what the oracle knew, in order."""

    timeline: Timeline
    memory: dict[Place, list[Message]] = field(default_factory=dict)
    """What each agent had in memory when it was seen last."""

    def compare(self, checkpoints: Sequence[Checkpoint], seen: Sequence[_Seen]) -> None:
        for checkpoint, one in zip_longest(checkpoints, seen):
            due = (checkpoint.kind, checkpoint.place) if checkpoint is not None else None
            came = (type(one.event), one.place) if one is not None else None
            if due != came:
                violated(
                    f"{due[0].__name__ if due else 'the end'} comes next, as the script says",
                    one.event.summary if one is not None else "the end",
                    self.timeline,
                    (one or seen[-1]).shown,
                )
            self._compare(checkpoint, one)

    def _compare(self, checkpoint: Checkpoint, one: _Seen) -> None:
        event = one.event
        if isinstance(event, ModelStarted):
            self._expect(checkpoint, event.messages, "the model is given the whole conversation", one)
            return
        memory: list[Message] = getattr(event, "memory", [])
        if isinstance(event, ProcessStarted):
            self._expect(checkpoint, memory, "the session is restored as it was said", one)
            self._expect_continuity(checkpoint, memory, one)
            if not same(event.state, checkpoint.state):
                violated(f"the state {checkpoint.state!r} is restored", f"{event.state!r}", self.timeline, one.shown)
        else:
            self._expect(checkpoint, memory, "the agent has in memory what was said", one)
            self._expect_stored(checkpoint, event, memory, one)
        self.memory[one.place] = memory

    def _expect(self, checkpoint: Checkpoint, found: Sequence[Message], what: str, one: _Seen) -> None:
        differs = mismatch(checkpoint.history, found)
        if differs is not None:
            violated(f"{what}, {len(checkpoint.history)} messages", differs, self.timeline, one.shown)

    def _expect_continuity(self, checkpoint: Checkpoint, restored: Sequence[Message], one: _Seen) -> None:
        if not checkpoint.new and one.place in self.memory:
            memory = self.memory[one.place]  # after it, the application may have called tools
            before = without_unstored(memory, checkpoint.history[: len(memory)], restored)
            differs = difference(before, restored[: len(before)])
            if differs is not None:
                violated("the session is restored exactly", differs, self.timeline, one.shown)

    def _expect_stored(self, checkpoint: Checkpoint, event: Any, memory: list[Message], one: _Seen) -> None:
        # A placeholder says nothing yet: it may be stored with what will replace it, and at the latest with the stop.
        stored: Reading | None = event.stored
        if stored is None:
            return
        if stored.error is not None:
            violated("the session can be read", f"a reader raised {stored.error}", self.timeline, one.shown)
        expected = without_unstored(memory, checkpoint.history, stored.messages)
        if not isinstance(event, AgentStopped):
            expected = [one for one in expected if not is_pending(one) or find_same(one, stored.messages) is not None]
        differs = difference(expected, stored.messages)
        if differs is not None:
            violated("the history is stored as in memory", differs, self.timeline, one.shown)
        if isinstance(event, AgentStopped):
            for where, state in (("in memory", event.state), ("stored", stored.state)):
                if not same(state, checkpoint.state):
                    violated(
                        f"after stop() the state {checkpoint.state!r} is {where}",
                        f"{state!r}",
                        self.timeline,
                        one.shown,
                    )


def without_unstored(
    memory: Sequence[Message], history: Sequence[Expected], stored: Sequence[Message]
) -> Sequence[Message]:
    """Return what is in memory without what need not be stored and is not: what was added while storage failed."""
    if len(memory) != len(history):  # an earlier process has dropped what was not stored
        return memory
    return [
        message
        for message, expected in zip(memory, history, strict=True)
        if not expected.optional or find_same(message, stored) is not None
    ]


def _expect_told_is_stored(seen: Sequence[_Seen], timeline: Timeline) -> None:
    """Report a violation if a hook was told of a message that was not stored then, or not after a fault.

    A placeholder of a stream says nothing yet, and need not be.
    """
    told: list[_Seen] = []
    for one, faulty in _faulty(seen):
        event = one.event
        if isinstance(event, HookCalled) and event.message is not None and not is_pending(event.message):
            if event.stored is not None:
                if event.stored.error is not None:
                    violated("the session can be read", f"a reader raised {event.stored.error}", timeline, one.shown)
                _expect_among(event.message, event.stored, "is stored before any hook is told of it", timeline, one)
            elif faulty:
                told.append(one)
        elif told and isinstance(event, Happened) and event.stored is not None:
            for earlier in told:
                message = getattr(earlier.event, "message", None)
                if message is not None and event.stored.error is None:
                    what = "is stored, since a hook was told of it while storage failed"
                    _expect_among(message, event.stored, what, timeline, earlier)
            told.clear()


def _expect_among(message: Message, stored: Reading, what: str, timeline: Timeline, one: _Seen) -> None:
    found = find_same(message, stored.messages)
    if found is None or difference([message], [found]) is not None:
        violated(f"{one_message(message)} {what}", f"what was stored of it was: {one_message(found)}", timeline,
                 one.shown)  # fmt: skip


def _expect_at_rest(session: Session, oracle: Oracle, timeline: Timeline) -> None:
    """Report a violation unless, when all is over, each session holds what was said in it."""
    last = list(timeline)[-2:]
    if oracle.places == {OWN} and any(isinstance(event, AgentStopped) and event.stored is not None for event in last):
        return  # it was read just then
    for place in sorted(oracle.places, key=str):
        if place in oracle.refused:
            continue
        session_id, agent_id = place
        there = replace(
            session, session_id=session_id if session_id is not None else session.session_id,
            agent_id=agent_id if agent_id is not None else session.agent_id,
        )  # fmt: skip
        reading = there.read()
        name = f"session {there.session_id!r}, agent {there.agent_id!r}"
        if reading.error is not None:
            violated(f"{name} can be read", f"a reader raised {reading.error}", timeline, *last)
        differs = mismatch(oracle.stored(place), reading.messages)
        if differs is not None:
            violated(f"{name} holds what was said there and nothing else", differs, timeline, *last)
