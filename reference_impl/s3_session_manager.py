"""S3SessionManager: sessions as commits in a bucket, and what is done to whole sessions there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
from botocore.config import Config
from strands.types.exceptions import SessionException

from .change_log_manager import ChangeLogSessionManager
from .codec import decode, encode
from .commit_lines import whole_commit
from .history import SessionHistory
from .names import check_id, folder_name
from .s3_inspection import inspect, with_earlier_versions
from .s3_log import REST, S3Log
from .s3_objects import Listed, NotThere, S3Objects, client_for
from .s3_place import HEADER
from .sdk_layout import read_sdk_session
from .session_care import Repair, SessionInfo, Verification, salvaged
from .session_store import SessionStore

IN_USE = timedelta(days=7)
"""How long a session counts as in use whose latest writer left no word that it stopped: it may have crashed."""


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
            **kwargs: For future extensibility, as in the SDK.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: The session cannot be read or created; the text names bucket, key, action and remedy.
        """
        self.bucket = bucket
        self.prefix = prefix
        self.client = client_for(boto_session, boto_client_config, region_name, endpoint_url)
        super().__init__(session_id, **kwargs)

    def _open_store(self, session_id: str) -> SessionStore:
        return SessionStore(_log(self.client, self.bucket, self.prefix, session_id), session_id)

    def _import(self, session_id: str) -> SessionHistory | None:
        return read_sdk_session(_SdkObjects(self.client, self.bucket, self.prefix, session_id), session_id)

    def delete_session(self, session_id: str, **kwargs: Any) -> None:
        """Remove a session and all that belongs to it, also what the SDK's manager left of it.

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, or it cannot be removed (this needs ``s3:DeleteObject``).
        """
        self._stores.pop(session_id, None)
        _delete(self.client, self.bucket, self.prefix, session_id)

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
        found = [info for info, _ in _sessions(client, bucket, prefix)]
        return sorted(found, key=lambda info: info.updated_at, reverse=True)

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
    ) -> list[str]:
        """Remove the sessions that were not written for some time. This needs ``s3:DeleteObject``.

        A session whose writer has not stopped is kept, for seven days: later than that it is taken for crashed.

        Args:
            older_than: How long a session must not have been written.
            bucket: As the constructor's.
            prefix: As the constructor's.
            boto_session: As the constructor's.
            region_name: As the constructor's.
            endpoint_url: As the constructor's.
            now: The time to count from, with a time zone; now by default.

        Returns:
            The ids of the sessions that were removed.

        Raises:
            SessionException: A session cannot be listed or removed.
        """
        client = client_for(boto_session, None, region_name, endpoint_url)
        today = now or datetime.now(timezone.utc)
        removed = []
        for info, resting in _sessions(client, bucket, prefix):
            if info.updated_at < today - (older_than if resting else max(older_than, IN_USE)):
                _delete(client, bucket, prefix, info.session_id)
                removed.append(info.session_id)
        return removed

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
        log = _log(client_for(boto_session, None, region_name, endpoint_url), bucket, prefix, session_id)
        found = inspect(log.objects, log.prefix)
        return Verification(session_id, not found.problems, found.count, tuple(found.problems))

    @staticmethod
    def repair(
        session_id: str,
        bucket: str,
        prefix: str = "",
        boto_session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
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

        Raises:
            ValueError: The id cannot name a session.
            SessionException: There is no such session, nothing in it is whole, or it cannot be written.
        """
        client = client_for(boto_session, None, region_name, endpoint_url)
        log = _log(client, bucket, prefix, session_id)
        found = with_earlier_versions(log.objects, log.prefix, inspect(log.objects, log.prefix))
        if not found.problems:
            return Repair(session_id, found.count, ())
        if not found.count:
            raise SessionException(f"session {session_id!r}: at s3://{bucket}/{log.prefix} nothing is whole")
        history, more = salvaged(found.bodies, session_id)
        log.replace([encode([change]) for change in history.changes()])
        return Repair(session_id, found.count, (*found.problems, *more))


class _SdkObjects:
    """A session of the SDK's ``S3SessionManager``."""

    def __init__(self, client: Any, bucket: str, prefix: str, session_id: str) -> None:
        self._objects = S3Objects(client, bucket, session_id)
        self._prefix = _sdk_place(prefix, session_id)
        self.place = f"s3://{bucket}/{self._prefix}"

    def paths(self) -> list[str]:
        return [found.key.removeprefix(self._prefix) for found in self._objects.list(self._prefix)]

    def read(self, paths: Sequence[str]) -> list[bytes]:
        with ThreadPoolExecutor(max_workers=8, thread_name_prefix="session-import") as pool:
            return list(pool.map(self._bytes, paths))

    def _bytes(self, path: str) -> bytes:
        try:
            return self._objects.get(self._prefix + path).data
        except NotThere:
            raise SessionException(f"cannot import {self.place}: {path} is missing") from None


def _root(prefix: str) -> str:
    prefix = prefix.strip("/")
    return f"{prefix}/" if prefix else ""


def _place(prefix: str, session_id: str) -> str:
    return f"{_root(prefix)}{folder_name(check_id(session_id, 'session'))}/"


def _sdk_place(prefix: str, session_id: str) -> str:
    return f"{_root(prefix)}session_{session_id}/"


def _log(client: Any, bucket: str, prefix: str, session_id: str) -> S3Log:
    return S3Log(S3Objects(client, bucket, session_id), _place(prefix, session_id), session_id)


def _delete(client: Any, bucket: str, prefix: str, session_id: str) -> None:
    objects = S3Objects(client, bucket, session_id)
    place = _place(prefix, session_id)
    keys = [found.key for found in objects.list(place)]
    old = [found.key for found in objects.list(_sdk_place(prefix, session_id))]
    if not keys and not old:
        raise SessionException(f"Session {session_id} does not exist")
    # What the SDK's manager left goes first, else it would be imported again. Then that without which the rest is an
    # error and no shorter history: should this be cut short, a second call removes what is left.
    beginning = [key for key in keys if key == f"{place}c/{0:010d}" or key.startswith(f"{place}s/")]
    objects.delete(old)
    objects.delete(beginning)
    objects.delete(key for key in keys if key not in set(beginning))


def _sessions(client: Any, bucket: str, prefix: str) -> Iterator[tuple[SessionInfo, bool]]:
    """Yield the sessions under a prefix, each with whether its latest writer has stopped."""
    root = _root(prefix)
    objects = S3Objects(client, bucket, "")
    for folder in objects.folders(f"{root}journal_"):
        listed = list(objects.list(folder))
        written = [item for item in listed if item.key.removeprefix(folder).startswith("c/")]
        info = _info(objects, folder, listed, written)
        if info is not None:
            yield info, _resting(objects, folder, listed, written)


def _info(objects: S3Objects, folder: str, listed: list[Listed], written: list[Listed]) -> SessionInfo | None:
    rewritten = [item.key for item in listed if item.key.endswith("-r")]
    for key in (f"{folder}c/{0:010d}", *reversed(rewritten)):  # a redaction may have emptied the first commit
        try:
            first = whole_commit(objects.get(key).data, len(HEADER))
            session = decode(first.body)[0]["session"] if first is not None else {}
            return SessionInfo(
                session["session_id"],
                datetime.fromisoformat(session["created_at"]),
                max(item.modified for item in written),
                sum(item.size for item in listed),
            )
        except (NotThere, KeyError, IndexError, ValueError):
            continue
    return None


def _resting(objects: S3Objects, folder: str, listed: list[Listed], written: list[Listed]) -> bool:
    if not any(item.key == folder + REST for item in listed):
        return False
    latest = max(int(item.key.rpartition("/")[2]) for item in written)
    text = objects.get(folder + REST).data
    return text.isdigit() and int(text) > latest
