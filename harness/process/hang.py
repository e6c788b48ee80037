"""A limit on real time: work that does not end is named a hang, even where it blocks its thread for good.

Slowness is never judged. What goes on may take as long as it does: an event is recorded, a session is opened, or, where
one call stores a thousand messages, the system has counted that the thread has waited for something and got it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection
from concurrent.futures import thread as futures_thread
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from .forking import children, end_forks
from .memory import memory_of
from .opened import close_opened_by_thread, moment
from .patience import GROWTH_LIMIT, HANG_LIMIT_S, WAITS_LIMIT_S, note_hang, patience_now
from .raising import as_exception

logger = logging.getLogger(__name__)

T = TypeVar("T")

_WORK = futures_thread._WorkItem.run.__code__
"""What a thread of an executor stands in while it does what it was given. What it raises is the future's."""

_WAITS_FOR_WORK = futures_thread._worker.__code__
"""What each thread of an executor stands in."""

_OURS = "conformance: "
"""What the names of this harness's threads begin with."""

_WAITS_FOR_A_LOG = logging.Handler.acquire.__code__
"""What a thread stands in that waits for a handler's lock, up to Python 3.12: what it raises there, it raises with the
lock in its hand, and nobody gives it back."""

_LOG_LIMIT_S = 1.0
"""In seconds: a handler whose lock is not free for so long has lost it."""

_LOOK_S = 1.0
"""In seconds: how long nobody looks after what is watched, at most. Memory may be taken fast."""

_AT_ONCE_S = 0.05
"""In seconds: what has ended by then is not looked after at all. Nearly everything has, and to look takes as long."""

_FRAMES = 12
"""How many of a thread's innermost calls are told of where it hangs."""


class Hang(Exception):
    """Something did not end: a session manager or an agent waits for something that never comes.

    Attributes:
        where: Where the threads stand that it is about, the innermost call of each last; "" where that is another
            process's to say.
    """

    def __init__(self, text: str, where: str = "") -> None:
        super().__init__(text)
        self.where = where


def within_limit(
    work: Callable[[], T],
    what: str,
    limit_s: float = HANG_LIMIT_S,
    progress: Callable[[], object] = lambda: None,
    waits_limit_s: float = WAITS_LIMIT_S,
    growth_limit: int = GROWTH_LIMIT,
) -> T:
    """Return what ``work`` returns, or raise what it raises.

    It runs in a thread of its own, since a manager that blocks its thread cannot be interrupted. What it has opened is
    closed in that thread, too: some connections can be used nowhere else.

    Args:
        work: What is to end.
        what: What it is, in words.
        limit_s: In seconds. Where :func:`~.patience.patience_now` is short, so is this limit, and the next one.
        progress: What it returns changes while the work goes on, however slowly: storage may be far away.
        waits_limit_s: In seconds: how long the work may wait again and again without any progress.
        growth_limit: In bytes: by how much this process may grow meanwhile.

    Raises:
        Hang: For ``limit_s`` seconds it neither ended nor went on, or it grew without end. It is broken off as soon as
            it runs Python code, and so is what executors' threads are at, and threads that were started meanwhile: what
            comes next may need them, or what they take. What waits in the system for good is left behind.
        Ended: It raised ``SystemExit``, which would end the whole run.
    """
    outcome: list[Any] = []
    ended = threading.Event()
    if _broken_off:
        _let_logs_go_on()

    def target() -> None:
        begun = moment()
        try:
            outcome.extend((True, work()))
        except BaseException as error:  # handed to the caller, whatever it is
            outcome.extend((False, as_exception(error)))
        finally:
            close_opened_by_thread(begun)
            ended.set()

    thread = threading.Thread(target=target, name=f"conformance: {what}", daemon=True)
    before, had = {one.ident for one in threading.enumerate()}, children()
    thread.start()
    if not ended.wait(_AT_ONCE_S):
        watch = Watch(
            progress,
            lambda: waits_ended(thread.native_id),
            patience_now().limit_s(limit_s),
            patience_now().waits_limit_s(waits_limit_s),
            thread=thread.native_id,
            growth_limit=growth_limit,
        )
        while not ended.wait(watch.pause_s) and thread.is_alive() and watch.goes_on():
            pass
        if not ended.is_set() and thread.is_alive():
            note_hang()
            what = f"closing what {what} has opened" if outcome else what
            _log("work=<%s> | it hangs: %s", what, where_threads_stand())
            stood = _break_off(thread, before)
            end_forks(had)
            raise Hang(f"{what} {watch.why}", stood)
    succeeded, result = outcome
    if not succeeded:
        raise result
    return result  # type: ignore[no-any-return]


