"""Truly new processes: work that shares nothing with this one but the workspace."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import pickle
import signal
import socket
import struct
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from ..backends import BackendSpec, Workspace, living
from ..process import (
    FROM_OUTSIDE,
    HANG_LIMIT_S,
    Hang,
    Watch,
    close_all,
    collecting_warnings,
    moment,
    note_warned,
    take_warned,
    waits_ended,
)
from ..sdk import SdkLacks
from ..timeline import Reading
from .bidi import Session
from .teams import Team
from .text_agent import TextAgent

Die = Callable[[str], object]
"""Hands a result to the parent and ends this process at once, as a power switch or ``kill -9`` would."""

_END_LIMIT_S = 5.0
"""In seconds: how long a process that has answered may take to end. A thread that goes on for ever never lets it."""

_PR_SET_PTRACER = 0x59616D61  # prctl(2)
_ANY_PROCESS = -1

_bookkeeping = threading.Lock()
"""Held while a process is started or let go of: ``multiprocessing`` asks after all of them whenever one starts, also
after those that another thread is just closing, whose descriptors may be another file's by then."""

_PRELOAD = ["pytest", "session_conformance.harness.conversations.fresh_process"]
"""What the server loads before it forks. ``multiprocessing`` lets each new process run the script that this one was
started with, up to where it asks for its name, and pytest's imports pytest."""


class ProcessDied(Exception):
    """A process that the harness started ended without an answer: the backend, or something it uses, ended it."""


def warm_up() -> None:
    """Begin to load the SDK in the server that new processes are forked from, so that the first one is not slow.

    The server never loads a backend: what it forks knows nothing of earlier conversations.
    """
    context = _context()
    if context.get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()


def _context() -> Any:
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(_PRELOAD)
    return context


def same_moment(processes: int) -> Barrier:
    """Return what so many new processes, that are given it, wait at until all of them are there."""
    barrier: Barrier = _context().Barrier(processes)
    return barrier


def in_fresh_process(
    work: Callable[..., str],
    session: Session,
    *arguments: Any,
    limit_s: float = HANG_LIMIT_S,
    watched: Callable[[int], AbstractContextManager[object]] | None = None,
) -> str:
    """Return what ``work(session, die, *arguments)`` returns, or was told to die with, in a new process.

    Args:
        work: A function of a module, so that the process finds it.
        session: The session; its backend is found again by its importable name.
        arguments: More arguments, which must be picklable.
        limit_s: Seconds after which a process that does nothing any more is called hung.
        watched: Given the process's id, returns what is entered before its work begins and left when it has ended.

    Raises:
        Hang: The process did not answer in time. It is killed.
        ProcessDied: It ended without an answer.
        SdkLacks: The installed SDK cannot do what the work needs.
        ValueError: The backend was not given by an importable name.
    """
    spec = session.backend.spec
    if spec is None:
        raise ValueError(f"backend {session.backend.name} has no importable name, so no other process can open it")
    context = _context()
    ours, theirs = context.Pipe()
    where = (session.workspace, session.session_id, session.agent_id, session.text_agent, session.team)
    given = (theirs, list(sys.path), spec, where, watched is not None, work, arguments)
    process = _started(context, given)
    theirs.close()
    try:
        with contextlib.ExitStack() as watching:
            succeeded, answer = _answer(process, ours, limit_s)
            if watched is not None and succeeded:  # that was its word that it is ready
                watching.enter_context(watched(process.pid))
                watching.callback(_end, process)
                ours.send("go")
                succeeded, answer = _answer(process, ours, limit_s)
    finally:
        ours.close()
        _end(process)
        _let_go_of(process)
    if isinstance(answer, SdkLacks):
        raise answer
    if not succeeded:
        raise ProcessDied(answer)
    return str(answer)


def _started(context: Any, given: tuple[Any, ...]) -> Any:
    """Return a new process that runs ``_child``."""
    process = context.Process(target=_child, args=given, daemon=True)
    with _bookkeeping:
        process.start()
    return process


def _end(process: Any) -> None:
    """Wait until a process has ended. One that does not is ended: it has given its answer, or never will."""
    if not wait([process.sentinel], _END_LIMIT_S):
        process.kill()
    with _bookkeeping:
        process.join()


def _let_go_of(process: Any) -> None:
    """Give back what a process that has ended still takes."""
    with _bookkeeping:
        process.close()


