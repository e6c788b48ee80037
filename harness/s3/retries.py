"""Retries of botocore's without their pauses: scripted faults pass at once, and so may the time between attempts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any


@contextlib.contextmanager
def without_pauses() -> Iterator[None]:
    """Let botocore's clients of this process retry at once. Clients of another make pause as ever."""
    import botocore.endpoint

    module: Any = botocore.endpoint
    before = module.time
    module.time = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None})
    try:
        yield
    finally:
        module.time = before
