"""The time zone of this process."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

FIVE_HOURS_AHEAD = "EAST-5"
"""A zone that is five hours ahead of UTC, as POSIX writes it: so it is known where no zones are installed."""


@contextlib.contextmanager
def in_zone(zone: str = FIVE_HOURS_AHEAD) -> Iterator[None]:
    """Let local time be that of a zone for a while, where the platform can change it (Windows cannot)."""
    if not hasattr(time, "tzset"):
        yield
        return
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
