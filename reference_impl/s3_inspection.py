"""Inspection of a session in S3: every object read, what is whole kept, and what is not brought back from versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from strands.types.exceptions import SessionException

from .commit_lines import whole_commit
from .s3_log import BORN
from .s3_objects import NotThere, S3Objects
from .s3_place import HEADER, Segment


@dataclass
class Inspection:
    """What the objects of a session hold.

    Attributes:
        rewritten: The commits of a rewritten history, which stands for all before ``base``.
        base: The number of the first commit behind it.
        commits: The bodies of other whole commits by number.
        problems: What is damaged or missing, in words.
        damaged: The keys that are damaged, without the session's prefix.
        keys: All keys.
        born: What tells the session from an earlier one with its id: see :data:`~.s3_log.BORN`.
    """

    rewritten: list[bytes] = field(default_factory=list)
    base: int = 0
    commits: dict[int, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    born: str | None = None

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of all commits, in order."""
        return [*self.rewritten, *(body for number, body in sorted(self.commits.items()) if number >= self.base)]

    @property
    def count(self) -> int:
        """How many commits are whole."""
        return len(self.bodies)

    def add(self, key: str, data: bytes) -> bool:
        """Take what is whole in an object, and return whether all of it is."""
        found, whole = _whole(data)
        segment = Segment.named(key, len(data))
        if segment is not None and segment.rewritten:
            if whole and found and segment.last >= self.base:
                self.rewritten, self.base = [body for _, body in found], segment.last + 1
            return whole
        self.commits |= dict(found)
        numbers = [number for number, _ in found]
        if segment is not None:
            return whole and (not found or numbers == list(range(segment.first, segment.last + 1)))
        return whole and (not found or numbers[-1] == int(key.rpartition("/")[2]))

    def note_gaps(self) -> None:
        """Note the commits that are missing between others."""
        numbers = [number for number in self.commits if number >= self.base]
        for number in range(self.base, max(numbers, default=self.base - 1) + 1):
            if number not in self.commits:
                self.problems.append(f"commit {number} is missing")


def inspect(objects: S3Objects, prefix: str) -> Inspection:
    """Read every object of a session.

    Raises:
        SessionException: There is none, or they cannot be read.
    """
    found = Inspection()
    for item in objects.list(prefix):
        key = item.key.removeprefix(prefix)
        if not _is_ours(key):
            continue
        found.keys.add(key)
        try:
            fetched = objects.get(item.key)
        except NotThere:
            continue
        if found.add(key, fetched.data):
            found.born = fetched.metadata.get(BORN)
        else:
            found.damaged.add(key)
            found.problems.append(f"s3://{objects.bucket}/{item.key} is not what was stored")
    if not found.keys:
        raise SessionException(f"there is no session at s3://{objects.bucket}/{prefix}")
    found.note_gaps()
    return found


def with_earlier_versions(objects: S3Objects, prefix: str, found: Inspection) -> Inspection:
    """Return an inspection with what earlier versions of damaged and deleted objects hold, where the bucket keeps any.

    Raises:
        SessionException: A version cannot be read.
    """
    try:
        versions = list(objects.versions(prefix))
    except SessionException as error:
        found.problems.append(f"earlier versions cannot be looked for: {error}")
        return found
    first = f"{prefix}c/{0:010d}"
    brought_back: set[str] = set()
    for key, version in sorted(versions, key=lambda found: found[0] != first):  # a stable sort: the first commit first
        name = key.removeprefix(prefix)
        if not _is_ours(name) or name in brought_back or (name in found.keys and name not in found.damaged):
            continue
        try:
            fetched = objects.get(key, version)
        except NotThere:
            continue
        if found.born not in (None, fetched.metadata.get(BORN)):
            continue  # of an earlier session with this id, which was deleted
        if found.add(name, fetched.data):
            found.born = fetched.metadata.get(BORN)
            brought_back.add(name)
            if name not in found.keys:
                found.problems.append(f"s3://{objects.bucket}/{key} was deleted")
    found.problems = [problem for problem in found.problems if not problem.startswith("commit ")]
    found.note_gaps()
    return found


def _is_ours(key: str) -> bool:
    name = key.partition("/")[2]
    return (key.startswith("c/") and name.isdecimal()) or Segment.named(key, 0) is not None


def _whole(data: bytes) -> tuple[list[tuple[int, bytes]], bool]:
    """Return the whole commits in an object, and whether it holds nothing else."""
    found: list[tuple[int, bytes]] = []
    whole = data.startswith(HEADER)
    for position in _line_starts(data, len(HEADER) if whole else 0):
        commit = whole_commit(data, position)
        if commit is not None:
            found.append((commit.number, commit.body))
        else:
            whole = False
    return found, whole


def _line_starts(data: bytes, start: int) -> Iterable[int]:
    while start < len(data):
        yield start
        start = data.find(b"\n", start) + 1 or len(data)
