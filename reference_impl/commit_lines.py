"""Commit lines: the form of one commit in storage, with its length, checksum and number. Bytes only, no I/O."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

PREFIX = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ")
PREFIX_LENGTH = 27


@dataclass(frozen=True)
class Commit:
    """A whole commit.

    Attributes:
        number: Its number, counted from 0.
        body: A JSON list of changes.
        stop: Where its line stops, in bytes from the start of the data.
    """

    number: int
    body: bytes
    stop: int


def commit_line(number: int, body: bytes) -> bytes:
    """Return the line of a commit: ``<length> <checksum> <number> <body>``, the numbers in hexadecimal.

    Args:
        number: The commit's number, counted from 0.
        body: A JSON list of changes in UTF-8, without line ends and NUL bytes.
    """
    return b"%08x %08x %08x %b\n" % (len(body), zlib.crc32(body, number), number, body)


def whole_commit(data: bytes, start: int) -> Commit | None:
    """Return the commit whose line begins at byte ``start``, or None where there is none that is whole."""
    match = PREFIX.match(data, start)
    if match is None:
        return None
    length, checksum, number = (int(text, 16) for text in match.groups())
    stop = start + PREFIX_LENGTH + length
    body = data[start + PREFIX_LENGTH : stop]
    if data[stop : stop + 1] != b"\n" or zlib.crc32(body, number) != checksum:
        return None
    return Commit(number, body, stop + 1)
