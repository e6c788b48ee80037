"""Deletion of a session in S3: its root first, so that it is gone for whoever opens it; then all that lies below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from strands.types.exceptions import SessionException

from .objects import Listed, S3Objects
from .root import ROOT, DamagedRoot, Root, life_in, read_root


def delete(objects: S3Objects, place: str, sdk_place: str, session_id: str, only: Root | None = None) -> bool:
    """Remove a session, and what a deletion that was cut short left of it.

    Args:
        objects: The bucket.
        place: The prefix of its objects.
        sdk_place: The prefix of what the SDK's manager left of it.
        session_id: The session.
        only: The root that it must have, if any one will not do.

    Returns:
        Whether it had that root.

    Raises:
        SessionException: There is nothing of it, or it cannot be removed.
    """
    there = {item.key for item in objects.list(place)}
    old = [item.key for item in objects.list(sdk_place)]
    if only is not None and _root(objects, place) != only:
        return False
    if not there and not old:
        raise SessionException(f"Session {session_id} does not exist")
    objects.delete(old)  # else it would be imported again
    root = place + ROOT
    if root in there:
        objects.delete([root])
    # A manager may have written since, or started a new session: of that, nothing is touched.
    now = _root(objects, place)
    lives = {life_in(key.removeprefix(place)) for key in there} - {"", now.life if now is not None else ""}
    there |= {item.key for item in objects.list(place) if life_in(item.key.removeprefix(place)) in lives}
    left = [key for key in there if key != root and (now is None or life_in(key.removeprefix(place)) != now.life)]
    objects.delete(sorted(left, key=lambda key: (not is_first_commit(key), key)))
    return True


def is_first_commit(key: str) -> bool:
    """Whether a key is that of a life's first commit below the root, which a deletion removes before the others."""
    return key.endswith(f"/c/{1:010d}")


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
    if root is not None:
        objects.delete(item.key for item in orphans if item.modified < old)
    elif all(item.modified < min(old, older) for item in orphans):
        objects.delete(item.key for item in orphans)


def _root(objects: S3Objects, place: str) -> Root | None:
    try:
        return read_root(objects, place)
    except DamagedRoot:
        return None
