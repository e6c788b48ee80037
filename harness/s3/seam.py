"""A seam in front of an S3 endpoint: counts the requests of any client, and lets some of them fail on the wire."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .moments import Moments


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: Its status code.
        headers: Its headers, without those of the connection.
        body: Its body.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


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

    @property
    def path(self) -> str:
        """The path, unquoted."""
        return urllib.parse.unquote(urllib.parse.urlsplit(self.target).path)

    @property
    def bucket(self) -> str:
        """The bucket, or ""."""
        return self.path.strip("/").partition("/")[0]

    @property
    def operation(self) -> str:
        """The name that S3's API reference has for it, ``GetObject`` or ``ListObjectsV2``, say."""
        query = {name for name, _ in urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query, True)}
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

    @property
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


class Seam:
    """An HTTP server on loopback that hands requests on.

    Attributes:
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
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, name="conformance: S3", daemon=True)

    def start(self) -> str:
        """Begin to serve, and return the endpoint's URL."""
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

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

    def handle(self, request: Request) -> tuple[Answer | None, Fault | None]:
        """Carry out a request, or let it fail, and return the answer and the fault."""
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
        return answer, fault

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away: a process of theirs may have been killed."""


def _handler(seam: Seam) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            body = self._whole_body()
            if body is None:
                self.close_connection = True
                return
            answer, fault = seam.handle(Request(self.command, self.path, tuple(self.headers.items()), body))
            if answer is None:
                self._reset()
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            declared = next((value for name, value in answer.headers if name.lower() == "content-length"), None)
            size = declared if self.command == "HEAD" and declared is not None else str(len(answer.body))
            self.send_header("Content-Length", size)
            self.end_headers()
            body = b"" if self.command == "HEAD" else answer.body
            if fault is Fault.TRUNCATED and body and answer.status < 300:
                body = body[: len(body) // 2]
                self.close_connection = True
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _do

        def _whole_body(self) -> bytes | None:
            """Return what the client has sent; None where it was killed meanwhile: S3 carries out no part of that."""
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                return self._chunks()
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            return body if len(body) == size else None

        def _chunks(self) -> bytes | None:
            body = b""
            while True:
                digits = self.rfile.readline().split(b";")[0].strip()
                if not digits:
                    return None
                size = int(digits, 16)
                if not size:
                    break
                chunk = self.rfile.read(size)
                if len(chunk) < size:
                    return None
                body += chunk
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return body

        def _reset(self) -> None:
            """Close the connection so that the client gets a reset: with nothing lingering (``socket(7)``)."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.close()

    return Handler
