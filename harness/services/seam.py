"""A seam on the wire: stands before a server, for any client and any protocol over TCP, counts, and makes faults.

What is counted, and what faults are placed by, is the exchange: all that a client sends until the server begins to
answer, and the answer. Faults are never placed by time, so the same conversation meets the same fault each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import cast

from ._loop import call_on_wire, on_wire, wire_loop


class WireFault(Enum):
    """What can go wrong with an exchange. The value says it in words."""

    CUT_BEFORE = "cut with its connection before the request arrives"
    REFUSED = "cut with its connection before the request arrives, and the next connection refused"
    CUT_AFTER = "carried out, and its connection cut before the answer"
    HELD = "carried out, and its answer held back"


Choose = Callable[[int], "WireFault | None"]
"""Given an exchange's number since the fault was set, counted from 0, says what shall go wrong with it."""


@dataclass(frozen=True)
class Traffic:
    """What went over a seam.

    Attributes:
        connections: Connections that were opened.
        exchanges: Round trips: requests, each with its answer.
        sent: Bytes that clients sent.
        received: Bytes that they were answered.
    """

    connections: int = 0
    exchanges: int = 0
    sent: int = 0
    received: int = 0

    def __sub__(self, earlier: Traffic) -> Traffic:
        return Traffic(
            self.connections - earlier.connections,
            self.exchanges - earlier.exchanges,
            self.sent - earlier.sent,
            self.received - earlier.received,
        )


@dataclass
class Record:
    """What went over a seam during a while.

    Attributes:
        traffic: Set when the while is over.
    """

    traffic: Traffic = Traffic()


@dataclass
class Met:
    """The exchanges that a fault was made of.

    Attributes:
        exchanges: How many exchanges there were since it was set.
        faults: How many of them it was made of.
        requests: What the request of each began with.
    """

    exchanges: int = 0
    faults: int = 0
    requests: list[bytes] = field(default_factory=list)


