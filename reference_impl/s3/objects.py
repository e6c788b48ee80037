"""Objects in a bucket: conditional writes, whole bodies, whole listings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from strands.types.exceptions import SessionException

from ..log.at_once import at_once
from .client import ATTEMPTS
from .requests import LATER, BusyConflict, Conflict, Garbled, NotImplementedThere, NotThere, S3Requests, is_denied

__all__ = ["Fetched", "Listed", "NotThere", "Page", "S3Objects"]

_MD5 = re.compile(r'"?([0-9a-f]{32})"?')


@dataclass(frozen=True)
class Listed:
    """An object, as a listing shows it.

    Attributes:
        key: Its key.
        size: In bytes.
        modified: When it was written, with a time zone.
        tag: Its ETag; empty where the store gives none.
    """

    key: str
    size: int
    modified: datetime
    tag: str = ""


@dataclass(frozen=True)
class Page:
    """The first objects of a listing.

    Attributes:
        items: They, in the order of their keys.
        is_all: Whether there are no more.
    """

    items: Sequence[Listed]
    is_all: bool


@dataclass(frozen=True)
class Fetched:
    """An object's bytes.

    Attributes:
        data: All of them.
        metadata: What was stored with them.
    """

    data: bytes
    metadata: Mapping[str, str]


class S3Objects(S3Requests):
    """The objects of a bucket. Thread-safe, as boto3's clients are."""

    _one_by_one = False  # whether it is known that the store cannot delete many objects at once
    _tags_are_md5 = True  # whether an object's tag may be the MD5 of its bytes: some stores have others
    _doubted = ""  # the MD5 of the bytes that had another tag last

    def put_new(self, key: str, data: bytes, metadata: Mapping[str, str]) -> bool:
        """Store an object unless there is one of that key; False if there is.

        Raises:
            SessionException: It cannot be stored, or it cannot be told whether it was.
        """
        for _ in range(ATTEMPTS):
            try:
                self._put(key, data, metadata, IfNoneMatch="*")
            except Conflict:
                return False
            except BusyConflict:
                continue
            return True
        raise self.failed("PutObject", key, f"others were writing it at each of {ATTEMPTS} attempts; {LATER}")

    def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        """Store an object in place of any other.

        Raises:
            SessionException: It cannot be stored.
        """
        for _ in range(ATTEMPTS):
            try:
                return self._put(key, data, metadata)
            except (Conflict, BusyConflict):
                continue
        raise self.failed("PutObject", key, f"others were writing it at each of {ATTEMPTS} attempts; {LATER}")

    def _put(self, key: str, data: bytes, metadata: Mapping[str, str], **condition: str) -> None:
        try:
            self.send("PutObject", key, lambda _: None, Key=key, Body=data, Metadata=dict(metadata), **condition)
        except NotImplementedThere:
            raise self.failed("PutObject", key, "the store does not know conditional writes (If-None-Match)") from None

    def get(self, key: str, version: str | None = None) -> Fetched:
        """Return an object.

        Raises:
            NotThere: There is none.
            SessionException: It cannot be read.
        """
        operation, which = ("GetObject", {}) if version is None else ("GetObjectVersion", {"VersionId": version})
        try:
            return self.send(operation, key, self._fetched, Key=key, **which)
        except NotImplementedThere as error:
            raise self.failed(operation, key, "the store does not know this operation") from error
        except SessionException as failure:
            if version is None and is_denied(failure) and self._is_missing(key):
                raise NotThere(key) from None
            raise

    def _is_missing(self, key: str) -> bool:
        """Whether a listing says that there is no object of a key.

        S3 denies the read of a missing object, and does not say that it is missing, to whom may list the bucket under a
        condition only: that a request names a prefix, for example.
        """
        try:
            return not any(found.key == key for found in self.page(key).items)
        except SessionException:
            return False

    def _fetched(self, answer: Any) -> Fetched:
        data = answer["Body"].read()
        fetched = Fetched(data, answer.get("Metadata", {}))
        if len(data) != answer.get("ContentLength", len(data)):
            raise Garbled(f"{len(data)} of {answer['ContentLength']} bytes came")
        tag = _MD5.fullmatch(str(answer.get("ETag", "")))
        if tag and self._tags_are_md5 and answer.get("ServerSideEncryption", "AES256") == "AES256":
            found = hashlib.md5(data, usedforsecurity=False).hexdigest()
            if found not in (tag.group(1), self._doubted):
                self._doubted = found
                raise Garbled("the bytes that came are not those that were stored", fetched)
            self._tags_are_md5 = found == tag.group(1)  # the same bytes came twice: the tag says something else
        return fetched

    def list(self, prefix: str, after: str = "") -> Iterator[Listed]:
        """Yield the objects whose keys begin with a prefix, in the order of their keys.

        Args:
            prefix: The prefix.
            after: Only objects with keys behind this one.

        Raises:
            SessionException: They cannot be listed.
        """
        for page in self._pages("ListObjectsV2", prefix, **({"StartAfter": after} if after else {})):
            yield from (item for item in _listed(page, prefix) if item.key > after)

    def page(self, prefix: str) -> Page:
        """Return the first of the objects whose keys begin with a prefix: as many as one request shows.

        Raises:
            SessionException: They cannot be listed.
        """
        page = self._call("ListObjectsV2", prefix, Prefix=prefix)
        return Page(_listed(page, prefix), not page.get("IsTruncated"))

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
            try:
                page = self.send("ListObjectVersions", prefix, _whole_page_of_versions, Prefix=prefix, **more)
            except NotImplementedThere:
                return
            for found in page.get("Versions", ()):
                yield found["Key"], found["VersionId"]
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, a thousand a request; one by one, where the store cannot do more.

        Raises:
            SessionException: One cannot be removed.
        """
        left = list(keys)
        while left and not self._one_by_one:
            now = left[:1000]
            wanted = {"Objects": [{"Key": key} for key in now], "Quiet": True}
            try:
                answer = self.send("DeleteObjects", now[0], lambda answer: answer or {}, Delete=wanted)
            except (NotImplementedThere, NotThere):
                self._one_by_one = True
                break
            for error in answer.get("Errors", ()):
                if error.get("Code") != "NoSuchKey":
                    raise self.refused("DeleteObjects", error.get("Key", now[0]), error.get("Code", ""))
            left = left[1000:]
        self.delete_one_by_one(left)

    def delete_one_by_one(self, keys: Sequence[str]) -> None:
        """Remove objects, each with a request of its own.

        Raises:
            SessionException: One cannot be removed.
        """
        at_once(self._delete_one, keys)

    def _delete_one(self, key: str) -> None:
        try:
            self.send("DeleteObject", key, lambda _: None, Key=key)
        except NotThere:
            pass
        except NotImplementedThere as error:
            raise self.failed("DeleteObject", key, "the store does not know this operation") from error

    def _pages(self, operation: str, prefix: str, **more: Any) -> Iterator[Any]:
        while True:
            page = self._call(operation, prefix, Prefix=prefix, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more["ContinuationToken"] = page["NextContinuationToken"]

    def _call(self, operation: str, prefix: str, **arguments: Any) -> Any:
        try:
            return self.send(operation, prefix, _whole_page, **arguments)
        except (NotImplementedThere, NotThere) as error:
            raise self.failed(operation, prefix, "the store does not know this operation") from error


def _listed(page: Any, prefix: str) -> list[Listed]:
    return [
        Listed(found["Key"], found["Size"], found["LastModified"], str(found.get("ETag", "")))
        for found in page.get("Contents", ())
        if found["Key"].startswith(prefix)
    ]


def _whole_page(page: Any) -> Any:
    """Return a page of a listing, if it does not contradict itself.

    Raises:
        Garbled: It does. With an answer, where a store may mean it.
    """
    if page.get("IsTruncated") and not page.get("NextContinuationToken"):
        raise Garbled("the listing is cut short, and does not say how to go on")
    if page.get("NextContinuationToken") and not page.get("IsTruncated"):
        raise Garbled("the listing says how to go on, and that it ends", page)
    contents, folders = page.get("Contents", ()), page.get("CommonPrefixes", ())
    keys = [found["Key"] for found in contents]
    found = [*keys, *(folder["Prefix"] for folder in folders)]
    count = page.get("KeyCount", len(found))
    in_order = all(one < other for one, other in pairwise(keys))
    if count != len(found) or not in_order or any(not key.startswith(page.get("Prefix", "")) for key in found):
        raise Garbled(f"the listing says that it has {count} keys, and has {len(found)}, or not in order", page)
    return page


def _whole_page_of_versions(page: Any) -> Any:
    if page.get("IsTruncated") and not page.get("NextKeyMarker"):
        raise Garbled("the listing is cut short, and does not say how to go on")
    return page
