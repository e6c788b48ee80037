"""Salvage: what is whole in a damaged journal, wherever it lies, and what is not, in words. Bytes only, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..log.commit_lines import END, PREFIX, whole_commit
from ..log.damaged_line import changes_in
from .journal import TRAILER, read_header
from .torn import WITHDRAWN


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
    changes, lost = changes_in(line, f"at byte {place}")
    found.commits += [(change, "") for change in changes]
    found.lost += lost


def _counted(first: int, stop: int) -> str:
    return f"commit {first}" if stop == first + 1 else f"the commits {first} to {stop - 1}"
