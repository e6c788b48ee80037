"""What lies in a folder while others write there: what is looked at may be replaced or removed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Seen = TypeVar("Seen")

_MOST_LOOKS = 100
"""How often a folder is looked at again at most where files in it come and go meanwhile."""


def looked_at(look: Callable[[], Seen]) -> Seen:
    """Return what a look at files has found. Where one that was listed is gone, all are looked at again.

    Backends replace and remove files in the background, in a compaction for example, whenever they like.

    Args:
        look: Lists files and reads what is wanted of each.

    Raises:
        FileNotFoundError: One was gone so many times in a row.
    """
    for _ in range(_MOST_LOOKS):
        with suppress(FileNotFoundError):
            return look()
    return look()
