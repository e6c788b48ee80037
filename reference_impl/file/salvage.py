"""Salvage: what is whole in a damaged journal, wherever it lies, and what is not, in words. Bytes only, no I/O."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..log.commit_lines import END, PREFIX, whole_commit
from .journal import TRAILER, read_header
from .torn import WITHDRAWN

_PART = re.compile(rb"([0-9a-f]{8}):([0-9a-f]{8})(?=[ \"])")
_PARTS = re.compile(rb"((?: [0-9a-f]{8}:[0-9a-f]{8})+)...", re.DOTALL)  # and behind them three bytes: `",[`
_AGENT = re.compile(rb'"agent_id":"([^"\\\0]{1,100})"')
_TRACKING_ID = re.compile(rb'"tracking_id":"([^"\\\0]{1,100})"')


@dataclass
class Salvage:
    """What was found in a damaged journal.

    Attributes:
        commits: The body of each whole commit, and of each whole change of a damaged one, with its label; in the order
            of the file.
        lost: What was not brought back, in words.
    """

    commits: list[tuple[bytes, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def salvage(data: bytes | bytearray) -> Salvage:
    """Return what is whole in a damaged journal.

    A line is looked for at every byte, since what lies before it may have lost its end. Two lines with one number are
    two commits, unless they are the same to the byte.
    """
    found = Salvage()
    header = read_header(data)
    position, expected = header.length if header is not None else 0, 0
    seen: set[bytes] = set()
    for start, stop, number in _whole_lines(data, position):
        _note_passed(data, position, start, found)
        if expected < number:
            found.lost.append(f"of {_counted(expected, number)} not all is there before byte {start}")
        line = bytes(data[start:stop])
        if line in seen:
            found.lost.append(f"commit {number} stands at byte {start} again")
        else:
            seen.add(line)
            commit = whole_commit(data, start)
            assert commit is not None
            found.commits.append((commit.body, commit.label))
        position, expected = stop, max(expected, number + 1)
    _note_passed(data, position, len(data), found)
    return found


def _whole_lines(data: bytes | bytearray, position: int) -> Iterator[tuple[int, int, int]]:
    """Yield the start and stop in bytes and the number of each whole line, wherever it begins."""
    while (match := PREFIX.search(data, position)) is not None:
        commit = whole_commit(data, match.start())
        if commit is None:
            position = match.start() + 1
        else:
            yield match.start(), commit.stop, commit.number
            position = commit.stop


def _note_passed(data: bytes | bytearray, start: int, stop: int, found: Salvage) -> None:
    """Take the whole changes out of what is no whole line, and note the rest of it."""
    while start < stop:
        end = data.find(END, start, stop)
        end = stop if end < 0 else end + len(END)
        line = bytes(data[start:end]).strip(b"\0")
        if line.strip(b"\n") and line.strip(b"\n") not in TRAILER:
            _take_parts(line, start, found)
        start = end


def _take_parts(line: bytes, place: int, found: Salvage) -> None:
    if line.startswith(WITHDRAWN):
        return  # it was never acknowledged, and is stored again if whoever wrote it could
    parts = _PARTS.search(line)
    if parts is None:
        found.lost.append(f"{len(line)} bytes at byte {place} are no whole commit{_named(line)}")
        return
    position = parts.end()
    for part in _PART.finditer(parts.group(1) + b" "):
        length, checksum = (int(text, 16) for text in part.groups())
        change = line[position : position + length]
        if len(change) == length and zlib.crc32(change) == checksum:
            found.commits.append((b"[" + change + b"]", ""))
        else:
            found.lost.append(f"a change of {length} bytes at byte {place + position} is damaged{_named(change)}")
        position += length + 1


def _counted(first: int, stop: int) -> str:
    return f"commit {first}" if stop == first + 1 else f"the commits {first} to {stop - 1}"


def _named(data: bytes) -> str:
    """Say whose message some damaged bytes are, as far as they can be read; nothing of what it says."""
    names = [
        f"{kind} {match.group(1).decode(errors='replace')!r}"
        for kind, pattern in (("agent", _AGENT), ("tracking id", _TRACKING_ID))
        if (match := pattern.search(data)) is not None
    ]
    return f" ({', '.join(names)})" if names else ""
