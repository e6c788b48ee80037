"""Whether a store honours ``If-None-Match``: where it does not, two writers overwrite each other without a word."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from weakref import WeakSet

from strands.types.exceptions import SessionException

from .objects import S3Objects

_ATTEMPTS = 5
"""How often the object is written before the store is taken for one that ignores the condition: somebody may delete the
object between two attempts, as the deletion of a session does."""

_honour: WeakSet[Any] = WeakSet()
"""The clients whose stores were seen to do so."""


def expect_conditional_writes(objects: S3Objects, key: str, data: bytes) -> bool:
    """Write an object again, on the condition that it is not there, until that is refused: as a rule the second time.

    Once a client was refused, it is not asked again.

    Args:
        objects: The bucket.
        key: The object's key, at which nothing but these bytes may be lost.
        data: Its bytes.

    Returns:
        Whether it was written.

    Raises:
        SessionException: It is never refused, or that cannot be told.
    """
    client = objects.client
    with suppress(TypeError):  # a client that nothing can refer to weakly
        if client in _honour:
            return False
    if all(objects.put_new(key, data, {}) for _ in range(_ATTEMPTS)):
        with suppress(SessionException):  # only whoever may delete can leave nothing
            objects.delete([key])
        raise SessionException(
            f"the store of bucket {objects.bucket!r} ignores If-None-Match: an object that was there was overwritten"
            f" (s3://{objects.bucket}/{key}). Two writers of one session would overwrite each other's messages without"
            " a word, so no session is kept there. Use a store that honours conditional writes, or give one_writer=True"
            " if you make sure that no two managers ever have the same session open"
        )
    with suppress(TypeError):
        _honour.add(client)
    return True