class Seam:
    """A TCP server on loopback that hands connections on to another.

    Attributes:
        port: Where it listens.
        latest_request: What the latest request began with, of those that might have failed.

    Args:
        host: Where connections are handed on to.
        port: Where connections are handed on to.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._connections = self._exchanges = self._sent = self._received = 0
        self._open: set[_Client] = set()
        self._server: asyncio.Server | None = None
        self._choose: Choose | None = None
        self._met = Met()
        self.latest_request = b""
        self._split: int | None = None
        self._refusals = 0
        self._is_away = False
        self._answer_held = threading.Event()
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, _SHARED_PORT, 1)
        self._reserved.bind(("127.0.0.1", 0))  # it never listens: it keeps the port while connections are refused
        self.port: int = self._reserved.getsockname()[1]

    def start(self) -> None:
        """Begin to hand connections on."""
        on_wire(self._listen())

    def stop(self) -> None:
        """Cut every connection, and serve no more."""
        on_wire(self._stop_listening())
        call_on_wire(self._cut_all)
        self._reserved.close()

    # -- what is counted -----------------------------------------------------------------------------------

    @property
    def traffic(self) -> Traffic:
        """What went over it so far."""
        return call_on_wire(lambda: Traffic(self._connections, self._exchanges, self._sent, self._received))

    @property
    def open_connections(self) -> int:
        """How many connections clients have open now."""
        for _ in range(_TURNS):
            call_on_wire(lambda: None)
        return call_on_wire(lambda: len(self._open))

    @property
    def quiet(self) -> Traffic | None:
        """What went over it so far, or None while an answer is awaited: while it stays, nothing changes."""

        def quiet() -> Traffic | None:
            if any(client.awaits_answer for client in self._open):
                return None
            return Traffic(self._connections, self._exchanges, self._sent, self._received)

        return call_on_wire(quiet)

    @contextlib.contextmanager
    def recording(self) -> Iterator[Record]:
        """Say what goes over it during a while."""
        record, before = Record(), self.traffic
        try:
            yield record
        finally:
            record.traffic = self.traffic - before

    # -- faults --------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def faults(self, choose: Choose) -> Iterator[Met]:
        """Let exchanges fail during a while. Answers that are held are let go at its end."""
        met = Met()

        def begin() -> None:
            self._choose, self._met = choose, met
            self._answer_held.clear()

        call_on_wire(begin)
        try:
            yield met
        finally:
            call_on_wire(self._end_faults)

    def wait_for_held(self, limit_s: float) -> bool:
        """Wait until an answer is held, and return whether one is.

        Args:
            limit_s: In seconds.
        """
        return self._answer_held.wait(limit_s)

    def release(self) -> None:
        """Let answers go that are held. Those of later exchanges are held again where the fault says so."""
        call_on_wire(self._release)

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse new connections during a while."""
        on_wire(self._stop_listening())
        try:
            yield
        finally:
            on_wire(self._listen())

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Let nobody reach the server during a while: a connection that is used is cut, and new ones are refused.

        Those that nobody uses meanwhile are as they were, as after a break in a network. Whether a manager notices what
        a server has closed while nobody used it, is another question, with requirements of its own.
        """

        def leave(gone: bool) -> None:
            self._is_away = gone
            for client in [each for each in self._open if gone and each.awaits_answer]:
                client.cut()

        with self.refusing():
            call_on_wire(lambda: leave(True))
            try:
                yield
            finally:
                call_on_wire(lambda: leave(False))

    def drop_idle(self) -> int:
        """Close every connection on which no answer is awaited, as servers do with idle ones, and return how many."""

        def drop() -> int:
            idle = [client for client in self._open if not client.awaits_answer]
            for client in idle:
                client.close()
            return len(idle)

        return call_on_wire(drop)

    @contextlib.contextmanager
    def splitting(self, size: int) -> Iterator[None]:
        """Hand on what clients and server send in pieces of at most ``size`` bytes, as networks may at any time."""

        def split(pieces: int | None) -> None:
            self._split = pieces

        call_on_wire(lambda: split(size))
        try:
            yield
        finally:
            call_on_wire(lambda: split(None))

    # -- in the thread of the seams ------------------------------------------------------------------------

    async def _listen(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, _SHARED_PORT, 1)
        listening.bind(("127.0.0.1", self.port))
        self._server = await wire_loop().create_server(lambda: _Client(self), sock=listening, backlog=128)

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        for listening in server.sockets:
            wire_loop().remove_reader(listening)
        for _ in range(_TURNS):  # until it has what was accepted just now: a server that is closed takes no more
            await asyncio.sleep(0)
        server.close()

    def _cut_all(self) -> None:
        for client in list(self._open):
            client.cut()

    def _end_faults(self) -> None:
        self._choose = None
        self._refusals = 0
        self._release()

    def _release(self) -> None:
        self._answer_held.clear()
        for client in list(self._open):
            client.release()

    def _fault_of_next(self, request: bytes) -> WireFault | None:
        """Count an exchange, and say what shall go wrong with it."""
        self._exchanges += 1
        if self._choose is None:
            return None
        self.latest_request = request[:_BEGINNING]
        fault = self._choose(self._met.exchanges)
        self._met.requests.append(self.latest_request)
        self._met.exchanges += 1
        self._met.faults += fault is not None
        return fault

    def _write(self, transport: asyncio.Transport, data: bytes) -> None:
        size = self._split or len(data)
        for start in range(0, len(data), size):
            transport.write(data[start : start + size])


_SHARED_PORT = getattr(socket, "SO_REUSEPORT", socket.SO_REUSEADDR)
"""What lets two sockets of a user have one port: one that keeps it, and one that listens there now and then."""


_BEGINNING = 400
"""In bytes: how much of a request is kept to tell what it is."""

_TURNS = 3
"""After so many turns of its loop, the seam knows of each connection that a client closed before: one to read its end,
one to close the socket and one to tell of it."""


class _Client(asyncio.Protocol):
    """The client's end of a connection."""

    def __init__(self, seam: Seam) -> None:
        self._seam = seam
        self._server: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._held: list[bytes] | None = None
        self._fault: WireFault | None = None
        self._over = False
        self.awaits_answer = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to the server."""
        self.transport = cast("asyncio.Transport", transport)
        _send_at_once(self.transport)
        self._seam._open.add(self)
        self._seam._connections += 1
        if self._seam._refusals:
            self._seam._refusals -= 1
            self.cut()
            return
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        try:
            host, port = self._seam._upstream
            await wire_loop().create_connection(lambda: _Server(self), host, port)
        except OSError:
            self.cut()

    def server_connected(self, transport: asyncio.Transport) -> None:
        """Hand on what the client has said so far."""
        _send_at_once(transport)
        if self._over:
            transport.close()
            return
        self._server = transport
        for data in self._early:
            self._seam._write(transport, data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        """Hand a request on, or let it fail."""
        if self._over:
            return
        if self._seam._is_away:
            self.cut()
            return
        if not self.awaits_answer:
            self.awaits_answer = True
            self._fault = self._seam._fault_of_next(data)
            if self._fault in (WireFault.CUT_BEFORE, WireFault.REFUSED):
                self._seam._refusals = int(self._fault is WireFault.REFUSED)
                self.cut()
                return
        self._seam._sent += len(data)
        if self._server is None:
            self._early.append(data)
        else:
            self._seam._write(self._server, data)

    def answered(self, data: bytes) -> None:
        """Hand an answer on, or let it be lost, or hold it."""
        if self._over:
            return
        if self.awaits_answer and self._fault is WireFault.CUT_AFTER:
            self.cut()
            return
        if self.awaits_answer and self._fault is WireFault.HELD:
            self._held = self._held or []
            self._held.append(data)
            self._seam._answer_held.set()
            return
        self.awaits_answer = False
        self._seam._received += len(data)
        self._seam._write(self.transport, data)

    def release(self) -> None:
        """Hand on an answer that is held."""
        held, self._held = self._held, None
        if self._fault is WireFault.HELD:
            self._fault = None
        for data in held or ():
            self.answered(data)

    def pause_writing(self) -> None:
        """Let the server wait: the client is slow to read."""
        if self._server is not None:
            self._server.pause_reading()

    def resume_writing(self) -> None:
        """Let the server go on."""
        if self._server is not None:
            self._server.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the server that the client is gone."""
        self._end()
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """Close the connection as a server does: the client reads to its end."""
        self._end()
        self.transport.close()
        if self._server is not None:
            self._server.close()

    def cut(self) -> None:
        """Cut the connection: the client's next read or write fails (``ECONNRESET``)."""
        self._end()
        linger = struct.pack("ii", 1, 0)
        with contextlib.suppress(OSError):  # the client may have closed it already
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()
        if self._server is not None:
            self._server.abort()

    def _end(self) -> None:
        self._over = True
        self._seam._open.discard(self)


class _Server(asyncio.Protocol):
    """The server's end of a connection."""

    def __init__(self, client: _Client) -> None:
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand on what the client has said so far."""
        self._client.server_connected(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        """Hand on an answer."""
        self._client.answered(data)

    def pause_writing(self) -> None:
        """Let the client wait: the server is slow to read."""
        self._client.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let the client go on."""
        self._client.transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the client that the server is gone."""
        if not self._client._over:
            self._client.close()


def _send_at_once(transport: asyncio.Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
