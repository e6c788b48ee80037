"""The commit lines in an object, and the latest lines of a session, which its next objects repeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..log.commit_lines import END, PREFIX, are_whole, whole_commit
from . import sizes
from .life import Life
from .place import HEADER, commit_name, commit_number


def parse(life: Life, name: str, data: bytes, first: int | None) -> dict[int, bytes]:
    """Return an object's lines by number.

    Args:
        life: The life it belongs to.
        name: Its name there.
        data: Its bytes.
        first: The number that it must begin with, if that is known.

    Raises:
        Unreadable: It does not hold whole commits alone.
    """
    if not data.startswith(HEADER):
        raise life.unreadable(name, "it is empty" if not data else "it has no header")
    whole = _whole_lines(data, first)
    if whole:
        return whole
    lines: dict[int, bytes] = {}
    position, number = len(HEADER), first
    while position < len(data):
        commit = whole_commit(data, position)
        if commit is None or (number is not None and commit.number != number):
            raise life.unreadable(name, f"at byte {position} there is no whole commit")
        lines[commit.number] = data[position : commit.stop]
        position, number = commit.stop, commit.number + 1
    return lines


def _whole_lines(data: bytes, first: int | None) -> dict[int, bytes]:
    """Return an object's lines by number, if they are whole all of them; else none."""
    match = PREFIX.match(data, len(HEADER))
    if match is None or not data.endswith(END):
        return {}
    number = int(match.group(3), 16) if first is None else first
    lines = data[len(HEADER) : -len(END)].split(END)
    return {number + index: line + END for index, line in enumerate(lines)} if are_whole(lines, number) else {}


class Tail(NamedTuple):
    """The latest commits.

    Attributes:
        lines: Their lines by number, in order.
        begins: The number of the first commit in the newest object; None where there is no object.
    """

    lines: dict[int, bytes]
    begins: int | None


def newest_of_runs(numbers: Iterable[int]) -> list[str]:
    """Return the names of the newest objects of each run of commits: as a rule they hold all of them."""
    return list(map(commit_name, sorted({number // sizes.RUN: number for number in numbers}.values())))


def tail(life: Life, start: int, numbers: Iterable[int], fetched: Mapping[str, bytes] | None = None) -> Tail:
    """Return the commits from ``start`` on, of which these numbers, in order, are there.

    Args:
        life: The life.
        start: The number of the first.
        numbers: Those that are there.
        fetched: The objects of :func:`newest_of_runs`, if they were fetched.

    Raises:
        Moved: The history was rewritten meanwhile.
        Unreadable: One of them is missing or damaged.
        SessionException: They cannot be read.
    """
    there = list(numbers)
    if not there:
        return Tail({}, None)
    names = newest_of_runs(there)
    if fetched is None:
        fetched = dict(zip(names, life.fetch(names), strict=True))
    lines: dict[int, bytes] = {}
    begins = None
    for name in names:
        number = commit_number(name)
        begin = max(start, number // sizes.RUN * sizes.RUN)
        found = _commits_up_to(life, number, fetched[name])
        lines.update({at: line for at, line in found.items() if at >= begin})
        begins = min(found)
        missing = begins - 1
        while missing >= begin:  # larger messages are not repeated
            found = _commits_up_to(life, missing, life.get(commit_name(missing)))
            lines.update({at: line for at, line in found.items() if at >= begin})
            missing = min(found) - 1
    for number in range(start, there[-1] + 1):
        if number not in lines:
            raise life.unreadable(commit_name(number), "it is missing, and later ones are there")
    return Tail(dict(sorted(lines.items())), begins)


def _commits_up_to(life: Life, number: int, data: bytes) -> dict[int, bytes]:
    """Return the lines in the object of a commit, which is the last of them."""
    name = commit_name(number)
    found = parse(life, name, data, None)
    if max(found, default=-1) != number:
        raise life.unreadable(name, "its last commit is not its own")
    return found


class LatestLines:
    """The lines of a session's latest commits, without a gap: as many as the next object or segment needs.

    Attributes:
        next: The number of the next commit; 0 before anything is known.
        base: The number of the first commit that no rewritten history stands for.
        run_start: The number of the first commit that the next one may repeat.
    """

    def __init__(self) -> None:
        self.next = 0
        self.base = 0
        self.run_start = 0
        self._lines: dict[int, bytes] = {}

    def note_tail(self, first: int, found: Tail) -> None:
        """Note the commits from ``first`` on. What the newest object does not repeat, no later one shall."""
        self.note(first, found.lines)
        if found.begins is not None:
            self.run_start = found.begins

    def note(self, first: int, lines: dict[int, bytes]) -> None:
        """Note the commits from ``first`` on, and forget what no segment will need."""
        if first != self.next:
            self._lines = {}
        self._lines.update(lines)
        self.next = max(lines, default=self.next - 1) + 1
        block = (self.next - 1) // sizes.SEGMENT * sizes.SEGMENT
        size = sum(map(len, self._lines.values()))
        for number in sorted(self._lines):
            if number >= min(block, self.next - sizes.RUN) and size <= sizes.REMEMBERED:
                break
            size -= len(self._lines.pop(number))

    def note_all(self, found: Tail, next: int) -> None:
        """Note the commits of a whole history, of which ``next`` is the number behind the last."""
        newest = dict(list(found.lines.items())[-sizes.SEGMENT :])
        self._lines, self.next = {}, min(newest, default=next)
        self.note_tail(self.next, Tail(newest, found.begins))

    def between(self, first: int, last: int) -> dict[int, bytes]:
        """Return those of some commits that are known."""
        return {number: line for number, line in self._lines.items() if first <= number <= last}

    def repeated(self, number: int) -> list[bytes]:
        """Return the lines that the object of a commit repeats: the latest of its run, as far as they are small."""
        lines: list[bytes] = []
        size = 0
        start = max(number // sizes.RUN * sizes.RUN, self.run_start, self.base - 1)
        for earlier in range(number - 1, start - 1, -1):
            line = self._lines.get(earlier)
            size += len(line or b"")
            if line is None or size > sizes.RUN_BYTES:
                break
            lines.append(line)
        return lines[::-1]
