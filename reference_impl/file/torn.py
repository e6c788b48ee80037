"""Torn ends: what a write that was cut short, or taken back, leaves at the end of a journal, and what it never leaves.

A commit of which it is not known that it is durable is **withdrawn**: its first bytes say so. The disk may have any of
its sectors all the same, now or after a power cut. So nothing is put in its place before all of it but that mark was
cleared, and the clearing is known to be durable.
"""

from __future__ import annotations

import re

from ..log.commit_lines import END, PREFIX, may_begin_a_line, whole_commit
from .journal import BLOCK, TRAILER, Damage, Scan

SECTOR = 512
"""The unit in which a power cut leaves a write undone."""

WITHDRAWN = b'"withdraw'
"""What stands in place of the first bytes of a commit that is withdrawn. No line begins so."""

_NULS = re.compile(rb"\0+")


def capacity_of(tail: bytes | bytearray, end: int) -> int:
    """Return the size of the file up to the trailer that counts.

    Args:
        tail: What lies behind the last commit.
        end: Where that is in the file.

    Raises:
        Damage: There is none: the file was cut short.
    """
    size = end + len(tail)
    if size % BLOCK == 0 and tail.endswith(TRAILER):
        return size
    # A crash while the file grew leaves the older trailer in place, and a part of the new space behind it.
    for capacity in range(size // BLOCK * BLOCK, end, -BLOCK):
        if tail.endswith(TRAILER, 0, capacity - end):
            beyond = tail[capacity - end :].lstrip(b"\0")
            if not beyond or TRAILER.startswith(beyond):
                return capacity
            raise Damage(capacity, "there is something behind the end of the journal")
    raise Damage(size, "the file ends without its trailer: it was cut short")


def torn_bytes(tail: bytes | bytearray, found: Scan) -> int:
    """Return the length of the cut-short or withdrawn commit at the end, 0 if there is none.

    Args:
        tail: What lies behind the last commit.
        found: What lies before, and how far the file goes.

    Raises:
        Damage: What is there is no commit that a crash cut short.
    """
    tail = bytearray(tail[: found.capacity - len(TRAILER) - found.end])
    if tail == bytes(len(tail)):
        return 0
    for capacity in range(-(-found.end // BLOCK) * BLOCK, found.capacity, BLOCK):
        # Trailers of the file's smaller days, whole, or cleared or covered in part.
        place = slice(max(capacity - len(TRAILER) - found.end, 0), capacity - found.end)
        left = tail[place].lstrip(b"\0")
        if TRAILER.endswith(left):
            tail[place] = bytes(len(tail[place]))
    used = len(tail.rstrip(b"\0"))
    if not used or _is_withdrawn(tail, found.end):
        return used
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


def _is_withdrawn(tail: bytearray, end: int) -> bool:
    """Whether there is the mark of what is withdrawn, or as much of it as a write left that broke off.

    Such a write is that of the mark, over a commit, or that of a commit, over the mark. It may break off at any byte,
    and power at the border of two sectors, of which it leaves either one as it was.
    """
    size = len(WITHDRAWN)
    sector_left = SECTOR - (end + size) % SECTOR
    is_cleared = not tail[size : size + sector_left].strip(b"\0")  # a commit has no NUL
    for cut in range(size, 1, -1):
        if tail.startswith(WITHDRAWN[:cut]):
            # Two bytes alone may be a whole commit with one that has rotted.
            return cut > 2 or (end + cut) % SECTOR == 0 or not _is_whole_but_for_its_second_byte(tail)
    for cut in range(1, size):
        at_border = (end + cut) % SECTOR == 0
        if tail[cut:size] == WITHDRAWN[cut:] and (at_border or is_cleared):
            begun = bytes(tail[:cut]).strip(b"\0")  # if anything is there, and not the whole sector missing
            if may_begin_a_line(begun):
                return True
    return False


def _is_whole_but_for_its_second_byte(tail: bytearray) -> bool:
    return any(whole_commit(b'"%x' % digit + tail[2:], 0) is not None for digit in range(16))
