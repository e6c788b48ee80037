"""Leaving: this process ends when its work is done, also where something that was judged in it never does."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading

from .forking import end_forks
from .hang import broken_off, where_threads_stand
from .patience import HANG_LIMIT_S

_KNOWN_LIMIT_S = 10.0
"""In seconds: how long that is waited for which did not end before either."""


def end_as_an_interpreter() -> None:
    """Wait for this process's threads and call its exit handlers, which ``multiprocessing`` leaves out in part."""
    for module, name in ((threading, "_shutdown"), (atexit, "_run_exitfuncs")):
        getattr(module, name, lambda: None)()


class _Leaving:
    """Ends the process some time after its interpreter began to end."""

    def __init__(self) -> None:
        self.status = 0
        self._watches = False

    def watch(self) -> None:
        """Begin to watch when the interpreter begins to end: ahead of what waits for threads, and of exit handlers."""
        if not self._watches and hasattr(threading, "_register_atexit"):
            self._watches = True
            threading._register_atexit(self._begin)

    def _begin(self) -> None:
        with contextlib.suppress(RuntimeError):  # no thread can be started any more
            threading.Thread(target=self._end, name="conformance: leaving", daemon=True).start()

    def _end(self) -> None:
        limit_s = _KNOWN_LIMIT_S if broken_off() else HANG_LIMIT_S
        threading.Event().wait(limit_s)
        sys.stderr.write(
            f"\nthis process did not end within {limit_s:g} s after its run, and is ended: something that was judged in"
            f" it has left a thread or an exit handler behind\n{where_threads_stand()}\n"
        )
        sys.stderr.flush()
        end_forks(())
        os._exit(self.status)


_leaving = _Leaving()


def end_after_the_run() -> None:
    """End this process a minute after its interpreter begins to end, at the latest.

    A session manager may leave a thread that never ends, for which the interpreter waits for ever. That is for a
    requirement to say: whoever runs it gets their prompt back.
    """
    _leaving.watch()


def leaves_with(status: int) -> None:
    """Say which exit code this process has, where it does not end by itself.

    Args:
        status: The exit code.
    """
    _leaving.status = status
