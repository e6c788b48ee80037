"""Storage faults for a whole process: no thread can write files, in whatever way it tries."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

try:
    import resource
except ImportError:  # Windows has no resource limits
    resource = None  # type: ignore[assignment]

FAULT_BEGINS = "from here on, nothing can be stored"
FAULT_ENDS = "everything can be stored again"
"""What timelines say of the moments between which a script's storage faults lie."""

SUPPORTED = resource is not None
"""Whether this platform can make a process's writes fail."""


def fail_writes(beyond: int = 0) -> None:
    """Let every write to a regular file by this process fail with ``EFBIG`` ("File too large").

    Args:
        beyond: How many bytes each file may have all the same. A write that crosses them stores what fits and returns
            how many bytes that was, as one does on a disk that is nearly full (``write(2)``); the next one fails.

    A file size limit (``setrlimit(2)``) reaches C libraries such as SQLite as well, needs no privileges and binds
    root too. In a process that others write files in, such as pytest's own, it must end before any of them does.

    Raises:
        RuntimeError: The process would be ended by its next write, and this thread cannot prevent that.
    """
    assert resource is not None
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # else the process would be ended by the signal
    elif signal.getsignal(signal.SIGXFSZ) is not signal.SIG_IGN:  # as Python has it from its start
        raise RuntimeError("SIGXFSZ is not ignored, and only the main thread can change that")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (beyond, hard))


def let_writes_work() -> None:
    """Take the limit back."""
    assert resource is not None
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextlib.contextmanager
def no_file_can_be_written(beyond: int = 0) -> Iterator[None]:
    """Let every write to a regular file by this process fail for a while; see :func:`fail_writes`."""
    fail_writes(beyond)
    try:
        yield
    finally:
        let_writes_work()


def die_at_writes(size: int) -> None:
    """Let this process be killed by the first write that makes a file larger than ``size`` bytes.

    The system then does the write up to that size and ends the process with ``SIGXFSZ`` (``setrlimit(2)``): a kill in
    the middle of a write, at the same place each time.
    """
    assert resource is not None
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # which the signal would leave behind
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
