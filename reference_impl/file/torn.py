"""Torn ends: what a write that was cut short, or taken back, leaves at the end of a journal, and what it never leaves.

A commit of which it is not known that it is durable is **withdrawn**: its first bytes say so. The disk may have any of
its sectors all the same, now or after a power cut. So nothing is put in its place before all of it but that mark was
cleared, and the clearing is known to be durable.
"""

from __future__ import annotations

import re

from ..log.commit_lines import END, PREFIX, may_begin_a_line
from .journal import BLOCK, TRAILER, Damage, Scan

SECTOR = 512
"""The unit in which a power cut leaves a write undone."""

WITHDRAWN = b'"withdraw'
"""What stands in place of the first bytes of a commit that is withdrawn. No line begins so."""

_NULS = re.compile(rb"\0+")


def capacity_of(data: bytes | bytearray, end: int) -> int:
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


def torn_bytes(data: bytes | bytearray, found: Scan) -> int:
    """Return the length of the cut-short or withdrawn commit at the end, 0 if there is none.

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
    if not used or tail.startswith(WITHDRAWN):
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
