"""S3 in memory, strongly consistent as S3 is: each request of a client is one step, which a test may order or spoil."""

import hashlib
import io
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError


@dataclass
class Stored:
    """An object."""

    data: bytes
    modified: datetime


class Bucket:
    """What is stored, and a clock that goes on by a second with each write."""

    def __init__(self, *, page: int = 1000, conditional: bool = True, deletes_many: bool = True) -> None:
        self.objects: dict[str, Stored] = {}
        self.late: list[dict[str, Any]] = []
        self.page, self.conditional, self.deletes_many = page, conditional, deletes_many
        self.now = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self.lock = threading.RLock()

    def holding(self, text: bytes) -> list[str]:
        """Return the keys of the objects that hold a text."""
        return [key for key, stored in self.objects.items() if text in stored.data]

    def put(self, request: dict[str, Any]) -> None:
        key = request["Key"]
        if request.get("IfNoneMatch") == "*" and key in self.objects and self.conditional:
            raise refusal("PreconditionFailed", 412)
        self.now += timedelta(seconds=1)
        self.objects[key] = Stored(bytes(request["Body"]), self.now)

    def deliver(self) -> None:
        """Carry out the writes that are still on their way."""
        while self.late:
            try:
                self.put(self.late.pop(0))
            except ClientError:
                continue


def refusal(code: str, status: int, **more: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status, **more}},  # type: ignore[typeddict-item]
        "an operation",
    )


Fault = str | Exception
"""What goes wrong with a request: an exception that is raised, or one of these.

``before``: it is not carried out; ``after``: it is, and the answer is lost; ``late``: it is carried out later;
``busy``: a conditional write met another. And of those that are carried out later: ``twice``: botocore has sent it once
more; ``refused``: and that was refused; ``failed``: S3 says that it failed; ``broken off``: a signal's handler raises.
"""

COMES_LATE = ("late", "twice", "failed", "broken off")


class Client:
    """A client with the methods that the reference manager calls.

    Args:
        bucket: The only bucket.
        turn: What each request waits for.
        fault: What goes wrong with a request, by its number, operation and key.
    """

    def __init__(
        self,
        bucket: Bucket,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
        fault: Callable[[int, str, str], Fault | None] = lambda number, operation, key: None,
    ) -> None:
        self.stored, self.turn, self.fault = bucket, turn, fault
        self.requests: list[tuple[str, str]] = []

    def _do(self, operation: str, key: str, do: Callable[[], Any], write: dict[str, Any] | None = None) -> Any:
        with self.turn(), self.stored.lock:
            fault = self.fault(len(self.requests), operation, key)
            self.requests.append((operation, key))
            if isinstance(fault, Exception):
                raise fault
            if fault == "busy":
                raise refusal("ConditionalRequestConflict", 409)
            if fault in (*COMES_LATE, "refused") and write is not None:
                self.stored.late.append(write)
            if fault == "refused":
                raise refusal("PreconditionFailed", 412, RetryAttempts=1)
            if fault == "failed":
                raise refusal("InternalError", 500)
            if fault == "broken off":
                raise KeyboardInterrupt
            if fault == "twice":
                return {**do(), "ResponseMetadata": {"RetryAttempts": 1}}
            if fault == "after":
                do()
            elif fault is None:
                return do()
            raise ReadTimeoutError(endpoint_url="memory")

    def put_object(self, **request: Any) -> Any:
        return self._do("PutObject", request["Key"], lambda: self.stored.put(request) or {}, request)  # type: ignore[func-returns-value]

    def get_object(self, **request: Any) -> Any:
        def do() -> Any:
            found = self.stored.objects.get(request["Key"])
            if found is None:
                raise refusal("NoSuchKey", 404)
            return {"Body": io.BytesIO(found.data), "ContentLength": len(found.data), "Metadata": {}}

        return self._do("GetObject", request["Key"], do)

    def list_objects_v2(self, **request: Any) -> Any:
        prefix = request["Prefix"]

        def do() -> Any:
            keys = sorted(key for key in self.stored.objects if key.startswith(prefix))
            if "Delimiter" in request:
                folders = {prefix + key[len(prefix) :].split("/")[0] + "/" for key in keys if "/" in key[len(prefix) :]}
                return {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)], "IsTruncated": False}
            after = request.get("ContinuationToken") or request.get("StartAfter") or ""
            keys = [key for key in keys if key > after]
            now = keys[: self.stored.page]
            contents = [
                {"Key": key, "Size": len(found.data), "LastModified": found.modified, "ETag": tag_of(found.data)}
                for key, found in ((key, self.stored.objects[key]) for key in now)
            ]
            more = {"NextContinuationToken": now[-1]} if len(keys) > len(now) else {}
            return {"Contents": contents, "IsTruncated": bool(more), "KeyCount": len(contents), **more}

        return self._do("ListObjectsV2", prefix, do)

    def list_object_versions(self, **request: Any) -> Any:
        return self._do("ListObjectVersions", request["Prefix"], lambda: {"Versions": []})

    def delete_objects(self, **request: Any) -> Any:
        def do() -> Any:
            if not self.stored.deletes_many:
                raise refusal("NotImplemented", 501)
            for item in request["Delete"]["Objects"]:
                self.stored.objects.pop(item["Key"], None)
            return {}

        return self._do("DeleteObjects", request["Delete"]["Objects"][0]["Key"], do)

    def delete_object(self, **request: Any) -> Any:
        return self._do("DeleteObject", request["Key"], lambda: self.stored.objects.pop(request["Key"], None))


class ListingClient(Client):
    """S3 in memory with what besides the SDK's manager asks for."""

    def head_object(self, **request: Any) -> Any:
        if request["Key"] not in self.stored.objects:
            raise refusal("404", 404)

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, **request: Any) -> Iterator[Any]:
        page = self.list_objects_v2(**request)
        yield page
        while page.get("IsTruncated"):
            page = self.list_objects_v2(**request, ContinuationToken=page["NextContinuationToken"])
            yield page


def tag_of(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


class Session:
    """In place of boto3's session: it makes clients of a bucket in memory."""

    def __init__(self, client: Client) -> None:
        self.made = client

    def client(self, *_: Any, **__: Any) -> Client:
        return self.made


class Turns:
    """Whose request is next: as a schedule says, and then whoever comes."""

    def __init__(self, schedule: Iterable[str]) -> None:
        self._schedule = list(schedule)
        self._done: set[str] = set()
        self._changed = threading.Condition()

    @contextmanager
    def of(self, who: str) -> Iterator[None]:
        with self._changed:
            assert self._changed.wait_for(lambda: self._next() in (None, who), timeout=20)
            if self._schedule:
                self._schedule.pop(0)
            try:
                yield
            finally:
                self._changed.notify_all()

    def done(self, who: str) -> None:
        with self._changed:
            self._done.add(who)
            self._changed.notify_all()

    def _next(self) -> str | None:
        while self._schedule and self._schedule[0] in self._done:
            self._schedule.pop(0)
        return self._schedule[0] if self._schedule else None


def run(turns: Turns, actors: dict[str, Callable[[], None]]) -> None:
    """Let actors do their work at once, and raise what one of them raised."""
    failures: list[BaseException] = []

    def work(who: str) -> None:
        try:
            actors[who]()
        except BaseException as failure:
            failures.append(failure)
        finally:
            turns.done(who)

    threads = [threading.Thread(target=work, args=(who,)) for who in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
