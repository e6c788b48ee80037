"""A seam in front of an S3 endpoint: counts the requests of any client, and lets some of them fail on the wire."""

from __future__ import annotations

import contextlib
import re
import threading
import urllib.parse
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum

from .messages import Answer, Request
from .moments import Moments
from .wire import HttpServer

Upstream = Callable[[Request], Answer]
"""Carries a request out."""


class Fault(Enum):
    """What can go wrong with a request. The value says it in words."""

    SLOW_DOWN = "answered with 503 SlowDown"
    INTERNAL_ERROR = "answered with 500 InternalError"
    RESET_BEFORE = "reset with its connection before it is carried out"
    RESET_AFTER = "carried out, and its connection reset before the answer"
    ERROR_AFTER = "carried out, and answered with 500 InternalError"
    TRUNCATED = "answered with a body that was cut short"
    DAMAGED = "answered with an object in which a bit is flipped"
    DENIED = "answered with 403 AccessDenied"


@dataclass(frozen=True)
class Exchange:
    """A request that was seen, and what came of it.

    Attributes:
        operation: See :attr:`Request.operation`.
        target: Path and query.
        sent: The bytes of the request's body.
        received: The bytes of the answer's body.
        status: The answer's status, or 0 where there was none.
        fault: What was made to go wrong, if anything was.
    """

    operation: str
    target: str
    sent: int
    received: int
    status: int
    fault: Fault | None = None


Choose = Callable[[int, Request], "Fault | None"]
"""Given a request's number since the fault was set, counted from 0, says what shall go wrong with it."""


@dataclass
class Record:
    """The requests for one bucket, in order.

    Attributes:
        exchanges: What was seen.
    """

    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """How many there were of each operation."""
        return Counter(exchange.operation for exchange in self.exchanges)

    def __len__(self) -> int:
        return len(self.exchanges)


_serving: weakref.WeakValueDictionary[str, Seam] = weakref.WeakValueDictionary()
"""The seams that this process serves, by the URL at which clients find them."""


def changes_made(endpoint_url: str, bucket: str) -> int | None:
    """Return how many requests to change a bucket were carried out so far: while it stays, nothing there changes.

    None where that says nothing: one is being carried out, something is made to go wrong, or no seam of this process
    sees what is sent to the endpoint.
    """
    seam = _serving.get(endpoint_url)
    return None if seam is None else seam.changes_made(bucket)


