"""Truly new processes: work that shares nothing with this one but the workspace."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import pickle
import signal
import socket
import struct
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from ..backends import Backend, living
from ..process import (
    FROM_OUTSIDE,
    HANG_LIMIT_S,
    WAITS_LIMIT_S,
    Hang,
    Watch,
    close_all,
    collecting_warnings,
    end_as_an_interpreter,
    kill_with_its_forks,
    lead_its_forks,
    moment,
    note_hang,
    note_warned,
    patience_now,
    say_where_it_stands,
    take_warned,
    waits_ended,
    where_it_stands,
)
from ..s3 import data_files_kept
from ..sdk import SdkLacks
from ..timeline import Reading
from ._processes import Load, NewProcess, inherits, new_process, next_process
from .bidi import Session

Die = Callable[[str], object]
"""Hands a result to the parent and ends this process at once, as a power switch or ``kill -9`` would."""

_PR_SET_PTRACER = 0x59616D61  # prctl(2)
_ANY_PROCESS = -1

_NO_MORE = ("no more work",)
"""What a process is given that is to end by itself."""


class ProcessDied(Exception):
    """A process that the harness started ended without an answer: the backend, or something it uses, ended it."""


def in_fresh_process(
    work: Callable[..., str],
    session: Session,
    *arguments: Any,
    limit_s: float = HANG_LIMIT_S,
    watched: Callable[[int], AbstractContextManager[object]] | None = None,
    must_end: bool = False,
) -> str:
    """Return what ``work(session, die, *arguments)`` returns, or was told to die with, in a new process.

    Args:
        work: A function of a module, so that the process finds it.
        session: The session; its backend is found again by its importable name.
        arguments: More arguments, which must be picklable.
        limit_s: Seconds after which a process that does nothing any more is called hung.
        watched: Given the process's id, returns what is entered before its work begins and left when it has ended.
        must_end: Whether it is to end by itself, as an interpreter does: it waits for threads, and calls exit handlers.

    Raises:
        Hang: The process did not answer in time, or did not end where it must. It is killed.
        ProcessDied: It ended without an answer.
        SdkLacks: The installed SDK cannot do what the work needs.
        ValueError: The backend was not given by an importable name.
    """
    started = _at_work(session, watched is not None, work, arguments)
    try:
        with contextlib.ExitStack() as watching:
            succeeded, answer = _answer(started, limit_s)
            if watched is not None and succeeded:  # that was its word that it is ready
                watching.enter_context(watched(started.process.pid))
                watching.callback(started.end)
                started.give("go")
                succeeded, answer = _answer(started, limit_s)
            if must_end and succeeded:
                started.give(_NO_MORE)
                _expect_end(started, limit_s)
    finally:
        started.end()
    if isinstance(answer, SdkLacks):
        raise answer
    if not succeeded:
        raise ProcessDied(answer)
    return str(answer)


def _at_work(session: Session, watched: bool, work: Callable[..., str], arguments: tuple[Any, ...]) -> NewProcess:
    """Return a new process that was given its work, and let the next one get ready.

    Raises:
        ValueError: The backend was not given by an importable name.
    """
    spec = session.backend.spec
    if spec is None:
        raise ValueError(f"backend {session.backend.name} has no importable name, so no other process can open it")
    load = Load(spec, session.workspace.environment)
    if inherits(arguments):
        started = new_process(_child, load, arguments)
        started.give((_where(session), watched, work, ()))
    else:
        started = new_process(_child, load)
        started.give((_where(session), watched, work, arguments))
        next_process(_child, load)
    return started


def _where(session: Session) -> tuple[Any, ...]:
    """Return what a process makes the same session of, with the backend that it has loaded itself."""
    return (session.workspace, session.session_id, session.agent_id, session.text_agent, session.team)


def _answer(started: NewProcess, limit_s: float) -> tuple[bool, str | SdkLacks]:
    process, ours = started.process, started.ours
    now = patience_now()
    limit_s, waits_limit_s = now.limit_s(limit_s), now.waits_limit_s(WAITS_LIMIT_S)
    watch = Watch(lambda: None, lambda: waits_ended(None, process.pid), limit_s, waits_limit_s, process.pid)
    while not ours.poll(watch.pause_s):
        moment()  # whoever waits for this waits no longer than this does
        if not watch.goes_on():
            note_hang()
            stands = where_it_stands(process.pid, ours.fileno())
            kill_with_its_forks(process.pid)
            raise Hang(f"a process {watch.why}", stands)
    answer: tuple[bool, str | SdkLacks]
    try:
        answer, meanwhile = ours.recv()
        note_warned(meanwhile)
        moment()  # something is going on
    except (EOFError, ConnectionResetError):
        told = f"a process {_end(started.end())} and without an answer"
        if started.load.is_of_the_script:
            told += (
                ": it loads the script that defines the backend, which must do nothing else there than below"
                " 'if __name__ == \"__main__\":'"
            )
        raise ProcessDied(told) from None
    return answer


def _expect_end(started: NewProcess, limit_s: float) -> None:
    """Wait until a process that has nothing more to do has ended.

    Raises:
        Hang: It stands still.
    """
    id = started.process.pid  # the main thread's as well: what other threads do for ever is no progress
    limit_s, waits_limit_s = patience_now().limit_s(limit_s), patience_now().waits_limit_s(WAITS_LIMIT_S)
    watch = Watch(lambda: None, lambda: waits_ended(id, id), limit_s, waits_limit_s, id)
    while not wait([started.process.sentinel], watch.pause_s):
        moment()
        if not watch.goes_on():
            note_hang()
            stands = where_it_stands(id, started.ours.fileno())
            kill_with_its_forks(id)
            raise Hang(f"a process that has done its work and closed its managers {watch.why}", stands)


def _end(code: int | None) -> str:
    """Say how a process ended."""
    if code is not None and -code in [one.value for one in signal.Signals]:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def _child(parent: Connection, load: Load, inherited: tuple[Any, ...] | None) -> None:
    sys.path[:] = load.path
    lead_its_forks()
    say_where_it_stands(parent.fileno())
    logging.getLogger().addHandler(logging.NullHandler())  # else warnings would be printed between the verdicts
    os.environ.update(load.environment)
    life = contextlib.ExitStack()
    life.enter_context(collecting_warnings())  # told with the answer
    life.enter_context(data_files_kept())
    warnings.simplefilter("always")
    found = _loaded(load)
    entered = False

    def die(answer: str) -> None:
        _tell(parent, (True, answer))
        os.kill(os.getpid(), signal.SIGKILL)

    given = None
    while (given := _received(parent)) not in (None, _NO_MORE):
        where, watched, work, arguments = given
        try:
            if not isinstance(found, Backend):
                raise found
            if not entered:
                life.enter_context(living(found.lifespan))
                entered = True
            session = Session(found, *where)
            if watched:
                _let_others_trace()
                _tell(parent, (True, "ready"))
                parent.recv()
            answer: tuple[bool, str | SdkLacks] = (True, work(session, die, *(inherited or arguments)))
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
    if given == _NO_MORE:
        end_as_an_interpreter()


def _received(parent: Connection) -> tuple[Any, ...] | None:
    """Return the next work, or None where there is no more. Waiting for it is nothing that somebody breaks off."""
    try:
        work: tuple[Any, ...] = parent.recv()
        return work
    except (EOFError, OSError, KeyboardInterrupt):
        return None


def _loaded(load: Load) -> Backend | BaseException:
    """Return the backend, or what kept it from being loaded, which is told to whoever has work for this process."""
    try:
        return load.spec.resolve()
    except FROM_OUTSIDE:
        raise
    except BaseException as error:
        return error


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
        self._process: NewProcess | None = None

    def begin(self, folder: Path) -> None:
        """Let it read the session in a folder; :meth:`reading` has the outcome."""
        there = replace(self._session, workspace=replace(self._session.workspace, folder=folder))
        if self._process is None:
            self._process = _at_work(there, False, _read_in_child, ())
        else:
            self._process.give((_where(there), False, _read_in_child, ()))

    def reading(self) -> Reading:
        """Return what it found stored.

        Raises:
            Hang: It did not answer in time. It is ended, and the next reading is another process's.
            ProcessDied: It ended without an answer.
        """
        assert self._process is not None
        try:
            succeeded, answer = _answer(self._process, HANG_LIMIT_S)
        except (Hang, ProcessDied):
            self.close()
            raise
        if not succeeded:
            self.close()
            raise ProcessDied(answer)
        assert isinstance(answer, str)
        return Reading.from_json(answer)

    @property
    def process_id(self) -> int | None:
        """The process's id; None where there is none at the moment."""
        return None if self._process is None else self._process.process.pid

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
            self._process = None


def read_in_fresh_process(session: Session) -> Reading:
    """Return what a reader in a new process finds stored."""
    return Reading.from_json(in_fresh_process(_read_in_child, session))


def _read_in_child(session: Session, _: Die) -> str:
    return session.read().to_json()
