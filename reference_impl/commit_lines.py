"""Commit lines: the form of one commit in storage, with its length, checksum and number. Bytes only, no I/O."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from itertools import chain
from struct import pack

PREFIX = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ")
PREFIX_LENGTH = 27
_FIELDS = 3  # the numbers of a prefix


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


def whole_bodies(data: bytes, start: int, number: int) -> list[bytes]:
    """Return the bodies of the commits from byte ``start`` to the last line end before a NUL, if all are whole.

    This looks at all lines at once, which takes a fraction of the time of :func:`whole_commit` line by line. Where
    one of them is not whole it says nothing of any, and returns none.

    Args:
        data: What holds the lines.
        start: Where they begin, in bytes.
        number: The number that the first commit must have.
    """
    stop = data.find(b"\0", start)
    stop = data.rfind(b"\n", start, stop if stop >= 0 else len(data))
    if stop < 0:
        return []
    lines = data[start:stop].split(b"\n")
    prefixes = b"".join([line[:PREFIX_LENGTH] for line in lines])
    bodies = [line[PREFIX_LENGTH:] for line in lines]
    numbers = range(number, number + len(bodies))
    fields = chain.from_iterable(zip(map(len, bodies), map(zlib.crc32, bodies, numbers), numbers, strict=True))
    expected = pack(f">{_FIELDS * len(bodies)}I", *fields).hex(" ", 4) + " "
    return bodies if prefixes == expected.encode() else []


def line_length(body: bytes) -> int:
    """Return how many bytes the line of a commit takes."""
    return PREFIX_LENGTH + len(body) + 1
