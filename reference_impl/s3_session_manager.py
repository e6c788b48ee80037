"""S3SessionManager: sessions as commits in a bucket, and what is done to whole sessions there."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from strands.types.exceptions import SessionException

from .log.at_once import at_once, beside
from .log.at_rest import AtRest, opened, sealed, sealing
from .log.codec import decode, encode
from .log.commit_lines import latest
from .log.history import commits_noted
from .log.ids import check_id, folder_name
from .log.inspection import CleanUp, Repair, SessionInfo, Skipped, Verification, note_repair, salvaged
from .log.manager import ChangeLogSessionManager
from .log.sdk_layout import UNSURE, SdkSession
from .log.session_store import SessionStore
from .s3.client import OwnClient, client_for
from .s3.deletion import delete, delete_orphans, delete_unused, is_anything_left
from .s3.inspection import inspect, with_earlier_versions
from .s3.log import S3Log
from .s3.objects import Listed, NotThere, S3Objects
from .s3.requests import is_withheld
from .s3.rest import read_rest
from .s3.root import ROOT, DamagedRoot, Root, read_root

logger = logging.getLogger(__name__)

IN_USE = timedelta(days=7)
"""How long a session counts as in use whose latest writer left no word that it stopped: it may have crashed."""


ORPHANED = timedelta(hours=1)
"""How old must be what belongs to no session, to be removed: a session that is imported now has no root yet."""


class S3SessionManager(ChangeLogSessionManager):
    """Keeps sessions in a bucket, with the constructor of the SDK's own manager.

    What is promised, and what not, stands in ``docs/reference-s3.md``. In short: a message is stored before any hook
    hears of it, with one request; writers never overwrite each other; a restore takes few requests, however long the
    history is; it needs ``s3:GetObject``, ``s3:PutObject`` and ``s3:ListBucket`` and nothing else.
    """

    _placeholders_wait = True

    def __init__(
        self,
        session_id: str,
        bucket: str,
        prefix: str = "",
        boto_session: boto3.Session | None = None,
        boto_client_config: Config | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        *,
        one_writer: bool = False,
        at_rest: AtRest | None = None,
        **kwargs: Any,
    ) -> None:
        """Open the session, or create it. A session that the SDK's manager left there is imported.

        Args:
            session_id: The session's id; not empty, and without path separators.
            bucket: The bucket, which must exist.
            prefix: What all keys begin with; slashes around it mean nothing.
            boto_session: A session to make the client from.
            boto_client_config: Configuration of the client; it has precedence over the manager's own.
            region_name: The region, where no session is given.
            endpoint_url: The endpoint of an S3-compatible store.
            one_writer: Whether a store is good enough that ignores ``If-None-Match``. Say so only if you make sure that
                no two managers ever have the same session open.
            at_rest: Seals what is stored, and opens it again, such as with encryption.
            **kwargs: For future extensibility, as in the SDK.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: The session cannot be read or created; the text names bucket, key, action and remedy.
        """
        self.bucket = bucket
        self.prefix = prefix
        self._logs: dict[str, S3Log] = {}
        self._one_writer = one_writer
        make = partial(client_for, boto_session, boto_client_config, region_name, endpoint_url)
        self._own_client = OwnClient(make(), make)
        self._at_rest = at_rest
        super().__init__(session_id, **kwargs)

    @property
    def client(self) -> Any:
        """The client that requests are sent with. One that you set takes effect at the next request."""
        return self._own_client.client

    @client.setter
    def client(self, client: Any) -> None:
        self._own_client.client = client

    def _open_store(self, session_id: str) -> SessionStore:
        # What was closed is opened again as it was: a session that was started since under the same id is another one.
        before = self._logs.get(session_id)
        life = before.life if before is not None else ""
        log = _log(self._own_client, self.bucket, self.prefix, session_id, life, self._one_writer)
        self._logs[session_id] = log
        return SessionStore(sealing(log, self._at_rest, session_id), session_id)

    def _sdk_session(self, session_id: str) -> SdkSession:
        return _SdkObjects(self.client, self.bucket, self.prefix, session_id)

    def _sdk_state(self, session_id: str) -> AbstractContextManager[Callable[[], str | None]]:
        return beside(self._sdk_session(session_id).state)

    def delete_session(self, session_id: str, **kwargs: Any) -> None:
        """Remove a session and all that belongs to it, also what the SDK's manager or a deletion cut short left of it.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, or it cannot be removed (this needs ``s3:DeleteObject``).
        """
        store = self._stores.pop(session_id, None)
        if store is not None:
            store.close()
        if session_id != self.session_id:
            self._logs.pop(session_id, None)
        delete(_objects(self.client, self.bucket, session_id), *_places(self.prefix, session_id), session_id)

    @staticmethod
    def list_sessions(
        bucket: str,
        prefix: str = "",
        boto_session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
    ) -> list[SessionInfo]:
        """Return the sessions under a prefix, the most recently written first. Unreadable ones are left out.

        Args:
            bucket: As the constructor's.
            prefix: As the constructor's.
            boto_session: As the constructor's.
            region_name: As the constructor's.
            endpoint_url: As the constructor's.

        Raises:
            SessionException: They cannot be listed.
        """
        client = client_for(boto_session, None, region_name, endpoint_url)
        found = [folder.info() for folder in _folders(client, bucket, prefix)]
        return sorted(filter(None, found), key=lambda info: info.updated_at, reverse=True)

    @staticmethod
    def list_unreadable(
        bucket: str,
        prefix: str = "",
        boto_session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
    ) -> list[Skipped]:
        """Return what :meth:`list_sessions` leaves out: the name of each session's prefix, and the reason.

        Args:
            bucket: As the constructor's.
            prefix: As the constructor's.
            boto_session: As the constructor's.
            region_name: As the constructor's.
            endpoint_url: As the constructor's.

        Raises:
            SessionException: They cannot be listed.
        """
        client = client_for(boto_session, None, region_name, endpoint_url)
        return [Skipped(folder.name, folder.problem) for folder in _folders(client, bucket, prefix) if folder.problem]

    @staticmethod
    def clean_up(
        older_than: timedelta,
        bucket: str,
        prefix: str = "",
        boto_session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        *,
        now: datetime | None = None,
        damaged: bool = False,
    ) -> CleanUp:
        """Remove the sessions that were not written for some time. This needs ``s3:DeleteObject``.

        A session whose writer has not stopped is kept, for seven days: later than that it is taken for crashed. What
        is left of sessions that were deleted is removed, too, once it is an hour old. What is kept though it is old is
        told, also in a logged warning.

        Args:
            older_than: How long a session must not have been written.
            bucket: As the constructor's.
            prefix: As the constructor's.
            boto_session: As the constructor's.
            region_name: As the constructor's.
            endpoint_url: As the constructor's.
            now: The time to count from, with a time zone; now by default.
            damaged: Whether sessions whose root is damaged are removed too, which a repair may bring back.

        Returns:
            The ids of the sessions that were removed (of damaged ones their prefixes), and as ``skipped`` what was not,
            and why.

        Raises:
            SessionException: The sessions cannot be listed.
        """
        client = client_for(boto_session, None, region_name, endpoint_url)
        today = now or datetime.now(timezone.utc)
        done = CleanUp()
        for found in _folders(client, bucket, prefix):
            try:
                found.clean_up(_root_of(prefix), today - older_than, today, damaged, done)
            except SessionException as error:
                done.skipped.append(Skipped(found.name, str(error)))
        for one in done.skipped:
            logger.warning("session=<%s>, reason=<%s> | a session was not cleaned up", one.name, one.reason)
        return done

    @staticmethod
    def verify(
        session_id: str,
        bucket: str,
        prefix: str = "",
        boto_session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
    ) -> Verification:
        """Read all objects of a session without opening it, and say whether it is whole. Nothing is changed.

        Args:
            session_id: The session.
            bucket: As the constructor's.
            prefix: As the constructor's.
            boto_session: As the constructor's.
            region_name: As the constructor's.
            endpoint_url: As the constructor's.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, or the bucket cannot be read.
        """
        client = client_for(boto_session, None, region_name, endpoint_url)
        objects, (place, _) = _objects(client, bucket, session_id), _places(prefix, session_id)
        found = inspect(objects, place)
        if found.problems:  # of what is rewritten beside it, some may have been read before and some after
            found = inspect(objects, place)
        return Verification(session_id, not found.problems, found.count, tuple(found.problems))

    @staticmethod
    def repair(
        session_id: str,
        bucket: str,
        prefix: str = "",
        boto_session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        *,
        at_rest: AtRest | None = None,
    ) -> Repair:
        """Bring back all whole commits of a damaged session, from earlier versions of its objects too.

        The damaged objects stay as they are, and count no more. Where the bucket keeps versions, this needs
        ``s3:ListBucketVersions`` and ``s3:GetObjectVersion``. No manager may have the session open.

        Args:
            session_id: The session.
            bucket: As the constructor's.
            prefix: As the constructor's.
            boto_session: As the constructor's.
            region_name: As the constructor's.
            endpoint_url: As the constructor's.
            at_rest: As the constructor's, for a session that is sealed.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, nothing in it is whole, or it cannot be written.
        """
        client = client_for(boto_session, None, region_name, endpoint_url)
        objects, (place, _) = _objects(client, bucket, session_id), _places(prefix, session_id)
        found = with_earlier_versions(objects, place, inspect(objects, place))
        if not found.problems:
            return Repair(session_id, found.count, ())
        if not found.count:
            raise SessionException(f"session {session_id!r}: at s3://{bucket}/{place} nothing is whole")
        lines, lost = found.salvage.result()
        history, more = salvaged([opened(body, at_rest, session_id) for body, _ in lines], session_id)
        history.apply_one(commits_noted(latest(id for _, id in lines)))
        bodies = [sealed(encode([change]), at_rest, session_id) for change in history.changes()]
        log = _log(client, bucket, prefix, session_id, found.life)
        log.replace(bodies)
        if not found.has_root:
            log.mend_root(bodies[0])
        return note_repair(Repair(session_id, len(lines), (*lost, *more)))


def delete_session(session_id: str, bucket: str, prefix: str = "", endpoint_url: str | None = None) -> None:
    """Remove a session, also one that is damaged, and what the SDK's manager or a deletion cut short left of it.

    Args:
        session_id: The session.
        bucket: As the manager's.
        prefix: As the manager's.
        endpoint_url: As the manager's.

    Raises:
        ValueError: The id cannot name a session.
        SessionException: There is no such session, or it cannot be removed (this needs ``s3:DeleteObject``).
    """
    objects = _objects(client_for(None, None, None, endpoint_url), bucket, session_id)
    delete(objects, *_places(prefix, session_id), session_id)


def has_anything_of(session_id: str, bucket: str, prefix: str = "", endpoint_url: str | None = None) -> bool:
    """Whether there is anything of a session, whole or not, that :func:`delete_session` removes.

    Args:
        session_id: The session.
        bucket: As the manager's.
        prefix: As the manager's.
        endpoint_url: As the manager's.

    Raises:
        ValueError: The id cannot name a session.
        SessionException: Nobody can say.
    """
    objects = _objects(client_for(None, None, None, endpoint_url), bucket, session_id)
    return is_anything_left(objects, *_places(prefix, session_id))


class _SdkObjects:
    """A session of the SDK's ``S3SessionManager``."""

    def __init__(self, client: Any, bucket: str, prefix: str, session_id: str) -> None:
        self._objects = S3Objects(client, bucket, session_id)
        self._prefix = _places(prefix, session_id)[1]
        self.place = f"s3://{bucket}/{self._prefix}"

    def state(self) -> str | None:
        listed = list(self._objects.list(self._prefix))
        if not any(found.key == f"{self._prefix}session.json" for found in listed):
            return None
        said = [(found.key, found.size, found.modified.timestamp(), found.tag) for found in listed]
        state = hashlib.sha256(repr(said).encode()).hexdigest()[:16]
        return state if all(found.tag for found in listed) else state + UNSURE

    def paths(self) -> list[str]:
        return [found.key.removeprefix(self._prefix) for found in self._objects.list(self._prefix)]

    def read(self, paths: Sequence[str]) -> list[bytes]:
        return at_once(self._bytes, paths)

    def write(self, path: str, data: bytes) -> None:
        self._objects.put(self._prefix + path, data, {})

    def remove(self, paths: Sequence[str]) -> None:
        self._objects.delete(self._prefix + path for path in paths)

    def _bytes(self, path: str) -> bytes:
        try:
            return self._objects.get(self._prefix + path).data
        except NotThere:
            raise SessionException(f"cannot import {self.place}: {path} is missing") from None


