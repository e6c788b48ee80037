"""Reads that are asked again: each is answered from memory while nothing was written that it could see."""

from __future__ import annotations

import threading
import urllib.parse
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .messages import Answer, Request

_Asked = tuple[str, str, tuple[tuple[str, str], ...]]

BUCKETS = 64
"""Of how many buckets answers are kept: of those that were read or written last."""

LARGEST = 64 * 1024
"""The largest body that is kept, in bytes."""


class RepeatedReads:
    """Carries requests out one after another, and those that only ask what was asked before not again.

    Managers look at the same few objects before and after each write, and so do the readers of the harness: two reads
    of three find what the one before them found. moto takes 0.7 ms for each of them.

    Args:
        upstream: Carries a request out. Nobody else changes what it holds.
    """

    def __init__(self, upstream: Callable[[Request], Answer]) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, dict[_Asked, _Kept]] = OrderedDict()

    def __call__(self, request: Request) -> Answer:
        """Carry a request out, or answer it from memory."""
        with self._lock:
            kept = self._of_bucket(request.bucket)
            if request.operation not in _READS:
                for asked in [asked for asked, read in kept.items() if read.may_see(request)]:
                    del kept[asked]
                return self._upstream(request)
            asked = (request.method, request.target, _that_matter(request))
            if asked not in kept:
                answer = self._upstream(request)
                if answer.status not in _LASTING or len(answer.body) > LARGEST:
                    return answer
                kept[asked] = _Kept(answer, *_seen_by(request))
            return kept[asked].answer

    def _of_bucket(self, bucket: str) -> dict[_Asked, _Kept]:
        kept = self._kept.setdefault(bucket, {})
        self._kept.move_to_end(bucket)
        if len(self._kept) > BUCKETS:
            self._kept.popitem(last=False)
        return kept


_READS = ("GetObject", "HeadObject", "ListObjects", "ListObjectsV2")
_LASTING = (200, 404)

_OF_ONE_REQUEST = (
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "connection",
    "user-agent",
    "x-amz-date",
    "x-amz-user-agent",
)
"""Headers that differ from one request to the next and change nothing about the answer."""


def _that_matter(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in request.headers if name.lower() not in _OF_ONE_REQUEST)


@dataclass(frozen=True)
class _Kept:
    """An answer, and what it is about: one object, or those whose paths begin with something."""

    answer: Answer
    path: str
    and_below: bool

    def may_see(self, change: Request) -> bool:
        if change.operation not in ("PutObject", "DeleteObject"):
            return True
        return change.path.startswith(self.path) if self.and_below else change.path == self.path


def _seen_by(read: Request) -> tuple[str, bool]:
    if read.operation in ("GetObject", "HeadObject"):
        return read.path, False
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(read.target).query)
    return f"/{read.bucket}/{query.get('prefix', [''])[0]}", True
