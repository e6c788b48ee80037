"""What can be wrong with a session in S3 that is read or written."""

from __future__ import annotations

from strands.types.exceptions import SessionException

from ..log.change_log import Deleted, Gone

__all__ = ["Deleted", "Gone", "Moved", "Unreadable"]


class Unreadable(SessionException):
    """An object of a session is missing, or is not what was stored."""


class Moved(Exception):
    """An object was emptied: the history was rewritten while it was read.

    Args:
        name: The object's name, below the session's life.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
