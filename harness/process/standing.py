"""Where the threads of another process stand: it writes so into its pipe when it is asked, whatever it is at."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import select
import signal
import sys

_ASKS = getattr(signal, "SIGUSR2", None)
_SAYS_NOTHING_S = 1.0
"""In seconds: how long a process that says nothing is listened to."""

_MOST = 65_536
_FRAMES = 12
_THREAD = re.compile(r"^(?:Current thread|Thread) .*$", re.MULTILINE)


def say_where_it_stands(pipe: int) -> None:
    """Let this process write where its threads stand when it is asked: in C, so that no lock of Python's is needed.

    Args:
        pipe: A descriptor, whose other end :func:`where_it_stands` is given.
    """
    if _ASKS is not None and hasattr(faulthandler, "register"):
        faulthandler.register(_ASKS, pipe)


def where_it_stands(process: int, pipe: int) -> str:
    """Return where another process's threads stand, the innermost call of each last; "" where it does not say.

    Args:
        process: The process's id. Nothing else can be said through its pipe any more.
        pipe: The descriptor of this end of its pipe.
    """
    if _ASKS is None or sys.platform == "win32":
        return ""
    with contextlib.suppress(OSError):
        os.kill(process, _ASKS)
        told = b""
        while len(told) < _MOST and select.select([pipe], [], [], _SAYS_NOTHING_S)[0]:
            more = os.read(pipe, _MOST)
            if not more:
                break
            told += more
        return _as_python_tells_it(told.decode(errors="replace"))
    return ""


def _as_python_tells_it(text: str) -> str:
    """Return what ``faulthandler`` wrote in the order of Python's own tracebacks, without what lies far outside."""
    threads = []
    for one in _THREAD.split(text)[1:]:
        calls = [line for line in one.splitlines() if line.startswith("  ")]
        if calls:
            threads.append("\na thread:\n" + "\n".join(reversed(calls[:_FRAMES])))
    return "".join(threads)
