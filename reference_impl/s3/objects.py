"""Objects in a bucket: conditional writes, whole bodies, and errors that say what was denied or missing."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from strands.types.exceptions import SessionException

_ATTEMPTS = 5
"""How often a request is sent before it has failed: the first time and four retries, with growing pauses."""

_ACTIONS = {
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjectVersions": "s3:ListBucketVersions",
    "GetObjectVersion": "s3:GetObjectVersion",
}


class NotThere(Exception):
    """There is no such object."""


@dataclass(frozen=True)
class Listed:
    """An object, as a listing shows it.

    Attributes:
        key: Its key.
        size: In bytes.
        modified: When it was written, with a time zone.
    """

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class Fetched:
    """An object's bytes.

    Attributes:
        data: All of them.
        metadata: What was stored with them.
    """

    data: bytes
    metadata: Mapping[str, str]


class S3Objects:
    """The objects of a bucket. Thread-safe, as boto3's clients are.

    Args:
        client: A boto3 client for S3.
        bucket: The bucket.
        session_id: The session that errors name.
    """

    def __init__(self, client: Any, bucket: str, session_id: str) -> None:
        self.bucket = bucket
        self._client = client
        self._session_id = session_id

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str]) -> bool:
        """Store an object unless there is one of that key; False if there is.

        Raises:
            SessionException: It cannot be stored, or it cannot be told whether it was.
        """
        for _ in range(_ATTEMPTS):
            try:
                self._call("PutObject", key, Key=key, Body=data, Metadata=dict(metadata), IfNoneMatch="*")
            except _Conflict as conflict:
                if conflict.settled:
                    return False
            else:
                return True
        raise self._failed("PutObject", key, f"others were writing it at each of {_ATTEMPTS} attempts; {_LATER}")

    def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        """Store an object in place of any other.

        Raises:
            SessionException: It cannot be stored.
        """
        self._call("PutObject", key, Key=key, Body=data, Metadata=dict(metadata))

    def get(self, key: str, version: str | None = None) -> Fetched:
        """Return an object.

        Raises:
            NotThere: There is none.
            SessionException: It cannot be read.
        """
        operation, which = ("GetObject", {}) if version is None else ("GetObjectVersion", {"VersionId": version})
        for attempt in range(_ATTEMPTS):
            answer = self._call(operation, key, Key=key, **which)
            try:
                return Fetched(answer["Body"].read(), answer["Metadata"])
            except (IncompleteReadError, HTTPClientError) as error:  # the client does not retry what it streams
                if attempt == _ATTEMPTS - 1:
                    raise self._failed(operation, key, f"the answer broke off: {error}") from error
        raise AssertionError("unreachable")

    def list(self, prefix: str, after: str = "") -> Iterator[Listed]:
        """Yield the objects whose keys begin with a prefix, in the order of their keys.

        Args:
            prefix: The prefix.
            after: Only objects with keys behind this one.

        Raises:
            SessionException: They cannot be listed.
        """
        for page in self._pages("ListObjectsV2", prefix, **({"StartAfter": after} if after else {})):
            for found in page.get("Contents", ()):
                yield Listed(found["Key"], found["Size"], found["LastModified"])

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the beginnings, up to the next slash, of the keys that begin with a prefix.

        Raises:
            SessionException: They cannot be listed.
        """
        for page in self._pages("ListObjectsV2", prefix, Delimiter="/"):
            for found in page.get("CommonPrefixes", ()):
                yield found["Prefix"]

    def versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield key and version of all versions of the objects under a prefix, the newest of each key first.

        Raises:
            SessionException: They cannot be listed.
        """
        more: dict[str, str] = {}
        while True:
            page = self._call("ListObjectVersions", prefix, Prefix=prefix, **more)
            for found in page.get("Versions", ()):
                yield found["Key"], found["VersionId"]
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, a thousand a request.

        Raises:
            SessionException: One cannot be removed.
        """
        left = list(keys)
        while left:
            now, left = left[:1000], left[1000:]
            objects = [{"Key": key} for key in now]
            answer = self._call("DeleteObjects", now[0], Delete={"Objects": objects, "Quiet": True})
            for error in answer.get("Errors", ()):
                raise self._failed("DeleteObjects", error["Key"], _remedy(error["Code"], "DeleteObjects", self.bucket))

    def _pages(self, operation: str, prefix: str, **more: Any) -> Iterator[Any]:
        while True:
            page = self._call(operation, prefix, Prefix=prefix, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more["ContinuationToken"] = page["NextContinuationToken"]

    def _call(self, operation: str, key: str, **arguments: Any) -> Any:
        method = {
            "GetObject": "get_object",
            "GetObjectVersion": "get_object",
            "PutObject": "put_object",
            "ListObjectsV2": "list_objects_v2",
            "ListObjectVersions": "list_object_versions",
            "DeleteObjects": "delete_objects",
        }[operation]
        try:
            return getattr(self._client, method)(Bucket=self.bucket, **arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == "NoSuchKey":
                raise NotThere(key) from error
            if code in ("PreconditionFailed", "412", "ConditionalRequestConflict", "409"):
                raise _Conflict(settled=code in ("PreconditionFailed", "412")) from error
            raise self._failed(operation, key, _remedy(code, operation, self.bucket) or str(error)) from error
        except BotoCoreError as error:
            raise self._failed(operation, key, f"{error}; {_LATER}") from error

    def _failed(self, operation: str, key: str, why: str) -> SessionException:
        return SessionException(
            f"session {self._session_id!r}: {_ACTIONS[operation]} failed on s3://{self.bucket}/{key}: {why}"
        )


class _Conflict(Exception):
    def __init__(self, *, settled: bool) -> None:
        self.settled = settled


_LATER = "what was not stored is stored with the next change"


def _remedy(code: str, operation: str, bucket: str) -> str:
    """Return what to do about an error of S3's, in words; empty where there is nothing to add."""
    action = _ACTIONS[operation]
    if code in ("AccessDenied", "403", "Forbidden", "AllAccessDisabled"):
        resource = f"arn:aws:s3:::{bucket}" + ("" if action.startswith("s3:List") else "/*")
        return f"access denied ({code}): allow {action} on {resource}"
    if code in ("NoSuchBucket", "404"):
        return f"there is no bucket {bucket!r} ({code}): create it, or check its name, the region and the account"
    if code in ("SlowDown", "ServiceUnavailable", "503", "RequestLimitExceeded", "Throttling"):
        return f"S3 asks to slow down ({code}), also after {_ATTEMPTS} attempts; {_LATER}"
    if code in ("InternalError", "500"):
        return f"S3 had an internal error ({code}), also after {_ATTEMPTS} attempts; {_LATER}"
    if code in ("ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"):
        return f"the credentials are not valid ({code}): renew them"
    return ""


def client_for(
    boto_session: boto3.Session | None,
    boto_client_config: Config | None,
    region_name: str | None,
    endpoint_url: str | None,
) -> Any:
    """Return a client for S3 that retries what may pass.

    Without a session or configuration of the caller's the client is shared: to make one takes a tenth of a second.
    """
    if boto_session is None and boto_client_config is None:
        # what a client is made from; a process that was forked has connections of its own
        surroundings = tuple(os.environ.get(name, "") for name in _SURROUNDINGS)
        return _shared_client(region_name, endpoint_url, os.getpid(), surroundings)
    return _client(boto_session or boto3.Session(region_name=region_name), boto_client_config, endpoint_url)


_SURROUNDINGS = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
)


@functools.lru_cache(maxsize=8)
def _shared_client(region_name: str | None, endpoint_url: str | None, _pid: int, _around: tuple[str, ...]) -> Any:
    return _client(boto3.Session(region_name=region_name), None, endpoint_url)


def _client(session: boto3.Session, config: Config | None, endpoint_url: str | None) -> Any:
    own = Config(
        user_agent_extra=" ".join(filter(None, [getattr(config, "user_agent_extra", None), "strands-agents"])),
    )
    defaults = Config(retries={"mode": "standard", "total_max_attempts": _ATTEMPTS}, max_pool_connections=16)
    merged = (defaults.merge(config) if config is not None else defaults).merge(own)
    return session.client("s3", config=merged, endpoint_url=endpoint_url)