class BrokenOff(BaseException):
    """Raised in a thread that stood still for too long. Nothing but a bare ``except`` keeps it from ending."""


_broken_off = 0


def broken_off() -> int:
    """Return how often something was broken off in this process: where it grows, something may be left behind."""
    return _broken_off


def _break_off(thread: threading.Thread, before: Collection[int | None]) -> str:
    """Break off a thread, what executors' threads are at, and threads that are new. Return where they stood."""
    global _broken_off
    _broken_off += 1
    stood, threads = "", list[ctypes.c_ulong]()
    for ident, frame in sys._current_frames().items():
        if frame.f_code is _WAITS_FOR_A_LOG:
            continue  # it goes on when who holds the log is broken off; else it would keep the log, once it gets it
        if ident == thread.ident or _works_for_an_executor(frame) or (ident not in before and _is_theirs(ident, frame)):
            stood += _where(ident, frame)
            threads.append(ctypes.c_ulong(ident))
    raise_in, broken_off, here = ctypes.pythonapi.PyThreadState_SetAsyncExc, ctypes.py_object(BrokenOff), _here()
    # Nothing is called from here on but what raises. Until a thread has taken such an exception all threads look for
    # it, one that waits for ever takes none, and in Python 3.11 a function that is traced, by coverage, say, looks for
    # ever. So this thread takes one, too: then nobody looks any more but those that were meant, when they wake up.
    try:
        for one in threads:
            raise_in(one, broken_off)
        while True:
            raise_in(here, broken_off)
    except BrokenOff:
        return stood


def _here() -> ctypes.c_ulong:
    return ctypes.c_ulong(threading.get_ident())


def _log(text: str, *arguments: object) -> None:
    """Log an error, and go on where the log itself is what stands still."""
    told = threading.Thread(target=logger.error, args=(text, *arguments), daemon=True)
    told.start()
    told.join(_LOG_LIMIT_S)


def _let_logs_go_on() -> None:
    """Give handlers of logs a lock anew where one was lost with a thread that was broken off just as it had got it."""
    for handler in logging.getLogger().handlers:
        lock = handler.lock
        if lock is not None and not lock.acquire(timeout=_LOG_LIMIT_S):
            handler.createLock()
        elif lock is not None:
            lock.release()


def _works_for_an_executor(frame: FrameType) -> bool:
    """Whether a thread of an executor has something to do. One that waits for work would be lost to its executor."""
    return any(caller.f_code is _WORK for caller, _ in traceback.walk_stack(frame))


def _is_theirs(ident: int, frame: FrameType) -> bool:
    """Whether a thread is neither this harness's nor an executor's: one that an executor has for later is its."""
    [name] = [one.name for one in threading.enumerate() if one.ident == ident] or [_OURS]
    if name.startswith(_OURS):
        return False
    return all(caller.f_code is not _WAITS_FOR_WORK for caller, _ in traceback.walk_stack(frame))


def where_threads_stand() -> str:
    """Return where each other thread of this process stands, the innermost call last: who waits for whom."""
    frames = sys._current_frames().items()
    return "".join(_where(ident, frame) for ident, frame in frames if ident != threading.get_ident())