def _answer(process: Any, ours: Connection, limit_s: float) -> tuple[bool, str | SdkLacks]:
    watch = Watch(lambda: None, lambda: waits_ended(None, process.pid), limit_s)
    while not ours.poll(watch.pause_s):
        if not watch.goes_on():
            process.kill()
            raise Hang(f"a process did not end within {limit_s:g} s")
    answer: tuple[bool, str | SdkLacks]
    try:
        answer, meanwhile = ours.recv()
        note_warned(meanwhile)
        moment()  # something is going on
    except (EOFError, ConnectionResetError):
        _end(process)
        raise ProcessDied(f"a process ended with code {process.exitcode} and without an answer") from None
    return answer


def _child(
    parent: Connection,
    path: list[str],
    spec: BackendSpec,
    where: tuple[Workspace, str, str, TextAgent | None, Team | None],
    watched: bool,
    work: Callable[..., str],
    arguments: tuple[Any, ...],
) -> None:
    sys.path[:] = path
    logging.getLogger().addHandler(logging.NullHandler())  # else warnings would be printed between the verdicts

    def die(answer: str) -> None:
        _tell(parent, (True, answer))
        os.kill(os.getpid(), signal.SIGKILL)

    os.environ.update(where[0].environment)
    life = contextlib.ExitStack()
    life.enter_context(collecting_warnings())  # told with the answer
    warnings.simplefilter("always")
    try:
        backend = spec.resolve()
        life.enter_context(living(backend.lifespan))
        session = Session(backend, *where)
        if watched:
            _let_others_trace()
            _tell(parent, (True, "ready"))
            parent.recv()
        answer: tuple[bool, str | SdkLacks] = (True, work(session, die, *arguments))
    except SdkLacks as error:
        answer = (False, error)
    except FROM_OUTSIDE:
        raise
    except BaseException as error:
        answer = (False, f"{type(error).__name__}: {error}")
    with contextlib.suppress(OSError):  # the parent is gone: nobody asks any more
        _tell(parent, answer)
    close_all()  # as an application does that ends well
    life.close()


def _tell(parent: Connection, answer: tuple[bool, str | SdkLacks]) -> None:
    """Send an answer as ``Connection.send`` does, but with a call that faults in writing files do not reach."""
    told = (answer, take_warned())
    if sys.platform == "win32":  # where pipes are no sockets, and no faults are injected
        parent.send(told)
        return
    data = pickle.dumps(told)
    with socket.socket(fileno=os.dup(parent.fileno())) as pipe:
        pipe.sendall(struct.pack("!i", len(data)) + data)


def _let_others_trace() -> None:
    """Let a process that is no ancestor trace this one, where Yama would forbid it (``ptrace_scope`` 1)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PTRACER, ctypes.c_ulong(_ANY_PROCESS), 0, 0, 0)


class ReadingProcess:
    """A process that reads a session again and again, each time in another folder, and shares nothing else with this.

    Args:
        session: The session. Its backend is found again by its importable name.

    Raises:
        ValueError: The backend was not given by an importable name.
    """

    def __init__(self, session: Session) -> None:
        if session.backend.spec is None:
            raise ValueError(f"backend {session.backend.name} has no importable name, so no other process can open it")
        self._session = session
        self._process: Any = None
        self._ours: Any = None

    def begin(self, folder: Path) -> None:
        """Let it read the session in a folder; :meth:`reading` has the outcome."""
        if self._process is None:
            self._start()
        self._ours.send(str(folder))

    def reading(self) -> Reading:
        """Return what it found stored.

        Raises:
            Hang: It did not answer in time. It is ended, and the next reading is another process's.
            ProcessDied: It ended without an answer.
        """
        try:
            succeeded, answer = _answer(self._process, self._ours, HANG_LIMIT_S)
        except (Hang, ProcessDied):
            self.close()
            raise
        if not succeeded:
            self.close()
            raise ProcessDied(answer)
        assert isinstance(answer, str)
        return Reading.from_json(answer)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._ours.close()  # at which it ends by itself
            _end(self._process)
            _let_go_of(self._process)
            self._process = None

    def _start(self) -> None:
        session, context = self._session, _context()
        self._ours, theirs = context.Pipe()
        where = (session.workspace, session.session_id, session.agent_id, session.text_agent, session.team)
        given = (theirs, list(sys.path), session.backend.spec, where, False, _read_again, (theirs,))
        self._process = _started(context, given)
        theirs.close()


def _read_again(session: Session, _: Die, parent: Connection) -> str:
    with contextlib.suppress(EOFError, OSError):
        while True:
            workspace = replace(session.workspace, folder=Path(parent.recv()))
            _tell(parent, (True, replace(session, workspace=workspace).read().to_json()))
    return ""


def read_in_fresh_process(session: Session) -> Reading:
    """Return what a reader in a new process finds stored."""
    return Reading.from_json(in_fresh_process(_read_in_child, session))


def _read_in_child(session: Session, _: Die) -> str:
    return session.read().to_json()
