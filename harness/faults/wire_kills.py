"""Kills on the wire: processes that are killed by an exchange with their server, before it arrives or after it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Lock

from ..conversations import Die, ProcessDied, Session, in_fresh_process, play
from ..scripts import Script
from ..services import WireFault
from ..timeline import Event, Timeline, acknowledged_by


def killed_at_exchange(session: Session, script: Script, number: int, fault: WireFault) -> Timeline | None:
    """Play a script in a new process that is killed by one of its exchanges with its server.

    Args:
        session: The session, of a backend on a server.
        script: What is said.
        number: The exchange, counted from 0 over all its servers.
        fault: What becomes of the exchange: ``CUT_BEFORE`` it arrives, or ``CUT_AFTER`` it was carried out.

    Returns:
        What had happened when a hook was last told of a message, or None where the process ended before.
    """
    ours, theirs = Pipe(duplex=False)
    latest = ""
    with ThreadPoolExecutor(1) as pool, _killing(session, number, fault) as victim:
        playing = pool.submit(
            in_fresh_process, _play_and_tell, session, theirs, script.to_json(), watched=victim.watched
        )
        playing.add_done_callback(lambda _: theirs.close())
        with contextlib.suppress(EOFError, OSError):
            while True:
                latest = ours.recv_bytes().decode()
        ours.close()
        error = playing.exception()
    if error is not None and not (victim.is_dead and isinstance(error, ProcessDied)):
        raise error
    return (Timeline.from_json(latest) if latest else Timeline()) if victim.is_dead else None


def _play_and_tell(session: Session, _: Die, tell: Connection, script: str) -> str:
    happened = Timeline()

    def heard(event: Event) -> None:
        happened.record(event)
        if acknowledged_by(event) is not None:
            tell.send_bytes(happened.to_json().encode())

    return play(session, Script.from_json(script), observing=False, on_record=heard).to_json()


class _Victim:
    """The process that is to be killed, known from when it is ready."""

    def __init__(self) -> None:
        self._id = 0
        self.is_dead = False

    @contextlib.contextmanager
    def watched(self, id: int) -> Iterator[None]:
        self._id = id
        yield
        self._id = 0

    def kill(self) -> None:
        if self._id:
            os.kill(self._id, signal.SIGKILL)
            self.is_dead = True


@contextlib.contextmanager
def _killing(session: Session, number: int, fault: WireFault) -> Iterator[_Victim]:
    victim, exchanges, lock = _Victim(), iter(range(2**62)), Lock()

    def choose(_: int) -> WireFault | None:
        with lock:
            if next(exchanges) != number:
                return None
        victim.kill()
        return fault

    with contextlib.ExitStack() as seams:
        for place in session.workspace.places:
            seams.enter_context(place.seam.faults(choose))
        yield victim
