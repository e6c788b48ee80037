"""Commit lines: the form of one commit in storage, with its checksum, length and number. Bytes only, no I/O.

A line is ``"<checksum> <length> <number> <before>",<body>,``, the numbers in eight hexadecimal digits:

- ``checksum``: the CRC-32 of what follows it, to the end of the body;
- ``length``: that of the body in bytes;
- ``number``: the commit's, counted from 0;
- ``before``: where all lines lie in one file, the CRC-32 of the file up to this line; 0 where they lie apart;
- ``body``: a JSON list of changes in UTF-8, without line ends and NUL bytes.

So each line can be checked by itself, the last one checks all before it, and lines make a JSON array as they are, but
for its brackets. One array is parsed several times faster than each commit by itself.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from itertools import chain, repeat
from struct import pack
from typing import Any

PREFIX = re.compile(rb'"([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8})",')
PREFIX_LENGTH = 38
END = b",\n"
_COVERED = 10  # where what the checksum covers begins


@dataclass(frozen=True)
class Commit:
    """A whole commit.

    Attributes:
        number: Its number, counted from 0.
        before: The checksum of what lies before its line, or 0.
        body: A JSON list of changes.
        stop: Where its line stops, in bytes from the start of the data.
    """

    number: int
    before: int
    body: bytes
    stop: int


def commit_line(number: int, body: bytes, before: int = 0) -> bytes:
    """Return the line of a commit.

    Args:
        number: The commit's number, counted from 0.
        body: A JSON list of changes in UTF-8, without line ends and NUL bytes.
        before: The CRC-32 of what lies before the line, where that is known.
    """
    covered = b'%08x %08x %08x",%b' % (len(body), number, before, body)
    return b'"%08x %b,\n' % (zlib.crc32(covered), covered)


def whole_commit(data: bytes | bytearray, start: int) -> Commit | None:
    """Return the commit whose line begins at byte ``start``, or None where there is none that is whole."""
    match = PREFIX.match(data, start)
    if match is None:
        return None
    checksum, length, number, before = (int(text, 16) for text in match.groups())
    stop = start + PREFIX_LENGTH + length
    if not data.startswith(END, stop) or zlib.crc32(data[start + _COVERED : stop]) != checksum:
        return None
    return Commit(number, before, bytes(data[start + PREFIX_LENGTH : stop]), stop + len(END))


def are_whole(lines: list[bytes], first: int) -> bool:
    """Whether lines that were stored apart are whole commits, numbered from ``first`` on: all of them, told at once.

    Args:
        lines: The lines, without their ends (:data:`END`).
        first: The number of the first commit.
    """
    checksums = map(zlib.crc32, [line[_COVERED:] for line in lines])
    lengths = [len(line) - PREFIX_LENGTH for line in lines]
    if min(lengths, default=0) < 0 or any(not line.startswith(b'"') for line in lines):
        return False
    fields = chain.from_iterable(zip(checksums, lengths, range(first, first + len(lines)), repeat(0), strict=False))
    prefixes = [line[1 : PREFIX_LENGTH - 2] for line in lines]
    return b" ".join(prefixes) == pack(f">{4 * len(lines)}I", *fields).hex(" ", 4).encode()


def json_array(lines: bytes) -> bytes:
    """Return whole lines as the JSON array that :func:`commits_in` takes."""
    return b"".join((b'["",\n', lines, ARRAY_END))


ARRAY_END = b"null]"
"""What makes a JSON array of ``[``, a text, a comma and whole lines."""


def commits_in(array: list[Any]) -> list[Any]:
    """Return the commits in the parsed array of a text and whole lines."""
    return array[2::2]


def bodies_of(array: bytes | bytearray) -> list[bytes]:
    """Return the bodies of the commits in the array of a text and whole lines, unparsed."""
    return [bytes(match.group(5)) for match in _LINE.finditer(array)]


_LINE = re.compile(rb"^" + PREFIX.pattern + rb"(.*),$", re.MULTILINE)
