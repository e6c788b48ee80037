"""Truly new processes: work that shares nothing with this one but the workspace."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from .backend_spec import BackendSpec
from .conversation import Session
from .hang import HANG_LIMIT_S, Hang
from .timeline import Reading
from .workspace import Workspace

Die = Callable[[str], object]
"""Hands a result to the parent and ends this process at once, as a power switch or ``kill -9`` would."""

_PRELOAD = ["session_conformance.harness.fresh_process"]


class ProcessDied(Exception):
    """A process of the harness ended without an answer: the backend, or something below it, ended it."""


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


def in_fresh_process(work: Callable[..., str], session: Session, *arguments: Any, limit_s: float = HANG_LIMIT_S
                     ) -> str:  # fmt: skip
    """Return what ``work(session, die, *arguments)`` returns, or was told to die with, in a new process.

    Args:
        work: A function of a module, so that the process finds it.
        session: The session; its backend is found again by its importable name.
        arguments: More arguments, which must be picklable.
        limit_s: Seconds after which the process is called hung.

    Raises:
        Hang: The process did not answer in time. It is killed.
        ProcessDied: It ended without an answer.
        ValueError: The backend was not given by an importable name.
    """
    spec = session.backend.spec
    if spec is None:
        raise ValueError(f"backend {session.backend.name} has no importable name, so no other process can open it")
    context = _context()
    ours, theirs = context.Pipe(duplex=False)
    where = (session.workspace, session.session_id, session.agent_id)
    process = context.Process(target=_child, args=(theirs, list(sys.path), spec, where, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(limit_s):
            process.kill()
            raise Hang(f"a process did not end within {limit_s:g} s")
        try:
            succeeded, answer = ours.recv()
        except EOFError:
            process.join()
            raise ProcessDied(f"a process ended with code {process.exitcode} and without an answer") from None
    finally:
        ours.close()
        process.join()
        process.close()
    if not succeeded:
        raise ProcessDied(answer)
    return str(answer)


def _child(
    answers: Connection,
    path: list[str],
    spec: BackendSpec,
    where: tuple[Workspace, str, str],
    work: Callable[..., str],
    arguments: tuple[Any, ...],
) -> None:
    sys.path[:] = path
    logging.getLogger().addHandler(logging.NullHandler())  # else warnings would be printed between the verdicts

    def die(answer: str) -> None:
        answers.send((True, answer))
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        answers.send((True, work(Session(spec.resolve(), *where), die, *arguments)))
    except Exception as error:
        answers.send((False, f"{type(error).__name__}: {error}"))


def read_in_fresh_process(session: Session) -> Reading:
    """Return what a reader in a new process finds stored."""
    return Reading.from_json(in_fresh_process(_read_in_child, session))


def _read_in_child(session: Session, _: Die) -> str:
    return session.read().to_json()
