"""Crashes: processes that are killed after an acknowledgement, or in the middle of a write, without any tracer."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ..conversations import Die, ProcessDied, Session, in_fresh_process, play
from ..process import die_at_writes, skew_clock
from ..scripts import Script
from ..timeline import AgentStopped, Event, Failed, HookCalled, ProcessEnded, Timeline, acknowledged_by

_A_DAY_S = 86_400.0

_AT_ONCE = 2
"""So many processes are at work at the same time, each in a session of its own."""


def crash_writing(session: Session, size: int) -> Timeline | None:
    """Let a process say something in a session and be killed by its first write that makes a file larger than ``size``.

    Args:
        session: The session, of a backend whose writes can be made to fail (``Capability.STORAGE_FAULTS``).
        size: In bytes. The write is done up to there.

    Returns:
        None if it was killed, and what happened where it went on: a backend may write in another process, or not at
        all, or be stopped by what an earlier process has left.
    """
    try:
        return Timeline.from_json(in_fresh_process(_die_writing, session, size))
    except ProcessDied:
        return None


def _die_writing(session: Session, _: Die, size: int) -> str:
    die_at_writes(size)
    return play(session, Script().user("the process dies of this message"), observing=False).to_json()


def goes_on_a_day_later(session: Session) -> bool:
    """Whether a session can be written by a process whose clock is a day ahead: what held it before has run out."""
    timeline = Timeline.from_json(in_fresh_process(_say_a_day_later, session))
    return not timeline.of(Failed)


def _say_a_day_later(session: Session, _: Die) -> str:
    skew_clock(_A_DAY_S)
    return play(session, Script().user("a day later"), observing=False).to_json()


def killed_at_acknowledgements(
    new_session: Callable[[], Session], script: Script
) -> Iterator[tuple[Session, Timeline]]:
    """Play a script in new processes, each of which is killed one acknowledgement later than the one before it.

    This needs no tracer, and finds less: a process is never killed between two operations, nor within one.

    Yields:
        The session as the killed process left it, and what had happened by then.
    """
    for session, timeline in _each_later(new_session, script, _die_at_acknowledgement):
        yield session, timeline
        if not timeline or isinstance(list(timeline)[-1], ProcessEnded):
            return


def killed_at_each_moment(new_session: Callable[[], Session], script: Script) -> Iterator[tuple[Session, Timeline]]:
    """Play a script in new processes, each of which is killed one moment later than the one before it.

    A moment is when a hook is told of a message, when a message was redacted, when a response has ended, and when an
    agent has come to rest.

    Yields:
        The session as the killed process left it, and what had happened by then.
    """
    for session, timeline in _each_later(new_session, script, _die_at_moment):
        if timeline and isinstance(list(timeline)[-1], ProcessEnded):
            return
        yield session, timeline


def _each_later(
    new_session: Callable[[], Session], script: Script, die: Callable[[Session, Die, str, int], str]
) -> Iterator[tuple[Session, Timeline]]:
    """Yield without end what comes of the script, each time in a process that is killed later than the one before it.

    The next processes are at work while one is judged.
    """
    said = script.to_json()

    def killed(number: int) -> tuple[Session, Timeline]:
        session = new_session()
        return session, Timeline.from_json(in_fresh_process(die, session, said, number))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        numbers = itertools.count(1)
        coming = deque(pool.submit(killed, next(numbers)) for _ in range(_AT_ONCE))
        try:
            while True:
                found = coming.popleft().result()
                coming.append(pool.submit(killed, next(numbers)))
                yield found
        finally:
            pool.shutdown(cancel_futures=True)


def is_end_of_turn(event: Event) -> bool:
    """Whether a turn has ended with an event, and all hooks were told of it."""
    ended = isinstance(event, HookCalled) and event.event == "response_stop" and event.position == "last"
    return ended or isinstance(event, AgentStopped)


def _die_at_moment(session: Session, die: Die, script: str, number: int) -> str:
    happened = Timeline()
    moments = 0

    def heard(event: Event) -> None:
        nonlocal moments
        happened.record(event)
        moments += acknowledged_by(event) is not None or is_end_of_turn(event)
        if moments == number:
            die(happened.to_json())

    return play(session, Script.from_json(script), observing=False, on_record=heard).to_json()


def _die_at_acknowledgement(session: Session, die: Die, script: str, number: int) -> str:
    happened = Timeline()
    acknowledged = 0

    def heard(event: Event) -> None:
        nonlocal acknowledged
        happened.record(event)
        acknowledged += acknowledged_by(event) is not None
        if acknowledged == number:
            die(happened.to_json())

    return play(session, Script.from_json(script), observing=False, on_record=heard).to_json()
