"""Writers: several processes that talk in one session, taking turns or all at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError

from ..process import FROM_OUTSIDE, HANG_LIMIT_S, clock, tolerating_warnings
from ..scripts import Script, Send, Start, Stop
from ..timeline import Failed, Timeline
from ._processes import same_moment
from .bidi import Conversation, Session
from .fresh_process import Die, in_fresh_process
from .playing import play


def begin_together(sessions: Sequence[Session], count: int) -> list[list[Timeline]]:
    """Let processes begin sessions at the same moments, each with a message of its own, and return what happened.

    Args:
        sessions: For each process the session that it begins; the same one several times, or others of one workspace.
        count: How many rounds there are; the ids of each are those of the sessions with the round's number behind them.

    Returns:
        Each process's timelines, one a round.
    """
    barrier = same_moment(len(sessions))
    with ThreadPoolExecutor(max_workers=len(sessions)) as pool:
        answers = [
            pool.submit(in_fresh_process, _begin, session, barrier, f"process {number}", count)
            for number, session in enumerate(sessions)
        ]
        return [[Timeline.from_json(one) for one in json.loads(answer.result())] for answer in answers]


def _begin(session: Session, _: Die, barrier: Barrier, name: str, count: int) -> str:
    timelines = []
    for number in range(count):
        here = replace(session, session_id=f"{session.session_id}-{number}")
        with contextlib.suppress(BrokenBarrierError):  # another process failed: the rest need not wait for it
            barrier.wait(HANG_LIMIT_S)
        timelines.append(play(here, Script().user(f"{name} in round {number}"), observing=False).to_json())
    return json.dumps(timelines)


def write_together(session: Session, names: Sequence[str], count: int, *, in_turn: bool) -> list[Timeline]:
    """Let processes write into one session and return what happened in each.

    Args:
        session: The session.
        names: A name for each process; its messages are "name 0", "name 1", ...
        count: How many messages each writes.
        in_turn: Whether they take turns, message by message, so that every interleaving is the same one; all of them
            have opened the session before the first message. Otherwise they write as fast as each can.
    """
    pipes = [Pipe(duplex=False) for _ in names]
    turns = [receiver for receiver, _ in pipes]
    nexts = [pipes[(number + 1) % len(names)][1] for number in range(len(names))]
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        answers = [
            pool.submit(in_fresh_process, _write, session, name, count, turn, following, in_turn, number == 0)
            for number, (name, turn, following) in enumerate(zip(names, turns, nexts, strict=True))
        ]
        try:
            return [Timeline.from_json(answer.result()) for answer in answers]
        finally:
            for receiver, sender in pipes:
                receiver.close()
                sender.close()


def _write(
    session: Session, _: Die, name: str, count: int, turn: Connection, following: Connection, in_turn: bool, first: bool
) -> str:
    timeline = Timeline()

    async def pass_on() -> None:
        with contextlib.suppress(BrokenPipeError):  # the next one has written all that it had to
            following.send(None)

    async def wait() -> None:
        with contextlib.suppress(EOFError):
            await asyncio.to_thread(turn.recv)

    async def main() -> None:
        conversation = None
        try:
            conversation = Conversation(session, Script(), timeline=timeline, observing=False)
            await conversation.step(Start())
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            timeline.record(Failed.by("opening the session", error))
        # Once around, so that everybody has opened the session; then a message a turn.
        if not first:
            await wait()
        await pass_on()
        for number in range(count):
            if in_turn or number == 0:
                await wait()
            if not in_turn and number == 0:
                await pass_on()
            if conversation is not None:
                await conversation.step(Send(f"{name} {number}"))
            if in_turn:
                await pass_on()
        if conversation is not None:
            await conversation.step(Stop())

    with tolerating_warnings():
        clock.run(main())
    return timeline.to_json()
