"""New processes. Some wait for their work: they have loaded a backend, which takes longest, and done nothing else."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Barrier
from typing import Any

from ..backends import Findable

_END_LIMIT_S = 5.0
"""In seconds: how long a process that has answered may take to end. A thread that goes on for ever never lets it."""

_MOST_WAITING = 2
"""So many processes wait for work at most: as many as are ever at work at the same time in most requirements."""

_PRELOAD = ["session_conformance.harness.conversations._preloaded"]

_bookkeeping = threading.Lock()
"""Held while a process is started or let go of: ``multiprocessing`` asks after all of them whenever one starts, also
after those that another thread is just closing, whose descriptors may be another file's by then."""


@dataclass(frozen=True)
class Load:
    """What a process loads before it is given its work.

    Attributes:
        spec: The backend.
        environment: The environment variables that it finds.
        path: Where its module is looked for.
    """

    spec: Findable
    environment: Mapping[str, str]
    path: list[str] = field(default_factory=lambda: list(sys.path))

    @property
    def is_of_the_script(self) -> bool:
        """Whether the script that this process was started with defines the backend."""
        return self.spec.target.partition(":")[0] == "__main__"


Main = Callable[[Connection, Load, "tuple[Any, ...] | None"], None]
"""What a process does: given the pipe to this one, what it is to load, and what only inheritance can give it."""


@dataclass
class NewProcess:
    """A process, and the pipe to it.

    Attributes:
        process: The process.
        ours: This end of the pipe.
        load: What it loads.
    """

    process: Any
    ours: Connection
    load: Load
    _code: int | None = None

    def give(self, work: object) -> None:
        """Send its work. Where it has ended meanwhile, whoever waits for its answer is told of that."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.ours.send(work)

    def end(self) -> int | None:
        """Close the pipe, at which it ends, and return its exit code. One that does not end by itself is ended."""
        if self._code is None:
            self.ours.close()
            if not wait([self.process.sentinel], _END_LIMIT_S):
                self.process.kill()
            with _bookkeeping:
                self.process.join()
                self._code = self.process.exitcode
                self.process.close()
        return self._code


class _Waiting:
    """The processes that wait for work, and how many were asked for so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: list[NewProcess] = []
        self._asked = 0

    def taken(self, load: Load) -> NewProcess | None:
        """Return one that has loaded the same, if there is one."""
        with self._lock:
            self._asked += 1
            for found in self._processes:
                if found.load == load and found.process.is_alive():
                    self._processes.remove(found)
                    return found
        return None

    def replenish(self, main: Main, load: Load) -> None:
        """Start what is missing; those that have loaded something else are needed no more."""
        with self._lock:
            others = [one for one in self._processes if one.load != load or not one.process.is_alive()]
            self._processes = [one for one in self._processes if one not in others]
            while len(self._processes) < min(self._asked, _MOST_WAITING):
                self._processes.append(_started(main, load, None))
        for one in others:
            one.end()


_waiting = _Waiting()


def new_process(main: Main, load: Load, inherited: tuple[Any, ...] | None = None) -> NewProcess:
    """Return a new process that shares nothing with this one, and has loaded a backend, or is about to.

    Args:
        main: What it does.
        load: What it loads.
        inherited: What it is given that no pipe can send it. Such a process is started now.
    """
    found = _waiting.taken(load) if inherited is None else None
    return found or _started(main, load, inherited)


def next_process(main: Main, load: Load) -> None:
    """Let the next processes of this kind get ready, while another one is at work."""
    _waiting.replenish(main, load)


def same_moment(processes: int) -> Barrier:
    """Return what so many new processes, that are given it, wait at until all of them are there."""
    barrier: Barrier = _context().Barrier(processes)
    return barrier


def inherits(arguments: tuple[Any, ...]) -> bool:
    """Whether one of some arguments can be given to a process only when it is started."""
    return any(isinstance(argument, (Connection, Barrier)) for argument in arguments)


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


def _started(main: Main, load: Load, inherited: tuple[Any, ...] | None) -> NewProcess:
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(theirs, load, inherited), daemon=True)
    with _bookkeeping, contextlib.nullcontext() if load.is_of_the_script else _without_the_script():
        process.start()
    theirs.close()
    return NewProcess(process, ours, load)


@contextlib.contextmanager
def _without_the_script() -> Iterator[None]:
    """Keep new processes from running the script that this one was started with.

    ``multiprocessing`` lets each of them do so, and has no setting for it. pytest's imports pytest, and one of a user's
    that asks for a verdict would ask for it again, in each process.
    """
    script = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {name: script[name] for name in ("__spec__", "__file__") if name in script}
    script["__spec__"] = None
    script.pop("__file__", None)
    try:
        yield
    finally:
        script.update(hidden)
