"""Deletion of a session in S3: its root first, so that it is gone for whoever opens it; then all that lies below.

Where somebody may still be writing, one object stays that says so and nothing else (:mod:`.ending`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from strands.types.exceptions import SessionException

from .ending import commits_behind, end
from .life import Life
from .objects import Listed, S3Objects
from .place import REST, is_end
from .requests import is_withheld
from .root import ROOT, DamagedRoot, Root, life_in, read_root
from .writers import RECENT


def delete(objects: S3Objects, place: str, sdk_place: str, session_id: str) -> None:
    """Remove a session, and what a deletion that was cut short left of it.

    Args:
        objects: The bucket.
        place: The prefix of its objects.
        sdk_place: The prefix of what the SDK's manager left of it.
        session_id: The session.

    Raises:
        SessionException: There is nothing of it, or it cannot be removed.
    """
    there = list(objects.list(place))
    old = _expect_something(objects, place, sdk_place, session_id, there)
    _remove_sdks(objects, sdk_place, old)
    if old:  # it may have been imported meanwhile: whoever begins to do so from now on sees that this is gone
        there = list(objects.list(place))
    before, now = _remove_root(objects, place, there)
    gone = before.life if before is not None and before != now else ""
    begun = gone if old else ""
    lives = _lives(there, place, now) | ({gone} - {""})  # a listing may come late
    _remove_rest(objects, place, session_id, lives, list(objects.list(place)), begun=begun)


def is_anything_left(objects: S3Objects, place: str, sdk_place: str) -> bool:
    """Whether there is anything of a session that :func:`delete` removes, whole or not.

    Raises:
        SessionException: Nobody can say.
    """
    return any(not _is_end(item, place) for item in objects.list(place)) or any(True for _ in objects.list(sdk_place))


def withdraw(objects: S3Objects, place: str, session_id: str, life: str) -> None:
    """Remove a session of which nothing but its root was stored, unless others have written to it meanwhile.

    Args:
        objects: The bucket.
        place: The prefix of its objects.
        session_id: The session.
        life: The life that its root must name.

    Raises:
        SessionException: It cannot be removed.
    """
    there = [item.key.removeprefix(place) for item in objects.list(place)]
    root = _root(objects, place)
    if root is None or root.life != life or any(life_in(key) == life and key != f"{life}/{REST}" for key in there):
        return
    objects.delete([place + ROOT])
    _remove_rest(objects, place, session_id, {life}, list(objects.list(place)), strays=False)


def delete_unused(
    objects: S3Objects,
    place: str,
    sdk_place: str,
    session_id: str,
    only: Root | None,
    seen: Sequence[Listed],
    unused: bool,
) -> bool:
    """Remove a session that nobody uses, unless somebody has written to it meanwhile: then it stays.

    Whoever goes on with a session stores a commit first and looks at the root then. Here the root is removed first, and
    the commits are listed then. So one of the two sees what the other did, and puts the root back or is refused.

    Args:
        objects: The bucket.
        place: The prefix of its objects.
        sdk_place: The prefix of what the SDK's manager left of it.
        session_id: The session.
        only: The root that it must have; any one will do if it is None.
        seen: Its objects, as they were when it was seen that nobody uses it.
        unused: Whether nobody had written to it then for longer than writers take a session for granted.

    Returns:
        Whether it was removed.

    Raises:
        SessionException: There is nothing of it, or it cannot be removed.
    """
    there = list(objects.list(place))
    if (only is not None and _root(objects, place) != only) or _new(there, seen):
        return False
    old = _expect_something(objects, place, sdk_place, session_id, there)
    _remove_sdks(objects, sdk_place, old)
    _, now = _remove_root(objects, place, there)
    left = list(objects.list(place))
    is_used = _new(left, seen)
    if is_used and now is None and only is not None and _put_back(objects, place, only, seen):
        return False
    _remove_rest(objects, place, session_id, _lives(there, place, now), left, unused and not is_used)
    return True


def _new(there: Iterable[Listed], seen: Sequence[Listed]) -> bool:
    known = {item.key for item in seen}
    return any(item.key not in known for item in there)


def _put_back(objects: S3Objects, place: str, root: Root, seen: Sequence[Listed]) -> bool:
    """Put a root back; False where the session was begun anew, or has nothing but its root.

    The latter cannot go on: who is refused leaves nothing of it.
    """
    names = [item.key.removeprefix(place) for item in seen]
    has_more = any(life_in(name) == root.life and name != f"{root.life}/{REST}" for name in names)
    return has_more and objects.put_new(place + ROOT, root.data(), {})


def _expect_something(
    objects: S3Objects, place: str, sdk_place: str, session_id: str, there: Sequence[Listed]
) -> list[str]:
    """Return the keys of what the SDK's manager left; raise an error where nothing is there at all."""
    old = [item.key for item in objects.list(sdk_place)]
    if all(_is_end(item, place) for item in there) and not old and _root(objects, place) is None:
        raise SessionException(f"Session {session_id} does not exist")
    return old


