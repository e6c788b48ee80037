"""What was opened: session managers and others, closed where they were opened, at the latest by who has judged them.

A manager may have a connection, a lock or a thread until it is closed. One that lives on takes them from those that are
opened after it, and what it holds is then blamed on them.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .patience import note_hang, patience_now

Close = Callable[[], object]
"""Closes something. What it returns is awaited where it can be."""

_CLOSE_LIMIT_S = 10.0
"""In seconds: how long something may take to be closed by a thread that has not opened it."""


@dataclass(eq=False)
class _Opened:
    thing: Any
    close: Close
    thread: int
    number: int

    @property
    def name(self) -> str:
        return type(self.thing).__name__


_opened: list[_Opened] = []
_troubles: list[tuple[str, type[BaseException]]] = []
_lock = threading.Lock()
_numbers = itertools.count()
_latest = 0


def way_to_close(thing: Any) -> Close | None:
    """Return what closes something: ``close()``, ``aclose()``, or what leaves it as a context manager; or None."""
    for name, given in (("close", ()), ("aclose", ()), ("__exit__", (None,) * 3), ("__aexit__", (None,) * 3)):
        method = getattr(thing, name, None)
        if callable(method) and _takes(method, given):
            return lambda method=method, given=given: method(*given)  # type: ignore[misc]
    return None


def _takes(method: Callable[..., Any], given: tuple[Any, ...]) -> bool:
    try:
        inspect.signature(method).bind(*given)
    except TypeError:
        return False
    except ValueError:  # what is written in C need not say
        return True
    return True


def will_be_closed(thing: Any, close: Close | None) -> None:
    """Note something that was opened just now, by this thread, to be closed later; None where nothing closes it."""
    if close is not None:
        with _lock:
            _opened.append(_Opened(thing, close, threading.get_ident(), _next()))


def moment() -> int:
    """Return a number for this moment: what is opened from now on is said to be opened since."""
    with _lock:
        return _next()


def latest_moment() -> int:
    """Return the number that was given last: where it grows, something is going on."""
    return _latest


def _next() -> int:
    global _latest
    _latest = next(_numbers)
    return _latest


def is_open(thing: Any) -> bool:
    """Whether something was noted and not closed yet."""
    with _lock:
        return any(one.thing is thing for one in _opened)


@contextmanager
def closing(thing: Any) -> Iterator[None]:
    """Close something at the end, if it was noted. What only an event loop can close is left to the loop that runs."""
    try:
        yield
    finally:
        for one in _taken(lambda one: one.thing is thing):
            _close_here(one)


def close_opened_by_thread(since: int) -> None:
    """Close what this thread has opened since a moment and nobody has closed, latest first."""
    for one in _taken(_of_this_thread(since)):
        _close_here(one)


async def close_opened_by_loop(since: int) -> None:
    """Do the same on the event loop that runs in this thread."""
    for one in _taken(_of_this_thread(since)):
        try:
            closed = one.close()
            if inspect.isawaitable(closed):
                await closed
        except Exception as error:
            _trouble(one, error)


def close_all() -> None:
    """Close what is still open, whoever has opened it.

    What another thread has opened is closed by a third one, which is not waited for for ever: the first may have died
    with a lock in its hand.
    """
    close_opened_by_thread(0)
    for one in _taken(lambda _: True):
        closer = threading.Thread(target=_close_here, args=(one,), name=f"conformance: closing {one.name}", daemon=True)
        closer.start()
        closer.join(patience_now().limit_s(_CLOSE_LIMIT_S))
        if closer.is_alive():
            note_hang()
            _troubles.append((f"closing {one.name} did not end within {_CLOSE_LIMIT_S:g} s", TimeoutError))


def troubles() -> list[tuple[str, type[BaseException]]]:
    """Return what closing has raised so far: in words, and the kind of exception."""
    return list(_troubles)


def _of_this_thread(since: int) -> Callable[[_Opened], bool]:
    here = threading.get_ident()
    return lambda one: one.thread == here and one.number >= since


def _taken(wanted: Callable[[_Opened], bool]) -> list[_Opened]:
    """Take what is wanted from the list: it is closed once, by whoever takes it."""
    with _lock:
        found = [one for one in _opened if wanted(one)]
        _opened[:] = [one for one in _opened if one not in found]
    return found[::-1]


def _close_here(one: _Opened) -> None:
    try:
        closed = one.close()
        if not inspect.isawaitable(closed):
            return
        if asyncio._get_running_loop() is not None:
            will_be_closed(one.thing, lambda: closed)  # by the loop, when its work is done
        else:
            asyncio.run(_finish(closed))
    except Exception as error:
        _trouble(one, error)


async def _finish(closed: Any) -> None:
    await closed


def _trouble(one: _Opened, error: BaseException) -> None:
    _troubles.append((f"closing {one.name} raised {type(error).__name__}: {error}", type(error)))
