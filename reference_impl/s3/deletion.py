"""Deletion of a session in S3: its root first, so that it is gone for whoever opens it; then all that lies below.

Where somebody may still be writing, one object stays that says so and nothing else (:mod:`.ending`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from strands.types.exceptions import SessionException

from .ending import RECENT, end, may_be_open
from .objects import Listed, S3Objects
from .place import ENDED
from .root import ROOT, DamagedRoot, Root, life_in, read_root


def delete(
    objects: S3Objects,
    place: str,
    sdk_place: str,
    session_id: str,
    only: Root | None = None,
    unused: bool = False,
) -> bool:
    """Remove a session, and what a deletion that was cut short left of it.

    Args:
        objects: The bucket.
        place: The prefix of its objects.
        sdk_place: The prefix of what the SDK's manager left of it.
        session_id: The session.
        only: The root that it must have, if any one will not do.
        unused: Whether it is known that nobody wrote to it for longer than writers take a session for granted.

    Returns:
        Whether it had that root.

    Raises:
        SessionException: There is nothing of it, or it cannot be removed.
    """
    there = list(objects.list(place))
    old = [item.key for item in objects.list(sdk_place)]
    if only is not None and _root(objects, place) != only:
        return False
    if all(is_end(item, place) for item in there) and not old:
        raise SessionException(f"Session {session_id} does not exist")
    objects.delete(old)  # else it would be imported again
    before = _root(objects, place)
    roots = [item for item in there if item.key == place + ROOT]
    objects.delete(item.key for item in roots)
    # A manager may have written since, or started a new session: of that, nothing is touched.
    now = _root(objects, place)
    lives = {life_in(item.key.removeprefix(place)) for item in there} | ({before.life} if before is not None else set())
    lives -= {"", now.life if now is not None else ""}
    there = list(objects.list(place))
    newest = max((item.modified for item in there), default=None)
    ends = {
        item.key for item in there if is_end(item, place) and newest is not None and item.modified > newest - RECENT
    }
    for life in sorted(lives):
        found = [item for item in there if life_in(item.key.removeprefix(place)) == life]
        had_root = before is not None and before.life == life
        if unused or any(item.key in ends for item in found) or (not had_root and _may_be_an_import(found)):
            continue
        if may_be_open(objects, place, life, [*found, *(roots if had_root else ())]):
            ends.add(end(objects, place, life, found))
    _remove_lives(objects, place, lives, ends)
    return True


def is_end(item: Listed, place: str) -> bool:
    """Whether an object says that a life has ended: nothing else is as short."""
    return item.size == len(ENDED) and "/c/" in item.key.removeprefix(place)


def is_first_commit(key: str) -> bool:
    """Whether a key is that of a life's first commit below the root, which a deletion removes before the others."""
    return key.endswith(f"/c/{1:010d}")


def _may_be_an_import(found: Sequence[Listed]) -> bool:
    """Whether somebody may be about to begin a session with what is there, whose root is stored last."""
    return [is_first_commit(item.key) for item in found if not item.key.endswith("/rest")] == [True]


def _remove_lives(objects: S3Objects, place: str, lives: Collection[str], ends: Collection[str]) -> None:
    """Remove all objects of lives but their ends: also what was written while this went on.

    Raises:
        SessionException: They cannot be removed.
    """

    def left() -> list[str]:
        found = (item.key for item in objects.list(place) if item.key not in ends)
        ours = [key for key in found if key != place + ROOT and _is_of(key.removeprefix(place), lives)]
        return sorted(ours, key=lambda key: (not is_first_commit(key), key))

    objects.delete(left())
    objects.delete_one_by_one(left())  # a store may say that it removed many at once, and leave them


def _is_of(name: str, lives: Collection[str]) -> bool:
    """Whether a key belongs to one of these lives, or to none that anybody can have."""
    life = life_in(name)
    return life in lives or not life


def delete_orphans(
    objects: S3Objects, place: str, root: Root | None, listed: Sequence[Listed], old: datetime, older: datetime
) -> None:
    """Remove what is left of earlier lives of a session.

    Where there is no root, a deletion was cut short, or somebody lost it: a repair can bring that back, for some time.

    Args:
        objects: The bucket.
        place: The session's prefix.
        root: Its root, if there is one.
        listed: What lies there, listed before the root was read.
        old: What was written before may go: a session that is imported at this moment has no root yet.
        older: What was written before may go if there is no root.

    Raises:
        SessionException: It cannot be removed.
    """
    orphans = [item for item in listed if life_in(item.key.removeprefix(place)) not in ("", root and root.life)]
    if root is not None or all(is_end(item, place) for item in orphans):
        objects.delete(item.key for item in orphans if item.modified < old)
    elif all(item.modified < min(old, older) for item in orphans):
        objects.delete(item.key for item in orphans)


def _root(objects: S3Objects, place: str) -> Root | None:
    try:
        return read_root(objects, place)
    except DamagedRoot:
        return None