def _where(ident: int, frame: FrameType) -> str:
    [name] = [thread.name for thread in threading.enumerate() if thread.ident == ident] or [str(ident)]
    return f"\n{name}:\n" + "".join(traceback.format_stack(frame)[-_FRAMES:])


class Watch:
    """Tells work that goes on from work that stands still, each time that it is asked.

    Args:
        progress: What it returns changes with each thing that was done.
        waits: What it returns changes with each wait that came to its end.
        limit_s: In seconds: how long work may stand still.
        waits_limit_s: In seconds: for how long waits are taken for progress where nothing else is seen.
        process: The process that does it.
        thread: Its thread that does it; by default any. One that has computed for ``limit_s`` seconds without progress
            goes round in circles: it waits now and then for who looks after it.
        growth_limit: In bytes: by how much that process may grow.

    Attributes:
        pause_s: In seconds: how long whoever watches may do something else.
        why: What is wrong with work that does not go on, in words.
    """

    def __init__(
        self,
        progress: Callable[[], object],
        waits: Callable[[], int | None],
        limit_s: float,
        waits_limit_s: float = WAITS_LIMIT_S,
        process: int | str = "self",
        thread: int | None = None,
        growth_limit: int = GROWTH_LIMIT,
    ) -> None:
        self._progress, self._waits = progress, waits
        self._done, self._waited = progress(), waits()
        self._limit_s, self._waits_limit_s = limit_s, max(waits_limit_s, limit_s)
        self._last_done = self._last_moved = time.monotonic()
        self._thread, self._computed = thread, computed(process, thread)
        self._process, self._size, self._growth_limit = process, memory_of(process), growth_limit
        self.pause_s = min(limit_s / 6, _LOOK_S)
        self.why = f"did not end within {limit_s:g} s"

    def goes_on(self) -> bool:
        """Whether the limits are not reached yet."""
        grown = memory_of(self._process) - self._size
        if grown > self._growth_limit:
            self.why = f"did not end before it took {grown / 2**30:.1f} GiB of memory"
            return False
        now, done, waited = time.monotonic(), self._progress(), self._waits()
        cpu_s = computed(self._process, self._thread)
        if done != self._done:
            self._last_done, self._computed = now, cpu_s
        if cpu_s - self._computed >= self._limit_s:
            self.why = f"did not end within {self._limit_s:g} s of computing"
            return False
        if done != self._done or waited != self._waited:
            self._last_moved = now
        self._done, self._waited = done, waited
        if now - self._last_done >= self._waits_limit_s:
            self.why = f"did not end within {self._waits_limit_s:g} s, in which it waited again and again"
        return now - self._last_moved < self._limit_s and now - self._last_done < self._waits_limit_s


def waits_ended(thread: int | None, process: int | str = "self") -> int | None:
    """Return how many waits of a thread have come to their end, or None where the system does not count them.

    A thread that is blocked for good ends none. Linux counts them as voluntary context switches (proc(5)).

    Args:
        thread: The system's id of the thread; None for all of the process.
        process: The process's id.
    """
    tasks = Path(f"/proc/{process}/task")
    try:
        names = [str(thread)] if thread is not None else [path.name for path in tasks.iterdir()]
        return sum(
            int(line.split()[1])
            for name in names
            for line in (tasks / name / "status").read_text().splitlines()
            if line.startswith("voluntary_ctxt_switches")
        )
    except OSError:
        return None


def computed(process: int | str = "self", thread: int | None = None) -> float:
    """Return for how many seconds a process, or one of its threads, has had a processor; 0 where nobody counts it.

    Args:
        process: The process's id.
        thread: The system's id of the thread; None for all of the process.
    """
    task = f"/proc/{process}/stat" if thread is None else f"/proc/{process}/task/{thread}/stat"
    try:
        user, system = Path(task).read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0
