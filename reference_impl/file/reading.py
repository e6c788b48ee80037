"""Reading a journal's file: all of it, its first line, or what was added to it."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass

from .journal import LONGEST_HEADER, TRAILER, Damage, Header, Scan, read_header
from .scanning import life_of_first_edition, scan

_CHUNK = 64 * 1024
_MOST_UNWRITTEN = 64 * 1024 * 1024
"""How many bytes at the end of a journal may never have been written: more than space is ever reserved ahead."""


@dataclass(frozen=True)
class Look:
    """What a look at a journal found.

    Attributes:
        data: What is in the file.
        found: What that holds, or how it is damaged.
        status: The file's.
    """

    data: bytearray
    found: Scan | Damage
    status: os.stat_result


def look_at(descriptor: int) -> Look:
    """Return what is in a file, and what that holds."""
    status = os.fstat(descriptor)
    written = _written(descriptor, status.st_size)
    if status.st_size - written > _MOST_UNWRITTEN:
        what = f"of {status.st_size} bytes, {status.st_size - written} were never written"
        return Look(bytearray(), Damage(written, what), status)
    data = _read_all(descriptor, status.st_size)
    try:
        return Look(data, scan(data), status)
    except Damage as damage:
        return Look(data, damage, status)


def header_of(descriptor: int) -> Header | None:
    """Return the first line of a file, if it is that of a journal."""
    return read_header(os.pread(descriptor, LONGEST_HEADER, 0))


def life_of(descriptor: int, header: Header) -> str:
    """Return the name of the life that the session of a journal lives."""
    return header.life or life_of_first_edition(os.pread(descriptor, _CHUNK, 0), header)


def read_up_to_nul(descriptor: int, start: int) -> bytes:
    """Return what a file has from byte ``start`` on, up to reserved space."""
    parts = []
    while chunk := os.pread(descriptor, _CHUNK, start):
        stop = chunk.find(b"\0")
        if stop >= 0:
            parts.append(chunk[:stop])
            break
        parts.append(chunk)
        start += len(chunk)
    return b"".join(parts).removesuffix(TRAILER)


def ends_with_trailer(descriptor: int, size: int) -> bool:
    """Whether a file of a size in bytes ends as a journal does."""
    return os.pread(descriptor, len(TRAILER), size - len(TRAILER)) == TRAILER


def _written(descriptor: int, size: int) -> int:
    """Return where in a file of a size in bytes what was written ends: at its first hole, where it has any."""
    if size > _MOST_UNWRITTEN and hasattr(os, "SEEK_HOLE"):
        with contextlib.suppress(OSError):
            return os.lseek(descriptor, 0, os.SEEK_HOLE)
    return size


def _read_all(descriptor: int, size: int) -> bytearray:
    """Return all that is in a file, which had a size in bytes and may be growing."""
    data = bytearray(size)
    with io.FileIO(os.dup(descriptor)) as file:
        file.seek(0)
        del data[file.readinto(data) :]
        while more := file.read():
            data += more
    return data
