"""The journal format: how changes lie in a file, and what a damaged or torn file looks like. Bytes only, no I/O.

A journal is a header line, then one line a commit (:mod:`.commit_lines`), then NUL bytes, then a trailer that ends the
file::

    ["strands-session-journal 1",
    "<checksum> <length> <number> <before>",<JSON list of changes>,
    ...
    NUL NUL NUL ... == journal ends ==

A commit is written with one write and made durable before the next one is begun. So a write that a crash cut short
can only be the last commit. The space for commits is reserved ahead, in blocks that end with a trailer: a file that
lost its end is recognised at whatever place it was cut, where a log that ends with its last record cannot tell a cut
from an earlier state; and syncing a commit does not have to sync the file's size as well.

The last commit has the checksum of all that lies before it. So a whole journal is told by two checksums, and only one
that is not whole is gone through line by line.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from ..log.commit_lines import ARRAY_END, END, PREFIX, commit_line, may_begin_a_line, whole_commit

HEADER = b'["strands-session-journal 1",\n'
TRAILER = b"\n== journal ends ==\n"
BLOCK = 4096
"""Files grow in multiples of this. It is a multiple of the sector, so a trailer never lies in two sectors."""

SECTOR = 512
"""The unit in which a power cut leaves a write undone."""

_NULS = re.compile(rb"\0+")


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


@dataclass
class Scan:
    """What a journal holds.

    Attributes:
        end: Where the next commit goes, in bytes.
        number: The number of the next commit, which is how many there are.
        before: The checksum of everything up to ``end``.
        capacity: The size of the file in bytes, up to the trailer that counts.
        torn: How many bytes of a cut-short commit lie at ``end``, 0 if none.
    """

    end: int = 0
    number: int = 0
    before: int = 0
    capacity: int = 0
    torn: int = 0


def new_journal(bodies: Iterable[bytes]) -> bytes:
    """Return a whole journal with these commits."""
    parts, before = [HEADER], zlib.crc32(HEADER)
    for number, body in enumerate(bodies):
        parts.append(commit_line(number, body, before))
        before = zlib.crc32(parts[-1], before)
    content = b"".join(parts)
    return content + reserve(len(content), capacity_for(len(content)))


def capacity_for(used: int) -> int:
    """Return the size in bytes that a file gets whose commits need ``used`` bytes: a quarter more, in whole blocks."""
    needed = used + min(max(used // 4, BLOCK), 256 * BLOCK) + len(TRAILER)
    return -(-needed // BLOCK) * BLOCK


def reserve(start: int, end: int) -> bytes:
    """Return the reserved space from byte ``start`` to byte ``end``, trailer included."""
    return bytes(end - start - len(TRAILER)) + TRAILER


def scan(data: bytes | bytearray) -> Scan:
    """Return what a journal holds.

    Args:
        data: The whole file.

    Raises:
        Damage: The file holds something that no crash leaves.
    """
    if not data.startswith(HEADER):
        raise Damage(0, "the file is empty" if not data else "there is no journal header")
    found = _whole(data) or _whole_part(data)
    found.capacity = _capacity(data, found.end)
    found.torn = _torn(data, found)
    return found


def json_array(data: bytearray, found: Scan) -> bytearray:
    """Make the data of a journal that was scanned the JSON array of its commits, and return it.

    It is changed in place, since a journal may be large. See :func:`.commit_lines.commits_in`.
    """
    data[found.end :] = ARRAY_END
    return data


def salvage(data: bytes | bytearray) -> tuple[list[bytes], list[str]]:
    """Return the commits of a damaged journal that are whole, and what was passed over, in words."""
    commits: list[bytes] = []
    lost: list[str] = []
    position = len(HEADER) if data.startswith(HEADER) else 0
    number = 0
    while position < len(data):
        next_line = data.find(b"\n", position) + 1 or len(data)
        commit = whole_commit(data, position)
        if commit is not None:
            if commit.number < number:
                lost.append(f"commit {commit.number} stands at byte {position} again")
            else:
                if commit.number > number:
                    lost.append(f"commits {number} to {commit.number - 1} are missing before byte {position}")
                commits.append(commit.body)
                number = commit.number + 1
            position = commit.stop
            continue
        passed = data[position:next_line].strip(b"\0\n")
        if passed and passed not in TRAILER:
            lost.append(f"{len(passed)} bytes at byte {position} are no whole commit")
        position = next_line
    return commits, lost


def _whole(data: bytes | bytearray) -> Scan | None:
    """Return the commits up to the last line end before a NUL, if that one and all before it are whole."""
    used = data.find(b"\0")
    stop = data.rfind(b"\n", 0, used if used >= 0 else len(data))
    start = data.rfind(b"\n", 0, stop) + 1
    last = whole_commit(data, start)
    if last is None or last.before != zlib.crc32(memoryview(data)[:start]):
        return None
    return Scan(end=last.stop, number=last.number + 1, before=zlib.crc32(data[start : last.stop], last.before))


def _whole_part(data: bytes | bytearray) -> Scan:
    """Return the commits up to the first that is not whole."""
    found = Scan(end=len(HEADER), before=zlib.crc32(HEADER))
    while True:
        commit = whole_commit(data, found.end)
        if commit is None or commit.number != found.number or commit.before != found.before:
            return found
        found.before = zlib.crc32(data[found.end : commit.stop], found.before)
        found.end, found.number = commit.stop, commit.number + 1


def _capacity(data: bytes | bytearray, end: int) -> int:
    """Return the size of the file up to the trailer that counts.

    Raises:
        Damage: There is none: the file was cut short.
    """
    if len(data) % BLOCK == 0 and data.endswith(TRAILER):
        return len(data)
    # A crash while the file grew leaves the older trailer in place, and a part of the new space behind it.
    for capacity in range(len(data) // BLOCK * BLOCK, end, -BLOCK):
        if data.endswith(TRAILER, 0, capacity):
            beyond = data[capacity:].lstrip(b"\0")
            if not beyond or TRAILER.startswith(beyond):
                return capacity
            raise Damage(capacity, "there is something behind the end of the journal")
    raise Damage(len(data), "the file ends without its trailer: it was cut short")


def _torn(data: bytes | bytearray, found: Scan) -> int:
    """Return the length of the cut-short commit at the end, 0 if there is none.

    Raises:
        Damage: What is there is no commit that a crash cut short.
    """
    tail = bytearray(data[found.end : found.capacity - len(TRAILER)])
    if tail == bytes(len(tail)):
        return 0
    for capacity in range(-(-found.end // BLOCK) * BLOCK, found.capacity, BLOCK):
        place = capacity - len(TRAILER) - found.end  # trailers of the file's smaller days, whole or cleared in part
        if place >= 0:
            left = bytes(tail[place : place + len(TRAILER)]).lstrip(b"\0")
            if TRAILER.endswith(left):
                tail[place : place + len(TRAILER)] = bytes(len(TRAILER))
    used = len(tail.rstrip(b"\0"))
    if not used:
        return 0
    first_nul = tail.find(b"\0")
    length = used
    match = PREFIX.match(tail)
    if match is not None:
        length = match.end() + int(match.group(2), 16) + len(END)
        if int(match.group(3), 16) != found.number:
            raise Damage(found.end, f"commit {int(match.group(3), 16)} stands where commit {found.number} should be")
    elif first_nul < 0 or not may_begin_a_line(bytes(tail[:first_nul])):
        raise Damage(found.end, "there is no commit where one should be")
    elif first_nul == used:
        return used  # cut inside its first bytes
    line_end = tail.find(b"\n", 0, used)
    if line_end not in (-1, length - 1):  # JSON has no line ends either: this one was written to its end
        raise Damage(found.end, "a commit does not match its length")
    if used > length:
        raise Damage(found.end, "a commit does not match its checksum or length, and more follows it")
    torn_runs = [run.span() for run in _NULS.finditer(tail, 0, min(length, len(tail)))]
    if not torn_runs:
        raise Damage(found.end, "a commit does not match its checksum")
    for start, stop in torn_runs:
        # JSON has no NUL, so one shows that something was never written: to the end of the commit where a write was
        # cut, whole sectors where power was. A lone NUL is neither.
        to_the_end = stop >= min(length, len(tail))
        whole_sectors = (start == 0 or (found.end + start) % SECTOR == 0) and (found.end + stop) % SECTOR == 0
        if not (to_the_end or whole_sectors):
            raise Damage(found.end + start, "there are NUL bytes inside a commit")
    return used