def _remove_sdks(objects: S3Objects, sdk_place: str, old: Sequence[str]) -> None:
    objects.delete(old)  # else it would be imported again
    objects.delete_one_by_one([item.key for item in objects.list(sdk_place)])


def _remove_root(objects: S3Objects, place: str, there: Sequence[Listed]) -> tuple[Root | None, Root | None]:
    """Remove the root; return it, and the one that is there then: of a session that was started meanwhile."""
    try:
        before = _root(objects, place)
    except SessionException as failure:
        if not is_withheld(failure):
            raise
        before = None  # whatever it says, it goes
    roots = [place + ROOT] if before is not None or any(item.key == place + ROOT for item in there) else []
    objects.delete(roots)
    now = _root(objects, place)
    if now is not None and now == before:  # a store may say that it removed it, and leave it
        objects.delete_one_by_one(roots)
        now = _root(objects, place)
    return before, now


def _lives(there: Iterable[Listed], place: str, now: Root | None) -> set[str]:
    """Return the lives that go: a manager may have started a new one, and of that nothing is touched."""
    return {life_in(item.key.removeprefix(place)) for item in there} - {"", now.life if now is not None else ""}


def _remove_rest(
    objects: S3Objects,
    place: str,
    session_id: str,
    lives: Collection[str],
    there: Sequence[Listed],
    unused: bool = False,
    *,
    begun: str = "",
    strays: bool = True,
) -> None:
    """Remove all that lies below the root.

    Args:
        objects: The bucket.
        place: The prefix of the session's objects.
        session_id: The session.
        lives: The lives that go.
        there: Its objects, as they were once the root was removed.
        unused: Whether it is known that nobody needs word of the deletion.
        begun: The life of which somebody may be about to store the first commit, as whoever imports a session is.
        strays: Whether what belongs to no life goes too, whoever has put it there.
    """
    newest = max((item.modified for item in there), default=None)
    ends = {item.key for item in there if _is_end(item, place) and newest and item.modified > newest - RECENT}
    not_listed: list[Listed] = []
    for name in () if unused else sorted(lives):
        found = [item for item in there if life_in(item.key.removeprefix(place)) == name]
        if not any(item.key in ends for item in found):
            life = Life(objects, place, session_id, name)
            more = commits_behind(life, found)
            ends |= end(life, [*found, *more], begun=name == begun)
            not_listed += more
    _remove_lives(
        objects,
        place,
        {*lives, ""} if strays else lives,
        ends,
        [item.key for item in not_listed if item.key not in ends],
    )


def _is_end(item: Listed, place: str) -> bool:
    return is_end(item.key.removeprefix(place), item.size)


def is_first_commit(key: str) -> bool:
    """Whether a key is that of a life's first commit below the root, which a deletion removes before the others."""
    return key.endswith(f"/c/{1:010d}")


def _remove_lives(
    objects: S3Objects, place: str, lives: Collection[str], ends: Collection[str], not_listed: Collection[str]
) -> None:
    """Remove all objects of lives but their ends: also what was written while this went on, and what is not listed yet.

    An empty name is that of no life: it stands for what belongs to none.

    Raises:
        SessionException: They cannot be removed.
    """

    def left() -> list[str]:
        found = (item.key for item in objects.list(place) if item.key not in ends)
        ours = [key for key in found if key != place + ROOT and life_in(key.removeprefix(place)) in lives]
        return sorted(ours, key=lambda key: (not is_first_commit(key), key))

    objects.delete([*left(), *not_listed])
    objects.delete_one_by_one(left())  # a store may say that it removed many at once, and leave them


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
    says_nothing = all(_is_end(item, place) or item.key.endswith(f"/{REST}") for item in orphans)
    if root is not None or says_nothing:
        objects.delete(item.key for item in orphans if item.modified < old)
    elif all(item.modified < min(old, older) for item in orphans):
        objects.delete(item.key for item in orphans)


def _root(objects: S3Objects, place: str) -> Root | None:
    try:
        return read_root(objects, place)
    except DamagedRoot:
        return None
