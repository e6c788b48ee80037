"""The Storage API as its judges call it: what raises or differs is a violation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from session_conformance.harness import Session, violated
from session_conformance.harness.process import clock, within_limit
from session_conformance.harness.sdk import Storage, StorageError

T = TypeVar("T")

REFUSALS: tuple[type[Exception], ...] = (StorageError, ValueError)
"""How a key may be refused."""


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a loop of its own.

    Raises:
        Hang: It does not end.
    """
    return within_limit(lambda: clock.run(main()), "the storage")


def opened(session: Session) -> Storage:
    """Open the storage of a session's workspace anew.

    Raises:
        Violation: It cannot be opened.
    """
    try:
        return session.backend.open_storage(session.workspace)
    except Exception as error:
        violated("the storage can be opened", f"it raises {type(error).__name__}: {error}")


async def working(action: Awaitable[T], what: str) -> T:
    """Return what an action returns.

    Raises:
        Violation: It raised.
    """
    try:
        return await action
    except Exception as error:
        violated(f"{what} works", f"it raises {type(error).__name__}: {error}")


async def unless_refused(action: Awaitable[T], what: str) -> T | None:
    """Return what an action returns, or None where it was refused as it may be.

    Raises:
        Violation: It was refused in another way.
    """
    try:
        return await action
    except REFUSALS as error:
        if not str(error).strip():
            violated(f"{what} is refused with a text that says why", f"{type(error).__name__} without a text")
    except Exception as error:
        violated(f"{what} works, or raises StorageError or ValueError", f"it raises {type(error).__name__}: {error}")
    return None


async def refused(action: Awaitable[None], what: str) -> bool:
    """Whether an action was refused as it may be.

    Raises:
        Violation: It was refused in another way.
    """

    async def done() -> bool:
        await action
        return True

    return await unless_refused(done(), what) is None


async def expect_read(storage: Storage, key: str, wanted: bytes | None, what: str) -> None:
    """Report a violation unless a key has some bytes, or, for None, none.

    Raises:
        Violation: It has others, or reading raised.
    """
    found = await working(storage.read(key), f"reading {key!r:.60} ({what})")
    if found != wanted or not isinstance(found, type(wanted)):
        violated(f"{key!r:.60} ({what}) has {shown_bytes(wanted)}", f"it has {shown_bytes(found)}")


async def expect_listed(storage: Storage, prefix: str, wanted: list[str]) -> None:
    """Report a violation unless a listing gives some keys in order.

    Raises:
        Violation: It gives others, or in another order, or raised.
    """
    found = await working(storage.list(prefix), f"list({prefix!r})")
    if found == wanted:
        return
    missing, extra = sorted({*wanted} - {*found}), sorted({*found} - {*wanted})
    if missing or extra:
        differs = f"missing {missing[:5]}, too many {extra[:5]}, {len(found)} in all"
    else:
        differs = "in another order or not each once: " + ", ".join(map(repr, found[:12]))
    shown = ", ".join(map(repr, wanted[:12])) + (f" and {len(wanted) - 12} more" if len(wanted) > 12 else "")
    violated(f"list({prefix!r}) gives {shown or 'nothing'}", differs)


def shown_bytes(data: object) -> str:
    """Show bytes in a few words, or whatever else was found in their place."""
    if not isinstance(data, bytes):
        return f"{data!r:.60}"
    return f"{data!r}" if len(data) <= 40 else f"{len(data)} bytes, {data[:24]!r}…"
