"""Inspection of a session in S3: every object read, what is whole kept, and what is not brought back from versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from strands.types.exceptions import SessionException

from .deletion import is_first_commit
from .objects import NotThere, S3Objects
from .place import Segment
from .root import ROOT, DamagedRoot, Root, life_in, read_root, root_in
from .salvage import Salvage


@dataclass
class Inspection:
    """What the objects of a session hold.

    Attributes:
        salvage: What is whole in them.
        problems: What is damaged or missing, in words.
        damaged: The keys that are damaged, without the prefix of the session's life.
        keys: All keys.
        life: The life of the session, as its root says; or the one that has most objects, if there is no root.
        has_root: Whether the root is there, and whole.
        root_is_missing: Whether it is not there at all.
    """

    salvage: Salvage = field(default_factory=Salvage)
    problems: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    life: str = ""
    has_root: bool = False
    root_is_missing: bool = False

    @property
    def count(self) -> int:
        """How many commits are whole."""
        return len(self.salvage.result()[0])

    def note_gaps(self) -> None:
        """Note the commits that are missing, and those that two writers stored under one number."""
        self.problems = [problem for problem in self.problems if not problem.startswith("commit ")]
        self.problems += [text for text in self.salvage.result()[1] if text.startswith("commit ")]
        for number in self.salvage.doubled():
            self.problems.append(f"commit {number} is there twice, and says two things: two writers had its number")


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
        found.has_root, found.life = True, root.life
        _add_root(found, root)
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
            whole = found.salvage.add(key, objects.get(item.key).data)
            whole = whole or found.salvage.add(key, objects.get(item.key).data)  # on its way, perhaps
        except NotThere:
            continue
        if not whole:
            found.damaged.add(key)
    found.damaged = {key for key in found.damaged if not found.salvage.stands_for(key)}
    found.problems += [f"s3://{objects.bucket}/{place}{key} is not what was stored" for key in sorted(found.damaged)]


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
                found.salvage, found.keys, found.damaged = Salvage(), set(), set()
                _read_life(objects, f"{prefix}{found.life}/", found)
            if root.life == found.life:
                _add_root(found, root)
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
        if found.salvage.add(name, fetched.data):
            brought_back.add(name)
            if name not in found.keys:
                found.problems.append(f"s3://{objects.bucket}/{key} was deleted")
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


def _add_root(found: Inspection, root: Root) -> None:
    found.salvage.numbers.add(0)
    found.salvage.commits[0] = [(root.body, "")]
