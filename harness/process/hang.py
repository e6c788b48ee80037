"""A limit on real time: work that does not end is named a hang, even where it blocks its thread for good."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

HANG_LIMIT_S = 60.0
"""Seconds of real time after which something that did not end is called a hang. Speed is never judged."""


class Hang(Exception):
    """Something did not end: a session manager, or the agent, waits for what never comes."""


def within_limit(
    work: Callable[[], T], what: str, limit_s: float = HANG_LIMIT_S, progress: Callable[[], object] = lambda: None
) -> T:
    """Return what ``work`` returns, or raise what it raises.

    It runs in a thread of its own, since a manager that blocks its thread cannot be interrupted.

    Args:
        work: What is to end.
        what: What it is, in words.
        limit_s: In seconds.
        progress: What it returns changes while the work goes on, however slowly: storage may be far away.

    Raises:
        Hang: For ``limit_s`` seconds it neither ended nor made progress. Its thread is left behind.
    """
    outcome: list[Any] = []

    def target() -> None:
        try:
            outcome.extend((True, work()))
        except BaseException as error:  # handed to the caller, whatever it is
            outcome.extend((False, error))

    thread = threading.Thread(target=target, name=f"conformance: {what}", daemon=True)
    thread.start()
    before = progress()
    thread.join(limit_s)
    while thread.is_alive() and progress() != before:
        before = progress()
        thread.join(limit_s)
    if not outcome:
        raise Hang(f"{what} did not end within {limit_s:g} s")
    succeeded, result = outcome
    if not succeeded:
        raise result
    return result  # type: ignore[no-any-return]
