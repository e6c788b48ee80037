"""Commit lines: the form of one commit in storage, with its checksum, length and number. Bytes only, no I/O.

A line is ``"<checksum> <length> <number> <before> <label>",<body>,``, the numbers in eight hexadecimal digits:

- ``checksum``: the CRC-32 of what follows it, to the end of the body;
- ``length``: that of the body in bytes;
- ``number``: the commit's, counted from 0;
- ``before``: where all lines lie in one file, the CRC-32 of the file up to this line; 0 where they lie apart;
- ``label``: the commit's id, in 24 hexadecimal digits, and ``<length>:<checksum>`` of each of its changes: so one that
  is whole is known to be, though the commit is damaged elsewhere;
- ``body``: a JSON list of changes in UTF-8, without line ends and NUL bytes.

A commit's id is a name that its writer made up and the writer's count of commits: two commits are the same if their ids
are, whatever they hold. Lines of the first edition of the format have no label.

So each line can be checked by itself, the last one checks all before it, and lines make a JSON array as they are, but
for its brackets. One array is parsed several times faster than each commit by itself.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from struct import pack
from typing import Any

PREFIX = re.compile(
    rb'"([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8})(?: ([0-9a-f]{24}(?: [0-9a-f]{8}:[0-9a-f]{8})*))?",'
)
HEAD = 36
"""The length of the part of a line that each has, up to its label."""

END = b",\n"
_COVERED = 10  # where what the checksum covers begins
ID_LENGTH = 24
"""How many characters of a label are the id."""

_NAME = 16


@dataclass(frozen=True)
class Commit:
    """A whole commit.

    Attributes:
        number: Its number, counted from 0.
        before: The checksum of what lies before its line, or 0.
        label: Its id, and what is known of its parts; empty in the first edition of the format.
        body: A JSON list of changes.
        stop: Where its line stops, in bytes from the start of the data.
    """

    number: int
    before: int
    label: str
    body: bytes
    stop: int


class Writer:
    """Whoever writes commits, and the ids that it gives them: no two commits of any writer have the same."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(_NAME // 2)
        self._count = 0

    def next_id(self) -> str:
        """Return the id of the next commit."""
        self._count += 1
        return f"{self._name}{self._count:08x}"


def latest(ids: Iterable[str]) -> dict[str, int]:
    """Return the highest count of each writer, by its name, of commits that stand in the order of their writing.

    Whoever wrote last stands last.
    """
    counts: dict[str, int] = {}
    for id in filter(None, ids):
        counts.pop(id[:_NAME], None)
        counts[id[:_NAME]] = int(id[_NAME:], 16)
    return counts


def is_among(id: str, counts: Mapping[str, int]) -> bool:
    """Whether a commit is one of those that :func:`latest` was told of. A writer's commits are stored in order."""
    return counts.get(id[:_NAME], -1) >= int(id[_NAME:], 16)


def commit_label(id: str, parts: Sequence[bytes] = ()) -> str:
    """Return the label of a commit.

    Args:
        id: Its id.
        parts: Its changes as they stand in its body.
    """
    return " ".join((id, *(f"{len(part):08x}:{zlib.crc32(part):08x}" for part in parts)))


def commit_line(number: int, body: bytes, before: int = 0, label: str = "") -> bytes:
    """Return the line of a commit.

    Args:
        number: The commit's number, counted from 0.
        body: A JSON list of changes in UTF-8, without line ends and NUL bytes.
        before: The CRC-32 of what lies before the line, where that is known.
        label: See :func:`commit_label`.
    """
    more = b" " + label.encode() if label else b""
    covered = b'%08x %08x %08x%b",%b' % (len(body), number, before, more, body)
    return b'"%08x %b,\n' % (zlib.crc32(covered), covered)


def may_begin_a_line(cut: bytes) -> bool:
    """Whether bytes can be the first of a line, cut inside its prefix."""
    several = b" " + b"0" * ID_LENGTH + b" 00000000:00000000" * (len(cut) // len(b" 00000000:00000000"))
    for label in (b"", several[: ID_LENGTH + 1], several):
        prefix = b'"00000000 00000000 00000000 00000000%b",' % label
        if PREFIX.fullmatch(cut + prefix[len(cut) :]):
            return True
    return False


def whole_commit(data: bytes | bytearray, start: int) -> Commit | None:
    """Return the commit whose line begins at byte ``start``, or None where there is none that is whole."""
    match = PREFIX.match(data, start)
    if match is None:
        return None
    checksum, length, number, before = (int(text, 16) for text in match.groups()[:4])
    stop = match.end() + length
    if not data.startswith(END, stop) or zlib.crc32(memoryview(data)[start + _COVERED : stop]) != checksum:
        return None
    label = (match.group(5) or b"").decode()
    return Commit(number, before, label, bytes(data[match.end() : stop]), stop + len(END))


def are_whole(lines: list[bytes], first: int) -> bool:
    """Whether lines that were stored apart are whole commits, numbered from ``first`` on: all of them, told at once.

    Args:
        lines: The lines, without their ends (:data:`END`).
        first: The number of the first commit.
    """
    checksums = map(zlib.crc32, [line[_COVERED:] for line in lines])
    stops = [line.find(b'",', HEAD) for line in lines]
    if min(stops, default=0) < 0 or any(not line.startswith(b'"') for line in lines):
        return False
    lengths = [len(line) - stop - 2 for line, stop in zip(lines, stops, strict=True)]
    fields = chain.from_iterable(zip(checksums, lengths, range(first, first + len(lines)), repeat(0), strict=False))
    heads = [line[1:HEAD] for line in lines]
    return b" ".join(heads) == pack(f">{4 * len(lines)}I", *fields).hex(" ", 4).encode()


def json_array(lines: bytes) -> bytes:
    """Return whole lines as the JSON array that :func:`commits_in` takes."""
    return b"".join((b'["",\n', lines, ARRAY_END))


ARRAY_END = b"null]"
"""What makes a JSON array of ``[``, a text, a comma and whole lines."""


def commits_in(array: list[Any]) -> list[Any]:
    """Return the commits in the parsed array of a text and whole lines."""
    return array[2::2]


def ids_in(array: list[Any]) -> Iterator[str]:
    """Yield the ids of the commits in the parsed array of a text and whole lines; an empty one where there is none."""
    return (prefix[HEAD : HEAD + ID_LENGTH] for prefix in array[1:-1:2])


def bodies_of(array: bytes | bytearray) -> list[bytes]:
    """Return the bodies of the commits in the array of a text and whole lines, unparsed."""
    return [bytes(match.group(6)) for match in _LINE.finditer(array)]


def with_bodies(array: bytes | bytearray, change: Callable[[bytes], bytes]) -> bytes:
    """Return the array of a text and whole lines, with each body changed."""
    return _LINE.sub(lambda line: b"%b%b," % (line.group()[: -len(line.group(6)) - 1], change(line.group(6))), array)


def commits_of(array: bytes | bytearray) -> Iterator[tuple[str, bytes]]:
    """Yield label and body of each commit in the array of a text and whole lines, unparsed."""
    for match in _LINE.finditer(array):
        yield (match.group(5) or b"").decode(), bytes(match.group(6))


_LINE = re.compile(rb"^" + PREFIX.pattern + rb"(.*),$", re.MULTILINE)
