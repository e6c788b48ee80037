"""The journal format: how changes lie in a file, and how a whole file is told from others. Bytes only, no I/O.

A journal is a header line, then one line a commit (:mod:`..log.commit_lines`), then NUL bytes, then a trailer that ends
the file::

    ["strands-session-journal 2 <life> <generation> <live>",
    "<checksum> <length> <number> <before> <label>",<JSON list of changes>,
    ...
    NUL NUL NUL ... == journal ends ==

- ``life`` is a name that was made up when the session began. One that is deleted and begun anew has another.
- ``generation`` is a name that was made up when this file was written. A journal that is rewritten has another. So a
  file is the one that was read if, and only if, its first line is: file systems reuse the numbers of their inodes.
- ``live`` says how many bytes the commits had when the file was written.

A commit is written with one write and made durable before the next one is begun. So a write that a crash cut short
can only be the last commit (:mod:`.torn`). The space for commits is reserved ahead, in blocks that end with a trailer:
a file that lost its end is recognised at whatever place it was cut, where a log that ends with its last record cannot
tell a cut from an earlier state; and syncing a commit does not have to sync the file's size as well.

The last commit has the checksum of all that lies before it. So a whole journal is told by two checksums, and only one
that is not whole is gone through line by line.

The first edition of the format had ``["strands-session-journal 1",`` as its header. Such a journal is read as it is,
and written anew before anything is appended. Its life is named by the session's record, which no two sessions share.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from ..log.commit_lines import commit_line

TRAILER = b"\n== journal ends ==\n"
BLOCK = 4096
"""Files grow in multiples of this. It is a multiple of the sector, so a trailer never lies in two sectors."""

MARK = 61
"""How many bytes of a commit's line tell it from every other: its numbers and its id."""

LONGEST_HEADER = 128
"""How many bytes, at most, the header has."""

_HEADER = re.compile(
    rb'\["strands-session-journal '
    rb'(?:1|2 (?P<life>[0-9a-f]{32}) (?P<generation>[0-9a-f]{32}) (?P<live>[0-9a-f]{12}))",\n'
)


class Damage(Exception):
    """A journal that holds something no crash leaves.

    Attributes:
        offset: Where, in bytes from the start of the file.
        what: What was found there.
    """

    def __init__(self, offset: int, what: str) -> None:
        self.offset = offset
        self.what = what
        super().__init__(f"at byte {offset}: {what}")


@dataclass(frozen=True)
class Header:
    """The first line of a journal.

    Attributes:
        life: The name of the session's life; empty in the first edition of the format.
        generation: The name of the file; empty in the first edition.
        live: How many bytes the commits had when the file was written.
        length: How many bytes the line has.
    """

    life: str = ""
    generation: str = ""
    live: int = 0
    length: int = 0

    def data(self) -> bytes:
        """Return the line."""
        return b'["strands-session-journal 2 %b %b %012x",\n' % (
            self.life.encode(),
            self.generation.encode(),
            self.live,
        )


@dataclass
class Scan:
    """What a journal holds, up to the last whole commit.

    Attributes:
        header: Its first line.
        life: The name of the session's life, in whatever edition.
        end: Where the next commit goes, in bytes.
        number: The number of the next commit, which is how many there are.
        before: The checksum of everything up to ``end``.
        capacity: The size of the file in bytes, up to the trailer that counts.
        torn: How many bytes of a cut-short commit lie at ``end``, 0 if none.
        last: Where the line of the last commit begins.
        mark: The first bytes of that line, which no other has.
    """

    header: Header = Header()
    life: str = ""
    end: int = 0
    number: int = 0
    before: int = 0
    capacity: int = 0
    torn: int = 0
    last: int = 0
    mark: bytes = b""

    def follow(self, line: bytes | bytearray | memoryview) -> None:
        """Go on behind the line of one more commit."""
        self.last, self.mark = self.end, bytes(line[:MARK])
        self.before = zlib.crc32(line, self.before)
        self.end += len(line)
        self.number += 1


def new_life() -> str:
    """Return a name that no life of any session has, and no file."""
    return secrets.token_hex(16)


def read_header(data: bytes | bytearray) -> Header | None:
    """Return the header that data begins with, if it begins with one."""
    match = _HEADER.match(data)
    if match is None:
        return None
    if match["life"] is None:
        return Header(length=match.end())
    return Header(match["life"].decode(), match["generation"].decode(), int(match["live"], 16), match.end())


def new_journal(commits: Iterable[tuple[bytes, str]], life: str) -> tuple[bytes, Scan]:
    """Return a whole journal with these commits, each its body and its label, and what a scan of it would say."""
    commits = list(commits)
    header = Header(life, new_life(), sum(len(body) for body, _ in commits)).data()
    found = Scan(read_header(header) or Header(), life, len(header), 0, zlib.crc32(header))
    parts = [header]
    for body, label in commits:
        line = commit_line(found.number, body, found.before, label)
        parts.append(line)
        found.follow(line)
    found.capacity = capacity_for(found.end)
    parts.append(reserve(found.end, found.capacity))
    return b"".join(parts), found


def capacity_for(used: int) -> int:
    """Return the size in bytes that a file gets whose commits need ``used`` bytes: a quarter more, in whole blocks."""
    needed = used + min(max(used // 4, BLOCK), 256 * BLOCK) + len(TRAILER)
    return -(-needed // BLOCK) * BLOCK


def reserve(start: int, end: int) -> bytes:
    """Return the reserved space from byte ``start`` to byte ``end``, trailer included."""
    return bytes(end - start - len(TRAILER)) + TRAILER
