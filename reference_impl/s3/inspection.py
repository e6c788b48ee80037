"""Inspection of a session in S3: every object read, what is whole kept, and what is not brought back from versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from strands.types.exceptions import SessionException

from ..log.commit_lines import whole_commit
from .deletion import is_first_commit
from .objects import NotThere, S3Objects
from .place import HEADER, Segment
from .root import ROOT, DamagedRoot, Root, life_in, read_root, root_in


@dataclass
class Inspection:
    """What the objects of a session hold.

    Attributes:
        rewritten: The commits of a rewritten history, which stands for all before ``base``.
        base: The number of the first commit behind it.
        commits: The bodies of other whole commits by number.
        problems: What is damaged or missing, in words.
        damaged: The keys that are damaged, without the prefix of the session's life.
        keys: All keys.
        life: The life of the session, as its root says; or the one that has most objects, if there is no root.
        has_root: Whether the root is there, and whole.
        root_is_missing: Whether it is not there at all.
    """

    rewritten: list[bytes] = field(default_factory=list)
    base: int = 0
    commits: dict[int, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    life: str = ""
    has_root: bool = False
    root_is_missing: bool = False

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
    try:
        root = read_root(objects, prefix)
    except DamagedRoot:
        root = None
        found.problems.append(f"s3://{objects.bucket}/{prefix}{ROOT} is not what was stored")
    if root is not None:
        found.has_root, found.life, found.commits = True, root.life, {0: root.body}
    else:
        found.life = _largest_life(objects, prefix)
        if not found.problems:
            if not found.life:
                raise SessionException(f"there is no session at s3://{objects.bucket}/{prefix}")
            found.root_is_missing = True
            found.problems.append(
                f"s3://{objects.bucket}/{prefix}{ROOT} is missing: it was lost, or the session was deleted and that was"
                " cut short"
            )
    if found.life:
        _read_life(objects, f"{prefix}{found.life}/", found)
    found.note_gaps()
    if root is not None and read_root(objects, prefix) != root:
        raise SessionException(f"the session at s3://{objects.bucket}/{prefix} was deleted while it was read")
    return found


def _largest_life(objects: S3Objects, prefix: str) -> str:
    """Return the life that has most objects, of those that nobody began to remove."""
    keys = [item.key.removeprefix(prefix) for item in objects.list(prefix)]
    lives = Counter(map(life_in, keys))
    return max(
        (life_in(key) for key in keys if life_in(key) and is_first_commit(key)), key=lives.__getitem__, default=""
    )


def _is_there(objects: S3Objects, prefix: str, life: str) -> bool:
    return any(is_first_commit(item.key) for item in objects.list(f"{prefix}{life}/c/"))


def _read_life(objects: S3Objects, place: str, found: Inspection) -> None:
    for item in objects.list(place):
        key = item.key.removeprefix(place)
        if not _is_ours(key):
            continue
        found.keys.add(key)
        try:
            fetched = objects.get(item.key)
        except NotThere:
            continue
        if not found.add(key, fetched.data):
            found.damaged.add(key)
            found.problems.append(f"s3://{objects.bucket}/{item.key} is not what was stored")


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
    if not found.has_root:
        root = _earlier_root(objects, [version for version in versions if version[0] == prefix + ROOT])
        if root is not None:
            if root.life != found.life and (not found.root_is_missing or _is_there(objects, prefix, root.life)):
                found.life = root.life
                found.rewritten, found.base, found.commits, found.keys, found.damaged = [], 0, {}, set(), set()
                _read_life(objects, f"{prefix}{found.life}/", found)
            if root.life == found.life:
                found.commits[0] = root.body
    place = f"{prefix}{found.life}/"
    brought_back: set[str] = set()
    for key, version in versions if found.life else ():
        name = key.removeprefix(place)
        if not _is_ours(name) or name in brought_back or (name in found.keys and name not in found.damaged):
            continue
        try:
            fetched = objects.get(key, version)
        except NotThere:
            continue
        if found.add(name, fetched.data):
            brought_back.add(name)
            if name not in found.keys:
                found.problems.append(f"s3://{objects.bucket}/{key} was deleted")
    found.problems = [problem for problem in found.problems if not problem.startswith("commit ")]
    found.note_gaps()
    return found


def _earlier_root(objects: S3Objects, versions: Iterable[tuple[str, str]]) -> Root | None:
    for key, version in versions:
        with suppress(NotThere, DamagedRoot):
            return root_in(objects.get(key, version).data)
    return None


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
