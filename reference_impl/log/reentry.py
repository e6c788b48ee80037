"""Re-entry: a call that interrupts another of its own thread, as the handler of a signal or of ``logging`` may make it.

No lock keeps it out: the thread has it already. And no mark would do: what sets one can be broken off by the next
handler, between any two steps, and then it stands for ever. What a thread is at is on its stack.
"""

from __future__ import annotations

import sys
from types import FrameType

from strands.types.exceptions import SessionException


def expect_not_at_work(one: object, *methods: str) -> None:
    """Refuse to go on where the running thread is at work in a method of an object, further down its stack.

    Args:
        one: The object.
        methods: The methods' names.

    Raises:
        SessionException: It is.
    """
    codes = [getattr(type(one), name).__code__ for name in methods]
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code in codes and frame.f_locals.get("self") is one:
            raise SessionException(
                "this interrupts the same thread while it stores something in the same session, as the handler of a"
                " signal or of logging may. What it was to store waits in line, and is stored next. Store it later: in"
                " a handler of the event loop (loop.add_signal_handler), or in another thread"
            )
        frame = frame.f_back
