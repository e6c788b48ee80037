"""Scans: what a journal's bytes hold, told from damage. Bytes only, no I/O."""

from __future__ import annotations

import hashlib
import zlib

from ..log.commit_lines import ARRAY_END, whole_commit
from .journal import Damage, Header, Scan, read_header
from .torn import capacity_of, torn_bytes


def scan(data: bytes | bytearray) -> Scan:
    """Return what a journal holds.

    Args:
        data: The whole file.

    Raises:
        Damage: The file holds something that no crash leaves.
    """
    header = read_header(data)
    if header is None:
        raise Damage(0, "the file is empty" if not data else "there is no journal header")
    found = _whole(data, header) or _whole_part(data, header)
    found.life = header.life or life_of_first_edition(data, header)
    tail = data[found.end :]
    found.capacity = capacity_of(tail, found.end)
    found.torn = torn_bytes(tail, found)
    return found


def life_of_first_edition(data: bytes | bytearray, header: Header) -> str:
    """Return the name of a session's life whose journal does not say one: the session's record tells it."""
    first = whole_commit(data, header.length)
    return hashlib.sha256(first.body).hexdigest()[:32] if first is not None else ""


def follow_lines(data: bytes | bytearray, found: Scan) -> int:
    """Go on behind the whole commits that data begins with, and return how many bytes they have."""
    position = 0
    while True:
        commit = whole_commit(data, position)
        if commit is None or commit.number != found.number or commit.before != found.before:
            return position
        found.follow(memoryview(data)[position : commit.stop])
        position = commit.stop


def json_array(data: bytearray, found: Scan) -> bytearray:
    """Make the data of a journal that was scanned the JSON array of its commits, and return it.

    It is changed in place, since a journal may be large. See :func:`..log.commit_lines.commits_in`.
    """
    data[found.end :] = ARRAY_END
    return data


def _whole(data: bytes | bytearray, header: Header) -> Scan | None:
    """Return the commits up to the last line end before a NUL, if that one and all before it are whole."""
    used = data.find(b"\0")
    stop = data.rfind(b"\n", 0, used if used >= 0 else len(data))
    start = data.rfind(b"\n", 0, stop) + 1
    last = whole_commit(data, start)
    if last is None or last.before != zlib.crc32(memoryview(data)[:start]):
        return None
    found = Scan(header, end=start, number=last.number, before=last.before)
    found.follow(memoryview(data)[start : last.stop])
    return found


def _whole_part(data: bytes | bytearray, header: Header) -> Scan:
    """Return the commits up to the first that is not whole."""
    found = Scan(header, end=header.length, before=zlib.crc32(data[: header.length]))
    while True:
        commit = whole_commit(data, found.end)
        if commit is None or commit.number != found.number or commit.before != found.before:
            return found
        found.follow(memoryview(data)[found.end : commit.stop])