def _places(prefix: str, session_id: str) -> tuple[str, str]:
    """Return the prefixes of a session's objects, and of those of the SDK's manager."""
    root = _root_of(prefix)
    return f"{root}{folder_name(check_id(session_id, 'session'))}/", f"{root}session_{session_id}/"


def _root_of(prefix: str) -> str:
    prefix = prefix.strip("/")
    return f"{prefix}/" if prefix else ""


def _objects(client: Any, bucket: str, session_id: str) -> S3Objects:
    return S3Objects(client, bucket, session_id)


def _log(
    client: Any,
    bucket: str,
    prefix: str,
    session_id: str,
    life: str = "",
    one_writer: bool = False,
) -> S3Log:
    place = _places(prefix, session_id)[0]
    return S3Log(_objects(client, bucket, session_id), place, session_id, life, one_writer)


@dataclass(frozen=True)
class _Folder:
    """What lies under the prefix of a session.

    Attributes:
        objects: The bucket.
        place: The prefix.
        listed: All objects there.
        root: The root; None where there is none: then this is what is left of a session.
        problem: Why the root cannot be read, in words; empty where it can, or is not there.
        is_withheld: Whether that says nothing of what is stored: S3 has it, and does not give it.
    """

    objects: S3Objects
    place: str
    listed: list[Listed]
    root: Root | None
    problem: str = ""
    is_withheld: bool = False

    def info(self) -> SessionInfo | None:
        """Return what a list says of the session; None where there is none, or it cannot be read."""
        if self.root is None:
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

    def clean_up(self, parent: str, limit: datetime, today: datetime, damaged: bool, done: CleanUp) -> None:
        """Remove what lies here, if it was not written since ``limit`` and nobody uses it; note what was done.

        Raises:
            SessionException: It cannot be read or removed.
        """
        info, written = self.info(), max((item.modified for item in self.listed), default=today)
        if self.root is None and not self.problem:
            delete_orphans(self.objects, self.place, None, self.listed, today - ORPHANED, limit)
        elif info is None:
            if written >= limit:
                return
            if self.is_withheld or not damaged:
                why = self.problem if self.is_withheld else "its root is damaged: a repair may bring it back"
                done.skipped.append(Skipped(self.name, why))
                return
            unused = written < today - ORPHANED
            if delete_unused(self.objects, self.place, f"{self.place}/", self.name, None, self.listed, unused):
                done.append(self.name)
        else:
            delete_orphans(self.objects, self.place, self.root, self.listed, today - ORPHANED, limit)
            if info.updated_at >= limit:
                return
            if info.updated_at >= today - IN_USE and not self.is_resting():
                done.skipped.append(Skipped(info.session_id, "its latest writer has not stopped: it may be in use"))
                return
            unused = info.updated_at < today - ORPHANED
            objects = _objects(self.objects.client, self.objects.bucket, info.session_id)
            old = f"{parent}session_{info.session_id}/"
            if delete_unused(objects, self.place, old, info.session_id, self.root, self.listed, unused):
                done.append(info.session_id)

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


def _folders(client: Any, bucket: str, prefix: str) -> Iterator[_Folder]:
    objects = _objects(client, bucket, "")
    for place in objects.folders(f"{_root_of(prefix)}journal_"):
        listed: list[Listed] = []
        try:
            listed = list(objects.list(place))
            yield _Folder(objects, place, listed, read_root(objects, place))
        except DamagedRoot:  # until it is repaired nobody can tell what is left over
            problem = f"s3://{bucket}/{place}{ROOT} is not what was stored"
            yield _Folder(objects, place, listed, None, problem)
        except SessionException as failure:
            if not is_withheld(failure):
                raise
            yield _Folder(objects, place, listed, None, str(failure), is_withheld=True)
