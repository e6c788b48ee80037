"""HTTP/1.1 on loopback: what reads the requests of any number of clients, and writes the answers.

The standard library's ``http.server`` would do, if it did not read headers as those of an e-mail: that takes a third of
the time of a request to a server in memory.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from io import BufferedIOBase
from socketserver import StreamRequestHandler, ThreadingTCPServer

from .messages import Answer, Request

_OF_THE_CONNECTION = ("content-length", "connection", "transfer-encoding")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class HttpServer(ThreadingTCPServer):
    """Listens on a free port of loopback, and has a thread for each connection.

    Args:
        answer: Given a request, returns its answer, or None where its connection is to be reset.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, answer: Callable[[Request], Answer | None]) -> None:
        self.answer = answer
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away: a process of theirs may have been killed."""


class _Connection(StreamRequestHandler):
    disable_nagle_algorithm = True
    server: HttpServer

    def handle(self) -> None:
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """Answer a request, and return whether the connection stays open for another."""
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) != 3:
            return False
        method, target, version = line
        headers = _headers(self.rfile)
        named = {name.lower(): value for name, value in headers}
        if named.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = _body(self.rfile, named)
        if body is None:
            return False
        answer = self.server.answer(Request(method, target, headers, body))
        if answer is None:
            self._reset()
            return False
        self.wfile.write(_written(answer, without_body=method == "HEAD"))
        asked = named.get("connection", "keep-alive" if version == "HTTP/1.1" else "close").lower()
        return asked != "close" and answer.cut_after is None

    def _reset(self) -> None:
        """Close the connection so that the client gets a reset: with nothing lingering (``socket(7)``)."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.close()


def _headers(stream: BufferedIOBase) -> list[tuple[str, str]]:
    headers = []
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    return headers


def _body(stream: BufferedIOBase, headers: dict[str, str]) -> bytes | None:
    """Return what the client has sent; None where it was killed meanwhile: S3 carries out no part of that."""
    if "chunked" in headers.get("transfer-encoding", ""):
        return _chunks(stream)
    size = int(headers.get("content-length") or 0)
    body = stream.read(size)
    return body if len(body) == size else None


def _chunks(stream: BufferedIOBase) -> bytes | None:
    body = b""
    while True:
        digits = stream.readline().split(b";")[0].strip()
        if not digits:
            return None
        size = int(digits, 16)
        if not size:
            break
        chunk = stream.read(size)
        if len(chunk) < size:
            return None
        body += chunk
        stream.readline()
    while stream.readline().strip():
        pass
    return body


def _written(answer: Answer, *, without_body: bool) -> bytes:
    declared = next((value for name, value in answer.headers if name.lower() == "content-length"), None)
    size = declared if without_body and declared is not None else str(len(answer.body))
    lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, '')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() not in _OF_THE_CONNECTION]
    head = "\r\n".join([*lines, f"Content-Length: {size}", "", ""]).encode("latin-1")
    return head if without_body else head + answer.body[: answer.cut_after]
