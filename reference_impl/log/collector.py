"""The collector of garbage, which is kept from looking at a history while that is read.

Reading ten thousand messages makes some hundred thousand objects, none of them garbage. The collector takes that for a
reason to go through all of them, several times, and through all else that the process has: longer than the reading.
Kept from it meanwhile, it would do so once right afterwards, which takes as long as parsing the history did. So what is
there by then counts as old, if it is much: the collector looks at it as soon as it looks at all that is old, and not
before.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

MANY = 10_000
"""So many new objects are worth the trouble: the collector goes through fewer in a fraction of a millisecond.

To see whether somebody has frozen objects takes longer than that where there are many of them, as in a process that was
forked of one that has frozen all that it had (Python's documentation of ``gc.freeze``).
"""


class _Readers:
    """Who reads a history, of all threads, and whether the collector was at work before the first of them."""

    lock = threading.RLock()  # the handler of a signal may restore a session while this thread holds it
    reading: ClassVar[set[object]] = set()
    was_enabled = False
    ages = False
    others_freeze = False


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
            if gc.get_count()[0] >= MANY:
                _let_all_age()
            gc.enable()
        _Readers.reading.discard(reader)  # after it was changed back


def _let_all_age() -> None:
    """Move all objects that the collector knows to its oldest generation, without a look at any of them.

    That is what is left of a freeze that is taken back (Python's documentation of ``gc.freeze`` and ``gc.unfreeze``).
    Where others have frozen objects, which would come back as well, the collector does what it always does: where the
    application has, and in Python 3.12, which has some itself.
    """
    if not _Readers.ages and not _Readers.others_freeze:
        _Readers.others_freeze = gc.get_freeze_count() > 0  # to count many takes long, so that is done once
        _Readers.ages = not _Readers.others_freeze
    if _Readers.ages:  # until all is done: where a signal breaks it off, it is done anew
        gc.freeze()
        gc.unfreeze()
        _Readers.ages = False


def _begin_anew() -> None:
    """In a child that was forked, no thread of its parent's reads any more."""
    if _Readers.reading:
        _Readers.reading.clear()
        if _Readers.was_enabled:
            gc.enable()
    _Readers.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
