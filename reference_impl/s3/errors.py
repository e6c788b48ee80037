"""What can be wrong with a session in S3 that is read or written."""

from __future__ import annotations

from strands.types.exceptions import SessionException


class Unreadable(SessionException):
    """An object of a session is missing, or is not what was stored."""


class Deleted(SessionException):
    """The session was deleted while it was open."""


class Moved(Exception):
    """The history was rewritten while it was read."""
