"""Misplaced objects: the bytes of one stored object lie where another one's should.

A disk may write a block in another one's place, a copy may be put back under another name, and a checksum over the
bytes alone fits wherever they lie. A design without keys can notice what belongs to another session, or to another
place in the same session: each object says whose it is. It cannot notice that the whole session is an older one, and
need not notice that one object is: a store that writes each message in one step has nothing beside it that says which
version is the latest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..conversations import Session
from ..process import within_limit
from ..timeline import Reading, difference, same
from .file_system import Contents

_CANDIDATES = 2
"""How many objects are tried in the place of each: those that are nearest to it in size."""

_OBJECTS = 12
"""How many objects of a session are replaced at most."""


@dataclass(frozen=True)
class Misplaced:
    """An object in whose place another one's bytes were put, and what came of opening its session.

    Attributes:
        object: The path of the object that was replaced.
        by: The path of the other one.
        whose: Whose that is: another session's, or the same session's.
        problem: None where it was noticed, or did not matter; else what came back.
    """

    object: str
    by: str
    whose: str
    problem: str | None


def misplace_objects(
    session: Session, contents: Contents, mine: Sequence[str], others: Sequence[str]
) -> Iterator[Misplaced]:
    """Put the bytes of other objects in the place of each object of a session, one at a time, and read the session.

    Args:
        session: The session, in good order.
        contents: What its workspace holds.
        mine: The paths of its own objects.
        others: The paths of another session's objects, in which the same kinds of things were said.
    """
    files = {path: bytes(contents.files[node]) for path, node in contents.paths() if node in contents.files}
    whole = session.read()
    for path in _some(sorted(mine)):
        for whose, candidates in (("another session's", others), ("the same session's", mine)):
            for other in _nearest(path, candidates, files):
                with tempfile.TemporaryDirectory(
                    prefix="session-conformance-misplaced-", ignore_cleanup_errors=True
                ) as name:
                    folder = Path(name)
                    contents.write_to(folder)
                    (folder / path).write_bytes(files[other])
                    place = replace(session, workspace=replace(session.workspace, folder=folder))
                    reading = within_limit(place.read, "opening a session in which an object lies in another's place")
                    older_is_right = whose != "another session's"
                    yield Misplaced(path, other, whose, _problem(whole, reading, older_is_right=older_is_right))


def _problem(whole: Reading, reading: Reading, *, older_is_right: bool) -> str | None:
    if reading.error is not None:
        return None if reading.is_clear else f"opening it raised {reading.error}"
    if older_is_right and difference(whole.messages[: len(reading.messages)], reading.messages) is None:
        return None  # where two objects hold two versions of a session, that is the whole session by an older one
    differs = difference(whole.messages, reading.messages)
    if differs is None and not same(whole.state, reading.state):
        differs = f"the state {reading.state!r} came back instead of {whole.state!r}"
    return differs


def _nearest(path: str, candidates: Sequence[str], files: Mapping[str, bytes]) -> list[str]:
    """Return the objects that are most like one in kind and in size, and are not the same."""
    kind = PurePosixPath(path).suffix
    alike = [
        other
        for other in candidates
        if other != path and PurePosixPath(other).suffix == kind and files[other] != files[path]
    ]
    return sorted(alike, key=lambda other: (abs(len(files[other]) - len(files[path])), other))[:_CANDIDATES]


def _some(paths: Sequence[str]) -> Sequence[str]:
    return paths[:: max(1, -(-len(paths) // _OBJECTS))]
