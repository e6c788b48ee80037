"""Rest: what a writer leaves when it stops, so that others know that nobody is writing any more."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from .objects import NotThere, S3Objects
from .place import REST

_REST = re.compile(rb"(\d+) (\d+) ([0-9a-f]{8})")


@dataclass(frozen=True)
class Rest:
    """Commits whose writers have stopped.

    Attributes:
        first: The number of the first of them; the root is commit 0.
        stop: The number behind the last of them.
    """

    first: int
    stop: int

    def data(self) -> bytes:
        """Return the object's bytes."""
        text = b"%d %d" % (self.first, self.stop)
        return b"%b %08x" % (text, zlib.crc32(text))

    def with_own(self, own: Rest) -> Rest:
        """Return what is known when another writer has stopped, too."""
        if self.first <= own.stop and own.first <= self.stop:
            return Rest(min(self.first, own.first), max(self.stop, own.stop))
        return max(self, own, key=lambda rest: rest.stop)


def read_rest(objects: S3Objects, life: str) -> Rest | None:
    """Return which writers have stopped, or None where nobody has.

    Args:
        objects: The bucket.
        life: The prefix of the session's life, with a slash at its end.

    Raises:
        SessionException: It cannot be read.
    """
    try:
        data = objects.get(life + REST).data
    except NotThere:
        return None
    match = _REST.fullmatch(data)
    if match is None or zlib.crc32(data.rpartition(b" ")[0]) != int(match.group(3), 16):
        return None
    return Rest(int(match.group(1)), int(match.group(2)))
