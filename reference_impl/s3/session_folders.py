"""Session folders: what lies under the prefix of each session in a bucket, and whether it may be removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from strands.types.exceptions import SessionException

from ..log.at_once import at_once
from ..log.codec import decode
from ..log.ids import folder_name
from ..log.inspection import CleanUp, SessionInfo, Skipped
from .deletion import delete_orphans, delete_unused
from .objects import Listed, S3Objects
from .prefixes import root_of
from .requests import is_withheld
from .rest import read_rest
from .root import ROOT, DamagedRoot, Root, read_root

Done = TypeVar("Done")

_AT_ONCE = 64
"""How many sessions are looked at before their results are handed on."""

IN_USE = timedelta(days=7)
"""How long a session counts as in use whose latest writer left no word that it stopped: it may have crashed."""


ORPHANED = timedelta(hours=1)
"""How old must be what belongs to no session, to be removed: a session that is imported now has no root yet."""


@dataclass(frozen=True)
class SessionFolder:
    """What lies under the prefix of a session.

    Attributes:
        objects: The bucket.
        place: The prefix.
        listed: All objects there.
        root: The root; None where there is none: then this is what is left of a session.
        problem: Why the root cannot be read, in words; empty where it can, or is not there.
        is_withheld: Whether that says nothing of what is stored: S3 has it, and does not give it.
        is_copy: Whether the root is that of another session, whose objects were copied here: nobody can open them, and
            nothing that belongs to that session may be removed for them.
    """

    objects: S3Objects
    place: str
    listed: list[Listed]
    root: Root | None
    problem: str = ""
    is_withheld: bool = False
    is_copy: bool = False

    def info(self) -> SessionInfo | None:
        """Return what a list says of the session; None where there is none, or it cannot be read."""
        if self.root is None or self.is_copy:
            return None
        try:
            session = decode(self.root.body)[0]["session"]
            return SessionInfo(
                session["session_id"],
                datetime.fromisoformat(session["created_at"]),
                max(item.modified for item in self._written()),
                sum(item.size for item in self.listed),
            )
        except (KeyError, IndexError, TypeError, ValueError):
            return None

    @property
    def name(self) -> str:
        """The id of the session, or the last part of its prefix where its root tells none."""
        info = self.info()
        return info.session_id if info is not None else self.place.rstrip("/").rpartition("/")[2]

    def clean_up(
        self, parent: str, limit: datetime, today: datetime, done: CleanUp, *, damaged: bool, dry_run: bool
    ) -> None:
        """Remove what lies here, if it was not written since ``limit`` and nobody uses it; note what was done.

        Raises:
            SessionException: It cannot be read or removed.
        """
        info, written = self.info(), max((item.modified for item in self.listed), default=today)
        if not dry_run and not self.problem and (self.root is None or info is not None):
            delete_orphans(self.objects, self.place, self.root, self.listed, today - ORPHANED, limit)
        if info is None:
            if written >= limit or (self.root is None and not self.problem):
                return
            if self.is_withheld or self.is_copy or not damaged:
                why = (
                    self.problem
                    if self.is_withheld or self.is_copy
                    else "its root is damaged: a repair may bring it back"
                )
                done.skipped.append(Skipped(self.name, why))
                return
            old, objects = f"{self.place}/", self.objects
        else:
            written = info.updated_at
            if written >= limit:
                return
            if written >= today - IN_USE and not self.is_resting():
                done.skipped.append(Skipped(info.session_id, "its latest writer has not stopped: it may be in use"))
                return
            old = f"{parent}session_{info.session_id}/"
            objects = S3Objects(self.objects.client, self.objects.bucket, info.session_id)
        unused = written < today - ORPHANED
        if dry_run or delete_unused(objects, self.place, old, self.name, self.root, self.listed, unused):
            done.append(self.name)

    def is_resting(self) -> bool:
        """Whether its latest writer has stopped."""
        assert self.root is not None
        latest = max((int(item.key.rpartition("/")[2]) for item in self._commits()), default=0)
        rest = read_rest(self.objects, f"{self.place}{self.root.life}/")
        return rest is not None and rest.stop > latest

    def _written(self) -> list[Listed]:
        return [*self._commits(), *(item for item in self.listed if item.key == self.place + ROOT)]

    def _commits(self) -> list[Listed]:
        assert self.root is not None
        commits = f"{self.place}{self.root.life}/c/"
        return [
            item for item in self.listed if item.key.startswith(commits) and item.key.removeprefix(commits).isdecimal()
        ]


def session_folders(client: Any, bucket: str, prefix: str, do: Callable[[SessionFolder], Done]) -> Iterator[Done]:
    """Do something with what lies under the prefix of each session, some of them at once; yield the results in order.

    Args:
        client: The client.
        bucket: The bucket.
        prefix: What all keys begin with.
        do: What is done. It is called on several threads.

    Raises:
        SessionException: The bucket cannot be read.
    """
    objects = S3Objects(client, bucket, "")
    places = objects.folders(f"{root_of(prefix)}journal_")
    while some := list(islice(places, _AT_ONCE)):
        yield from at_once(lambda place: do(_look_into(objects, place)), some)


def _look_into(objects: S3Objects, place: str) -> SessionFolder:
    listed: list[Listed] = []
    try:
        listed = list(objects.list(place))
        root = read_root(objects, place)
        if root is not None and _is_anothers(root, place):
            problem = "it is a copy: its root is that of another session"
            return SessionFolder(objects, place, listed, root, problem, is_copy=True)
        return SessionFolder(objects, place, listed, root)
    except DamagedRoot:  # until it is repaired nobody can tell what is left over
        problem = f"s3://{objects.bucket}/{place}{ROOT} is not what was stored"
        return SessionFolder(objects, place, listed, None, problem)
    except SessionException as failure:
        if not is_withheld(failure):
            raise
        return SessionFolder(objects, place, listed, None, str(failure), is_withheld=True)


def _is_anothers(root: Root, place: str) -> bool:
    """Whether a root is that of a session that has another prefix."""
    try:
        name = folder_name(decode(root.body)[0]["session"]["session_id"])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return False  # nobody can say
    return place.rstrip("/").rpartition("/")[2] != name
