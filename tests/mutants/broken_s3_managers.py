"""Managers on S3, each broken in one way that its name and docstring say."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from botocore.config import Config
from session_conformance.reference_impl import S3SessionManager
from session_conformance.reference_impl.log.commit_lines import commit_line
from session_conformance.reference_impl.log.ids import folder_name
from session_conformance.reference_impl.log.inspection import Repair, SessionInfo
from session_conformance.reference_impl.log.session_store import SessionStore
from session_conformance.reference_impl.s3.log import S3Log
from session_conformance.reference_impl.s3.objects import S3Objects
from session_conformance.reference_impl.s3.place import HEADER
from strands.session import S3SessionManager as StrandsS3SessionManager
from strands.types.exceptions import SessionException
from strands.types.session import SessionMessage


class WithParts(S3SessionManager):
    """The reference, put together from parts that mutants exchange."""

    objects: type[S3Objects] = S3Objects
    log: type[S3Log] = S3Log
    store: type[SessionStore] = SessionStore

    def place(self, session_id: str) -> str:
        root = self.prefix.strip("/")
        return f"{root}/{folder_name(session_id)}/" if root else f"{folder_name(session_id)}/"

    def _open_store(self, session_id: str) -> SessionStore:
        objects = self.objects(self.client, self.bucket, session_id)
        return self.store(self.log(objects, self.place(session_id), session_id), session_id)


class NeverRetries(S3SessionManager):
    """Gives up where S3 asks to slow down."""

    def __init__(self, session_id: str, bucket: str, prefix: str = "", **kwargs: Any) -> None:
        once = Config(retries={"mode": "standard", "total_max_attempts": 1})
        super().__init__(session_id, bucket, prefix, boto_client_config=once)


class WritesAgainUnderAnotherNumber(WithParts):
    """Takes a key that its own lost request wrote for another writer's."""

    class log(S3Log):
        def append(self, body: bytes, label: str = "") -> None:
            number = self._latest.next
            if not self.objects.put_new(self.key(number), HEADER + commit_line(number, body), {}):
                self._latest.note(number, {number: commit_line(number, body)})
                number += 1
                self.objects.put(self.key(number), HEADER + commit_line(number, body), {})
            self._latest.note(number, {number: commit_line(number, body)})

        def key(self, number: int) -> str:
            return f"{self.prefix}{self.life}/c/{number:010d}"


class TakesUnreadableTeamsForNew(S3SessionManager):
    """A team whose state cannot be read begins anew."""

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        try:
            return super().read_multi_agent(session_id, multi_agent_id, **kwargs)
        except SessionException:
            return None


class TriesOutItsRights(S3SessionManager):
    """Writes and deletes an object when it is opened, to see whether it may."""

    def __init__(self, session_id: str, bucket: str, prefix: str = "", **kwargs: Any) -> None:
        super().__init__(session_id, bucket, prefix)
        self.client.put_object(Bucket=bucket, Key="probe", Body=b"")
        self.client.delete_object(Bucket=bucket, Key="probe")


class SaysThatStorageFailed(WithParts):
    """Has one text for all errors."""

    class objects(S3Objects):
        def failed(self, operation: str, key: str, why: str) -> SessionException:
            return SessionException("storage failed")


class CreatesItsBucket(S3SessionManager):
    """Makes the bucket that somebody misspelt."""

    def __init__(self, session_id: str, bucket: str, prefix: str = "", **kwargs: Any) -> None:
        from session_conformance.reference_impl.s3.client import client_for

        client_for(None, None, None, None).create_bucket(Bucket=bucket)
        super().__init__(session_id, bucket, prefix)


class ReadsOnePage(WithParts):
    """Takes the first page of a listing for all of it."""

    class objects(S3Objects):
        def _pages(self, operation: str, prefix: str, **more: Any) -> Iterator[Any]:
            yield self._call(operation, prefix, Prefix=prefix, **more)


