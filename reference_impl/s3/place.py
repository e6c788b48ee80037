"""Where the commits of a session lie in a bucket, as the names of its objects tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

HEADER = b"strands-session-commits 1\n"
"""What each object begins with. One that holds nothing else was emptied: what it held was rewritten."""

ENDED = HEADER + b"ended\n"
"""What stands in place of a commit behind the last one, where the session was deleted: see :mod:`.ending`."""


REST = "rest"
"""The name of what says which writers have stopped: see :mod:`.rest`."""


def commit_name(number: int) -> str:
    """Return the name of a commit's object."""
    return f"c/{number:010d}"


def commit_number(name: str) -> int:
    """Return the number of a commit's object, from its name below the session's life; 0 where it is none."""
    number = name.removeprefix("c/")
    return int(number) if name.startswith("c/") and number.isdecimal() else 0


def is_end(name: str, size: int) -> bool:
    """Whether an object, by its name below the session's prefix, says that a life has ended: no other is as short."""
    return size == len(ENDED) and "/c/" in name


@dataclass(frozen=True)
class Segment:
    """An object with the lines of many commits.

    Attributes:
        key: Its key, without the prefix of the session's life.
        first: The number of its first commit.
        last: The number of its last.
        rewritten: Whether it holds a rewritten history, whose lines have numbers of their own.
        size: In bytes.
    """

    key: str
    first: int
    last: int
    rewritten: bool
    size: int

    @property
    def is_rewriting(self) -> bool:
        """Whether it is of somebody who rewrote the history, and empties what must go; not a folded one."""
        return self.key.endswith("-r")

    @classmethod
    def named(cls, key: str, size: int) -> Segment | None:
        """Return the segment of a key, or None where it is no segment's."""
        words = key.removeprefix("s/").split("-")
        if not key.startswith("s/") or len(words) not in (2, 3) or not all(word.isdecimal() for word in words[:2]):
            return None
        if words[2:] not in ([], ["r"], ["f"]):
            return None
        return cls(key, int(words[0]), int(words[1]), words[2:] in (["r"], ["f"]), size)


def is_ours(name: str) -> bool:
    """Whether an object below a session's life is one of those that are written there."""
    return name == REST or (name.startswith("c/") and name[2:].isdecimal()) or Segment.named(name, 0) is not None


@dataclass
class Place:
    """Where the commits of a session lie.

    Attributes:
        segments: The segments that a restore needs, in order; each begins at or before the end of the one before it.
        tail: The numbers of the commits behind them.
        tail_bytes: How many bytes their objects take.
    """

    segments: list[Segment] = field(default_factory=list)
    tail: list[int] = field(default_factory=list)
    tail_bytes: int = 0

    @property
    def next(self) -> int:
        """The number of the next commit."""
        if self.tail:
            return self.tail[-1] + 1
        return self.segments[-1].last + 1 if self.segments else 1  # the root is commit 0

    @property
    def base(self) -> int:
        """The number of the first commit that no rewritten history stands for."""
        return self.segments[0].last + 1 if self.segments and self.segments[0].rewritten else 0


def cover(segments: Sequence[Segment]) -> Place:
    """Return the fewest segments that hold the beginning of a history, each the largest that there is."""
    rewritten = [segment for segment in segments if segment.rewritten]
    place = Place([max(rewritten, key=lambda segment: segment.last)] if rewritten else [])
    base = place.base
    while True:
        further = [
            segment
            for segment in segments
            if not segment.rewritten and base <= segment.first <= place.next <= segment.last
        ]
        if not further:
            return place
        place.segments.append(max(further, key=lambda segment: segment.last))
