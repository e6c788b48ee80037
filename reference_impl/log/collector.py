"""The collector of garbage, which is kept from looking at a history while that is read.

Reading ten thousand messages makes some hundred thousand objects, none of them garbage. The collector takes that for a
reason to go through all of them, several times, and through all else that the process has: longer than the reading.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class _Readers:
    """Who reads a history, of all threads, and whether the collector was at work before the first of them."""

    lock = threading.RLock()  # the handler of a signal may restore a session while this thread holds it
    reading: ClassVar[set[object]] = set()
    was_enabled = False


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep the collector from running, unless it does not anyway.

    The handler of a signal may raise between any two steps: also then it is at work again when the last reader ends.
    """
    reader = object()
    try:
        try:
            _begin(reader)
            yield
        finally:
            _end(reader)
    finally:
        _end(reader)  # again, in case that something broke off the first one


def _begin(reader: object) -> None:
    with _Readers.lock:
        if not _Readers.reading:
            _Readers.was_enabled = gc.isenabled()
        _Readers.reading.add(reader)  # before anything is changed that has to be changed back
        gc.disable()


def _end(reader: object) -> None:
    with _Readers.lock:
        if _Readers.reading == {reader} and _Readers.was_enabled:
            gc.enable()
        _Readers.reading.discard(reader)  # after it was changed back


def _begin_anew() -> None:
    """In a child that was forked, no thread of its parent's reads any more."""
    if _Readers.reading:
        _Readers.reading.clear()
        if _Readers.was_enabled:
            gc.enable()
    _Readers.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
