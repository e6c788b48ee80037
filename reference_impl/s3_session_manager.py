"""S3SessionManager: sessions as commits in a bucket, and what is done to whole sessions there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from strands.types.exceptions import SessionException

from .log.at_once import beside
from .log.at_rest import AtRest, opened, sealed, sealing
from .log.codec import encode
from .log.commit_lines import latest
from .log.history import commits_noted
from .log.inspection import (
    CleanUp,
    Repair,
    SessionInfo,
    Skipped,
    Verification,
    back,
    note_repair,
    problems_in,
    salvaged,
)
from .log.manager import ChangeLogSessionManager
from .log.sdk_layout import SdkSession
from .log.session_store import SessionStore
from .s3.client import OwnClient, client_for
from .s3.deletion import delete, is_anything_left
from .s3.inspection import inspect, with_earlier_versions
from .s3.log import S3Log
from .s3.objects import S3Objects
from .s3.prefixes import root_of, session_prefixes
from .s3.sdk_objects import SdkObjects
from .s3.session_folders import SessionFolder, session_folders

logger = logging.getLogger(__name__)


class S3SessionManager(ChangeLogSessionManager):
    """Keeps sessions in a bucket, with the constructor of the SDK's own manager.

    What is promised, and what not, stands in ``docs/reference-s3.md``. In short: a message is stored before any hook
    hears of it, with one request; writers never overwrite each other; a restore takes few requests, however long the
    history is; it needs ``s3:GetObject``, ``s3:PutObject`` and ``s3:ListBucket`` and nothing else.
    """

    _placeholders_wait = True

    _OPEN = ChangeLogSessionManager._OPEN | {"_logs"}

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
        self._one_writer = one_writer
        make = partial(client_for, boto_session, boto_client_config, region_name, endpoint_url)
        is_shared = boto_client_config is None
        self._own_client = OwnClient(make(), make, partial(make, shared=False) if is_shared else None)
        self._at_rest = at_rest
        super().__init__(session_id, **kwargs)

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self._logs: dict[str, S3Log] = {}

    @property
    def client(self) -> Any:
        """The client that requests are sent with, which is this manager's alone once you have asked for it.

        One that you set takes effect at the next request.
        """
        return self._own_client.alone()

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
        return SdkObjects(self._own_client, self.bucket, self.prefix, session_id)

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
        objects = S3Objects(self._own_client, self.bucket, session_id)
        delete(objects, *session_prefixes(self.prefix, session_id), session_id)

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
        found = session_folders(client, bucket, prefix, SessionFolder.info)
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
        found = session_folders(client, bucket, prefix, lambda folder: (folder.name, folder.problem))
        return [Skipped(name, problem) for name, problem in found if problem]

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
        dry_run: bool = False,
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
            dry_run: Whether nothing is removed, and it is only said what would be.

        Returns:
            The ids of the sessions that were removed (of damaged ones their prefixes), and as ``skipped`` what was not,
            and why.

        Raises:
            SessionException: The sessions cannot be listed.
        """
        client = client_for(boto_session, None, region_name, endpoint_url)
        today = now or datetime.now(timezone.utc)
        limit = back(today, older_than)

        def clean(folder: SessionFolder) -> CleanUp:
            own = CleanUp()
            try:
                folder.clean_up(root_of(prefix), limit, today, own, damaged=damaged, dry_run=dry_run)
            except SessionException as error:
                own.skipped.append(Skipped(folder.name, str(error)))
            return own

        done = CleanUp()
        for own in session_folders(client, bucket, prefix, clean):
            done += own
            done.skipped += own.skipped
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
        objects, (place, _) = S3Objects(client, bucket, session_id), session_prefixes(prefix, session_id)
        found = inspect(objects, place)
        if found.problems:  # of what is rewritten beside it, some may have been read before and some after
            found = inspect(objects, place)
        problems = found.problems or problems_in(body for body, _ in found.salvage.result()[0])
        return Verification(session_id, not problems, found.count, tuple(problems))

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

        What is whole and cannot be restored all the same is left out. The damaged objects stay as they are, and count
        no more. Where the bucket keeps versions, this needs ``s3:ListBucketVersions`` and ``s3:GetObjectVersion``. No
        manager may have the session open.

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
        objects, (place, _) = S3Objects(client, bucket, session_id), session_prefixes(prefix, session_id)
        found = with_earlier_versions(objects, place, inspect(objects, place))
        lines, lost = found.salvage.result()
        if not found.problems and not problems_in(
            opened(body, at_rest, session_id) if at_rest is not None else body for body, _ in lines
        ):
            return Repair(session_id, found.count, ())
        if not lines:
            raise SessionException(f"session {session_id!r}: at s3://{bucket}/{place} nothing is whole")
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
    objects = S3Objects(client_for(None, None, None, endpoint_url), bucket, session_id)
    delete(objects, *session_prefixes(prefix, session_id), session_id)


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
    objects = S3Objects(client_for(None, None, None, endpoint_url), bucket, session_id)
    return is_anything_left(objects, *session_prefixes(prefix, session_id))


def _log(
    client: Any,
    bucket: str,
    prefix: str,
    session_id: str,
    life: str = "",
    one_writer: bool = False,
) -> S3Log:
    place = session_prefixes(prefix, session_id)[0]
    return S3Log(S3Objects(client, bucket, session_id), place, session_id, life, one_writer)
