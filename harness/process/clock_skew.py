"""A process whose clock is wrong."""

from __future__ import annotations

import datetime as datetime_module
import sys
import time
from collections.abc import Callable
from typing import Any


def skew_clock(seconds: float) -> None:
    """Let the clock of this process be ahead, for good: what ``time`` and ``datetime`` say, and not how fast it runs.

    It is meant for a process of its own, and must be called before the backend is loaded there. C libraries that ask
    the system by themselves are not reached.

    Args:
        seconds: How far the clock is ahead; behind, where it is negative.
    """
    real: Any = datetime_module.datetime
    shift = datetime_module.timedelta(seconds=seconds)

    class _Kind(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real)

    class Skewed(real, metaclass=_Kind):  # type: ignore[misc]
        @classmethod
        def now(cls, tz: datetime_module.tzinfo | None = None) -> Any:
            return real.now(tz) + shift

        @classmethod
        def utcnow(cls) -> Any:
            return real.now(datetime_module.timezone.utc).replace(tzinfo=None) + shift

    now, now_ns = time.time, time.time_ns
    replaced: dict[Any, Any] = {
        real: Skewed,
        now: lambda: now() + seconds,
        now_ns: lambda: now_ns() + int(seconds * 1e9),
    }
    _replace_everywhere(replaced)


def _replace_everywhere(replaced: dict[Any, Callable[..., Any]]) -> None:
    """Put something else in the place of functions and classes, in whatever module they were imported by name."""
    by_id = {id(old): new for old, new in replaced.items()}
    for name, module in list(sys.modules.items()):
        if name.startswith(("asyncio", "threading", "multiprocessing", __name__)):
            continue  # they measure how long something takes, and need no date
        for attribute, value in list(vars(module).items() if hasattr(module, "__dict__") else ()):
            if id(value) in by_id:
                setattr(module, attribute, by_id[id(value)])


__all__ = ["skew_clock"]