class DeletesOnePage(WithParts):
    """Deletes what the first page of a listing has."""

    def delete_session(self, session_id: str | None = None) -> None:
        place = self.place(session_id or self.session_id)
        for one in self.client.list_objects_v2(Bucket=self.bucket, Prefix=place).get("Contents", []):
            self.client.delete_object(Bucket=self.bucket, Key=one["Key"])


class ListsOnePageOfSessions(S3SessionManager):
    """Lists the sessions whose objects the first page of a listing has."""

    @staticmethod
    def list_sessions(bucket: str, prefix: str = "", **kwargs: Any) -> list[SessionInfo]:
        from session_conformance.reference_impl.s3.client import client_for

        page = client_for(None, None, None, None).list_objects_v2(Bucket=bucket, Prefix=prefix)
        there = {folder for one in page.get("Contents", []) for folder in one["Key"].split("/")}
        found = S3SessionManager.list_sessions(bucket, prefix, **kwargs)
        return [one for one in found if folder_name(one.session_id) in there]


class JoinsThePrefixAsItIs(WithParts):
    """Puts the prefix in front of its keys without a look at its slashes."""

    def place(self, session_id: str) -> str:
        return f"{self.prefix}{folder_name(session_id)}/"


class ForgetsThePrefix(WithParts):
    """Has a prefix for the sessions' own records, and none for what they say."""

    def place(self, session_id: str) -> str:
        self.client.put_object(Bucket=self.bucket, Key=f"{self.prefix.strip('/')}/record", Body=b"")
        return f"{folder_name(session_id)}/"


class IgnoresThePrefix(WithParts):
    """Takes a prefix, and does nothing with it."""

    def place(self, session_id: str) -> str:
        return f"{folder_name(session_id)}/"


class BelievesWhatComes(StrandsS3SessionManager):
    """Asks once for each object, and looks at nothing but whether it is JSON."""


class PutsWhateverIsThere(StrandsS3SessionManager):
    """Puts a message at its key again, whoever has put something else there since its answer was lost."""


class RepairsFromWhatIsThere(S3SessionManager):
    """Does not look for earlier versions."""

    @staticmethod
    def repair(session_id: str, bucket: str, prefix: str = "") -> Repair:  # type: ignore[override]
        return Repair(session_id, 0, ())


class AsksBeforeEachWrite(WithParts):
    """Looks whether the key is free before it writes."""

    class log(S3Log):
        def append(self, body: bytes, label: str = "") -> None:
            self.changed()
            super().append(body, label)


class TakesADenialForAWrite(WithParts):
    """What S3 denies is nobody's business."""

    class log(S3Log):
        def append(self, body: bytes, label: str = "") -> None:
            with contextlib.suppress(SessionException):
                super().append(body, label)


class WaitsForEachDenial(WithParts):
    """Has a thread wait for each change that S3 denied, until somebody allows it."""

    class log(S3Log):
        def append(self, body: bytes, label: str = "") -> None:
            try:
                super().append(body, label)
            except SessionException:
                threading.Thread(target=threading.Event().wait, daemon=True).start()
                raise


class WritesToS3OnTheLoop(S3SessionManager):
    """Waits for S3 on the event loop's thread."""

    async def _persist(self, collected: Any) -> None:
        for store, ticket in self._submit(collected):
            store.drain(ticket)


class OrdersByTime(StrandsS3SessionManager):
    """Puts messages in the order of the times that S3 says of them, and those of one time in that of their names."""

    def list_messages(
        self, session_id: str, agent_id: str, limit: int | None = None, offset: int = 0, **kwargs: Any
    ) -> list[SessionMessage]:
        found = super().list_messages(session_id, agent_id)
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self._get_agent_path(session_id, agent_id)}messages/"
        )
        times = {one["Key"]: one["LastModified"] for page in pages for one in page.get("Contents", ())}

        def when(message: SessionMessage) -> tuple[Any, str]:
            key = self._get_message_path(session_id, agent_id, message.message_id)
            return times[key], key

        return sorted(found, key=when)[offset:][:limit]
