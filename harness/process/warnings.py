"""Tolerance for warnings: a backend is judged by what it does, not by what it warns of."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def tolerating_warnings() -> Iterator[None]:
    """Show the warnings of a backend instead of raising them, whatever filters the user's project has set.

    A project with ``filterwarnings = error`` would otherwise make a manager fail for a warning of its database driver.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        yield
