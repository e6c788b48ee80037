"""Requests to S3 and answers, as HTTP has them, and what S3's documents call them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: Its status code.
        headers: Its headers, without those of the connection.
        body: Its body.
        cut_after: After how many bytes of its body the connection is closed; None where all of it is sent.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    cut_after: int | None = None


@dataclass(frozen=True)
class Request:
    """An HTTP request.

    Attributes:
        method: ``GET``, ``PUT``, ...
        target: Path and query, as they were sent.
        headers: Its headers.
        body: Its body.
    """

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    @cached_property
    def path(self) -> str:
        """The path, unquoted."""
        return urllib.parse.unquote(urllib.parse.urlsplit(self.target).path)

    @cached_property
    def bucket(self) -> str:
        """The bucket, or ""."""
        return self.path.strip("/").partition("/")[0]

    @cached_property
    def operation(self) -> str:
        """The name that S3's API reference has for it, ``GetObject`` or ``ListObjectsV2``, say."""
        query = {part.partition("=")[0] for part in self.target.partition("?")[2].split("&")}
        has_key = "/" in self.path.strip("/")
        if "versions" in query:
            return "ListObjectVersions"
        if "uploads" in query or "uploadId" in query:
            return "MultipartUpload"
        if self.method == "POST" and "delete" in query:
            return "DeleteObjects"
        if has_key:
            return {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}.get(
                self.method, self.method
            )
        for part, name in _OF_A_BUCKET.items():
            if part in query:
                return f"{self.method.capitalize()}Bucket{name}"
        if self.method == "GET":
            return "ListObjectsV2" if "list-type" in query else "ListObjects"
        return {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}.get(self.method, self.method)

    @cached_property
    def action(self) -> str:
        """The permission that it needs, ``s3:GetObject``, say."""
        return _ACTIONS.get(self.operation, f"s3:{self.operation}")


_OF_A_BUCKET = {
    "acl": "Acl",
    "encryption": "Encryption",
    "lifecycle": "Lifecycle",
    "location": "Location",
    "policy": "Policy",
    "tagging": "Tagging",
    "versioning": "Versioning",
}
"""What a bucket has besides its objects, by the query that asks for it."""

_ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "MultipartUpload": "s3:PutObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjectVersions": "s3:ListBucketVersions",
}
"""What each operation needs, as the service authorization reference has it."""
