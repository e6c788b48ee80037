"""Interrupts work at one of the lines that it runs, as the handler of a signal does in the main thread."""

import itertools
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any


def interrupted_at(number: int, modules: set[ModuleType], do: Callable[[], object], handler: Callable[[], Any]) -> bool:
    """Do something, and call the handler ahead of a line of it. What either raises is raised.

    Args:
        number: The line's number among the lines of the modules that are run, from 1 on.
        modules: The modules.
        do: What is done.
        handler: What interrupts it.

    Returns:
        Whether there were so many lines.
    """
    files = {module.__file__ for module in modules}
    lines, rang = itertools.count(1), False

    def each_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal rang
        if event == "line" and next(lines) == number:
            sys.settrace(None)
            rang = True
            handler()
        return each_line

    def each_call(frame: FrameType, event: str, _: Any) -> Any:
        return each_line if frame.f_code.co_filename in files else None

    before = sys.gettrace()
    sys.settrace(each_call)
    try:
        do()
    finally:
        sys.settrace(before)
    return rang
