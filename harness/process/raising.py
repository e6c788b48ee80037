"""What a backend may raise: anything, also what is meant to end its process."""

from __future__ import annotations

import asyncio

FROM_OUTSIDE = (KeyboardInterrupt, asyncio.CancelledError, GeneratorExit)
"""What a call of a backend is broken off with by the user or the event loop: never the backend's own answer."""


class Ended(Exception):
    """A backend raised ``SystemExit``, which would end the whole run, in a place where nobody could note it."""


def as_exception(error: BaseException) -> BaseException:
    """Return an error as one that ends a requirement, and not the run.

    Args:
        error: What was raised. What pytest and Hypothesis raise to end a test stays as it is.
    """
    if not isinstance(error, SystemExit):
        return error
    ended = Ended(f"SystemExit was raised, which ends an application: {error}")
    ended.__cause__ = error
    return ended
