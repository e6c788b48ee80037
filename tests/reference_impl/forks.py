"""Children that are forked while other threads of their parent's run."""

import os
import signal
import warnings
from collections.abc import Callable

_SECONDS = 60


def in_a_child(do: Callable[[], object]) -> Callable[[], int]:
    """Do something in a forked child, and return what waits for its end: 0 if all went well.

    A child that hangs is killed by its alarm.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that other threads run is what is tried
        child = os.fork()
    if child:
        return lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        signal.alarm(_SECONDS)
        do()
        os._exit(0)
    finally:
        os._exit(1)
