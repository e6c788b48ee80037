"""Moments: what S3 says of when an object was written, told otherwise than the clock of a test would have it."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

_FIRST = datetime(2026, 11, 23, 10, 0, tzinfo=timezone.utc)

_LISTED = re.compile(rb"(<Contents>.*?<Key>)(.*?)(</Key>.*?<LastModified>)(.*?)(</LastModified>)", re.DOTALL)


@dataclass
class Moments:
    """When each object of a bucket was written, by the order of writes alone.

    Attributes:
        apart: How much later each write is than the one before it: nothing, where all are within one second of S3's.
    """

    apart: timedelta
    _writes: int = 0
    _written: dict[str, datetime] = field(default_factory=dict)

    def note_write(self, key: str) -> None:
        """Note that an object was written now."""
        self._written[key] = _FIRST + self._writes * self.apart
        self._writes += 1

    def in_listing(self, body: bytes) -> bytes:
        """Return a listing with these moments in it."""

        def told(found: re.Match[bytes]) -> bytes:
            key = urllib.parse.unquote_plus(found[2].decode())
            moment = self._written.get(key)
            if moment is None:
                return found[0]
            return found[1] + found[2] + found[3] + f"{moment:%Y-%m-%dT%H:%M:%S.000Z}".encode() + found[5]

        return _LISTED.sub(told, body)