class Seam:
    """An HTTP server on loopback that hands requests on.

    Attributes:
        url: Where clients find it, once it serves.
        sign: Signs a request that was changed here anew, for an endpoint that looks at signatures.

    Args:
        upstream: Carries them out.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.sign: Callable[[Request], Request] = lambda request: request
        self._lock = threading.Lock()
        self._records: dict[str, list[Record]] = {}
        self._faults: dict[str, tuple[Choose, list[int]]] = {}
        self._page_size: dict[str, int] = {}
        self._holds: dict[str, Callable[[Request], object]] = {}
        self._moments: dict[str, Moments] = {}
        self._changes: Counter[str] = Counter()
        self._changing: Counter[str] = Counter()
        self._server = HttpServer(self.handle)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="conformance: S3", daemon=True)

    def start(self) -> str:
        """Begin to serve, and return the endpoint's URL."""
        self._thread.start()
        _serving[self.url] = self
        return self.url

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def changes_made(self, bucket: str) -> int | None:
        """See :func:`changes_made`."""
        with self._lock:
            made_to_differ = (self._faults, self._holds, self._page_size, self._moments)
            if self._changing[bucket] or any(bucket in each for each in made_to_differ):
                return None
            return self._changes[bucket]

    @contextlib.contextmanager
    def recording(self, bucket: str) -> Iterator[Record]:
        """Record the requests for a bucket."""
        record = Record()
        with self._lock:
            self._records.setdefault(bucket, []).append(record)
        try:
            yield record
        finally:
            with self._lock:
                self._records[bucket].remove(record)

    @contextlib.contextmanager
    def faults(self, bucket: str, choose: Choose) -> Iterator[None]:
        """Let requests for a bucket fail."""
        with self._lock:
            self._faults[bucket] = (choose, [0])
        try:
            yield
        finally:
            with self._lock:
                del self._faults[bucket]

    @contextlib.contextmanager
    def holding(self, bucket: str, wait: Callable[[Request], object]) -> Iterator[None]:
        """Hold each request for a bucket until ``wait`` returns, and only then carry it out."""
        with self._lock:
            self._holds[bucket] = wait
        try:
            yield
        finally:
            with self._lock:
                del self._holds[bucket]

    @contextlib.contextmanager
    def listing_pages_of(self, bucket: str, size: int) -> Iterator[None]:
        """Let listings of a bucket have pages of at most ``size`` keys, as S3 may at any time."""
        with self._lock:
            self._page_size[bucket] = size
        try:
            yield
        finally:
            with self._lock:
                del self._page_size[bucket]

    @contextlib.contextmanager
    def writes_apart(self, bucket: str, apart: timedelta) -> Iterator[None]:
        """Let listings say of a bucket's objects that each was written so much later than the one before it."""
        with self._lock:
            self._moments[bucket] = Moments(apart)
        try:
            yield
        finally:
            with self._lock:
                del self._moments[bucket]

    def handle(self, request: Request) -> Answer | None:
        """Carry out a request, or let it fail, and return the answer; None where its connection is to be reset."""
        if request.method in ("GET", "HEAD"):
            return self._handle(request)
        bucket = request.bucket
        with self._lock:
            self._changing[bucket] += 1
        try:
            return self._handle(request)
        finally:
            with self._lock:
                self._changing[bucket] -= 1
                self._changes[bucket] += 1

    def _handle(self, request: Request) -> Answer | None:
        bucket = request.bucket
        with self._lock:
            fault = None
            if bucket in self._faults:
                choose, number = self._faults[bucket]
                fault = choose(number[0], request)
                number[0] += 1
            page_size = self._page_size.get(bucket)
            hold = self._holds.get(bucket)
        if hold is not None:
            hold(request)
        if page_size is not None and request.operation in ("ListObjects", "ListObjectsV2"):
            request = self.sign(_with_page_size(request, page_size))
        answer = self._answer(request, fault)
        with self._lock:
            moments = self._moments.get(bucket)
            if moments is not None and answer is not None and answer.status < 300:
                if request.operation == "PutObject":
                    moments.note_write(request.path.strip("/").partition("/")[2])
                elif request.operation in ("ListObjects", "ListObjectsV2"):
                    answer = replace(answer, body=moments.in_listing(answer.body))
            for record in self._records.get(bucket, ()):
                record.exchanges.append(
                    Exchange(
                        request.operation,
                        request.target,
                        len(request.body),
                        len(answer.body) if answer else 0,
                        answer.status if answer else 0,
                        fault,
                    )
                )
        return answer

    def _answer(self, request: Request, fault: Fault | None) -> Answer | None:
        if fault is Fault.SLOW_DOWN:
            return _error(503, "SlowDown", "Please reduce your request rate.")
        if fault is Fault.INTERNAL_ERROR:
            return _error(500, "InternalError", "We encountered an internal error. Please try again.")
        if fault is Fault.DENIED:
            return _error(403, "AccessDenied", "Access Denied")
        if fault is Fault.RESET_BEFORE:
            return None
        answer = self._upstream(request)
        if fault is Fault.RESET_AFTER:
            return None
        if fault is Fault.ERROR_AFTER:
            return _error(500, "InternalError", "We encountered an internal error. Please try again.")
        if fault is Fault.DAMAGED and request.operation == "GetObject" and answer.status < 300:
            return replace(answer, body=_damaged(answer.body))
        if fault is Fault.TRUNCATED and answer.status < 300:
            return replace(answer, cut_after=len(answer.body) // 2)
        return answer


def _error(status: int, code: str, message: str) -> Answer:
    """Return an error as S3 words it (API reference, "Error responses")."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, [("Content-Type", "application/xml")], body.encode())


def _damaged(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes(byte ^ 1 for byte in body[middle : middle + 1]) + body[middle + 1 :]


def _with_page_size(request: Request, size: int) -> Request:
    parts = urllib.parse.urlsplit(request.target)
    query = re.sub(r"(^|&)max-keys=\d+", "", parts.query).strip("&")
    target = urllib.parse.urlunsplit(parts._replace(query=f"{query}&max-keys={size}".strip("&")))
    return Request(request.method, target, request.headers, request.body)
