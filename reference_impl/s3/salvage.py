"""Salvage: what is whole in the objects of a damaged session, wherever it lies. Bytes only, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..log.commit_lines import ID_LENGTH, PREFIX, whole_commit
from ..log.damaged_line import changes_in
from .place import ENDED, HEADER, Segment

Line = tuple[bytes, str]
"""A commit's body, and its id; an empty one where that is not known."""


@dataclass
class Lines:
    """What one object holds.

    Attributes:
        found: The whole commits by number, in their order.
        damaged: What is no whole commit, with the number that it must have had; None where nobody can say.
        whole: Whether the object holds whole commits and nothing else.
    """

    found: list[tuple[int, Line]] = field(default_factory=list)
    damaged: list[tuple[int | None, bytes]] = field(default_factory=list)
    whole: bool = True


def lines_in(data: bytes, last: int | None) -> Lines:
    """Return what an object holds. A line is looked for at every byte: what lies before it may have lost its end.

    Args:
        data: The object's bytes.
        last: The number of its last commit, if that is known.
    """
    lines = Lines()
    position = len(HEADER) if data.startswith(HEADER) else 0
    lines.whole = position > 0
    if data == ENDED:
        return lines
    for start, stop, number, line in _whole_lines(data, position):
        if start > position:
            lines.damaged.append((_only_number(lines, number), data[position:start]))
        lines.found.append((number, line))
        position = stop
    if position < len(data):
        lines.damaged.append((_only_number(lines, last + 1) if last is not None else None, data[position:]))
    lines.whole = lines.whole and not lines.damaged
    return lines


def _only_number(lines: Lines, behind: int) -> int | None:
    """Return the number of a line that stands alone between the latest one and another."""
    return behind - 1 if not lines.found or lines.found[-1][0] == behind - 2 else None


def _whole_lines(data: bytes, position: int) -> Iterator[tuple[int, int, int, Line]]:
    while (match := PREFIX.search(data, position)) is not None:
        commit = whole_commit(data, match.start())
        if commit is None or not commit.body.startswith(b"["):
            position = match.start() + 1
        else:
            yield match.start(), commit.stop, commit.number, (commit.body, commit.label[:ID_LENGTH])
            position = commit.stop


@dataclass
class Salvage:
    """What the objects of a session hold together.

    Attributes:
        commits: By number, the commits that are whole: one, unless a store let two writers have the same number.
        rewritten: By the number of the last commit that it stands for, what is whole of a rewritten history.
        numbers: The numbers of all commits that there are or were.
    """

    commits: dict[int, list[Line]] = field(default_factory=dict)
    rewritten: dict[int, Lines] = field(default_factory=dict)
    numbers: set[int] = field(default_factory=set)
    _damaged: dict[int, bytes] = field(default_factory=dict)
    _strays: list[bytes] = field(default_factory=list)

    def add(self, key: str, data: bytes) -> bool:
        """Take what is whole in an object, and return whether it is what was stored, or was emptied on purpose."""
        segment = Segment.named(key, len(data))
        number = None if segment is not None else int(key.rpartition("/")[2])
        if data == HEADER:  # what stands for it was stored before that
            self.numbers |= {segment.last if segment is not None else int(key.rpartition("/")[2])}
        if data in (HEADER, ENDED):
            return True
        lines = lines_in(data, number if segment is None else None if segment.rewritten else segment.last)
        if segment is not None and segment.rewritten:
            known = self.rewritten.get(segment.last)
            if known is None or (len(lines.found), lines.whole) > (len(known.found), known.whole):
                self.rewritten[segment.last] = lines
            return lines.whole
        self.numbers |= {number} if number is not None else {found for found, _ in lines.found}
        for at, line in lines.found:
            self.add_commit(at, line)
        for place, damaged in lines.damaged:
            if place is None:
                self._strays.append(damaged)
            elif len(damaged) > len(self._damaged.get(place, b"")):
                self._damaged[place] = damaged
        numbers = [place for place, _ in lines.found]
        if segment is not None:
            return lines.whole and numbers == list(range(segment.first, segment.last + 1))
        return lines.whole and numbers[-1:] == [number]

    def add_commit(self, number: int, line: Line) -> None:
        """Take a whole commit, unless it is known."""
        known = self.commits.setdefault(number, [])
        if line not in known:
            known.append(line)

    def stands_for(self, key: str) -> bool:
        """Whether the newest rewritten history is whole, and stands for all that an object held."""
        segment = Segment.named(key, 0)
        base = self._base(newest=True)
        last = segment.last if segment is not None else int(key.rpartition("/")[2])
        return base > 0 and self._is_whole(base) and last < base - bool(segment is not None and segment.rewritten)

    def doubled(self) -> list[int]:
        """Return the numbers that two writers have."""
        return sorted(
            number for number, lines in self.commits.items() if len(lines) > 1 and number >= self._base(newest=True)
        )

    def missing(self, base: int) -> list[int]:
        """Return the numbers from ``base`` on, of which there is no whole commit."""
        return [number for number in range(base, max(self.numbers, default=base - 1) + 1) if number not in self.commits]

    def _base(self, newest: bool) -> int:
        """Return the number of the first commit that the newest rewritten history does not stand for.

        Where that history is damaged, and an older one with the commits behind it is whole, that is taken.
        """
        bases = sorted((last + 1 for last in self.rewritten), reverse=True)
        if newest:
            return bases[0] if bases else 0
        whole = (base for base in [*bases, 0] if (not base or self._is_whole(base)) and not self.missing(base))
        return next(whole, bases[0] if bases else 0)

    def _is_whole(self, base: int) -> bool:
        return self.rewritten[base - 1].whole

    def result(self) -> tuple[list[Line], list[str]]:
        """Return the commits that can be brought back, in order, and what cannot, in words."""
        base = self._base(newest=False)
        found: list[Line] = []
        lost: list[str] = []
        if base:
            before = self.rewritten[base - 1]
            found += [line for _, line in before.found]
            for _, damaged in before.damaged:
                changes, more = changes_in(damaged, f"of the history up to commit {base - 1}")
                found += [(change, "") for change in changes]
                lost += more
        for number in range(base, max([base - 1, *self.commits, *self.numbers]) + 1):
            if number in self.commits:
                found += self.commits[number]
            elif number in self._damaged:
                changes, more = changes_in(self._damaged[number], f"of commit {number}")
                found += [(change, "") for change in changes]
                lost += more
            elif number in self.numbers or number < max(self.numbers, default=0):
                lost.append(f"commit {number} is missing")
        return found, lost
