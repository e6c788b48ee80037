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


class _Readers:
    """How many histories are being read, by all threads, and whether the collector was at work before the first."""

    lock = threading.Lock()
    count = 0
    was_enabled = False


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep the collector from running, unless it does not anyway."""
    with _Readers.lock:
        if not _Readers.count:
            _Readers.was_enabled = gc.isenabled()
            gc.disable()
        _Readers.count += 1
    try:
        yield
    finally:
        with _Readers.lock:
            _Readers.count -= 1
            if not _Readers.count and _Readers.was_enabled:
                gc.enable()


def _begin_anew() -> None:
    """In a child that was forked, no thread of its parent's reads any more."""
    if _Readers.count:
        _Readers.count = 0
        if _Readers.was_enabled:
            gc.enable()
    _Readers.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
