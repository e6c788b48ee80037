"""The seam on the wire: what it counts, and what each fault does, to a client of a protocol that it does not know."""

from __future__ import annotations

import gc
import socket
import warnings
from collections.abc import Callable, Iterator

import pytest
from session_conformance.harness.services import Seam, Traffic, WireFault
from session_conformance.harness.services._loop import call_on_wire

from .echo import Client, EchoServer

Connect = Callable[[], Client]


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with EchoServer() as found:
        yield found
        found.shutdown()


@pytest.fixture
def seam(server: EchoServer) -> Iterator[Seam]:
    found = Seam("127.0.0.1", server.port)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def connect(seam: Seam) -> Iterator[Connect]:
    made: list[Client] = []

    def make() -> Client:
        made.append(Client(seam.port))
        return made[-1]

    yield make
    for client in made:
        client.close()


def test_counts_connections_round_trips_and_bytes(seam: Seam, connect: Connect) -> None:
    with seam.recording() as record:
        for client in (connect(), connect()):
            assert client.ask(b"one") == b"one"
            assert client.ask(b"three") == b"three"
    assert record.traffic == Traffic(connections=2, exchanges=4, sent=20, received=20)
    assert seam.open_connections == 2


def test_a_request_in_pieces_is_one_round_trip(seam: Seam, server: EchoServer, connect: Connect) -> None:
    client = connect()
    client.ask(b"hello")
    with seam.recording() as record:
        client.socket.sendall(b"in two ")
        client.socket.sendall(b"pieces\n")
        assert client.hear() == b"in two pieces"
    assert record.traffic.exchanges == 1


def test_a_request_is_cut_before_it_arrives(seam: Seam, server: EchoServer, connect: Connect) -> None:
    client = connect()
    with seam.faults(lambda number: WireFault.CUT_BEFORE if number == 1 else None) as met:
        assert client.ask(b"first") == b"first"
        with pytest.raises(ConnectionResetError):
            client.ask(b"second")
        assert connect().ask(b"third") == b"third"
    assert server.heard == [b"first\n", b"third\n"]
    assert (met.exchanges, met.faults) == (3, 1)


def test_the_next_connection_after_a_cut_is_refused(seam: Seam, server: EchoServer, connect: Connect) -> None:
    client = connect()
    with seam.faults(lambda number: WireFault.REFUSED if number == 0 else None):
        with pytest.raises(ConnectionResetError):
            client.ask(b"first")
        with pytest.raises(ConnectionResetError):  # when it connects, or when it asks
            connect().ask(b"second")
        assert connect().ask(b"third") == b"third"
    assert server.heard == [b"third\n"]


def test_an_answer_is_lost_after_its_request_was_carried_out(seam: Seam, server: EchoServer, connect: Connect) -> None:
    with seam.faults(lambda number: WireFault.CUT_AFTER if number == 0 else None):
        with pytest.raises(ConnectionResetError):
            connect().ask(b"first")
        assert server.heard == [b"first\n"]
        assert connect().ask(b"second") == b"second"


def test_an_answer_is_held_until_it_is_released(seam: Seam, server: EchoServer, connect: Connect) -> None:
    client = connect()
    with seam.faults(lambda number: WireFault.HELD if number == 0 else None):
        client.say(b"slow")
        assert seam.wait_for_held(10)
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(10)
        seam.release()
        assert client.socket.recv(10) == b"slow\n"
        assert client.ask(b"next") == b"next"


def test_answers_that_are_held_are_let_go_with_the_fault(seam: Seam, connect: Connect) -> None:
    client = connect()
    with seam.faults(lambda number: WireFault.HELD):
        client.say(b"slow")
        assert seam.wait_for_held(10)
    assert client.hear() == b"slow"
    assert client.ask(b"next") == b"next"


def test_connections_are_refused_while_others_go_on(seam: Seam, connect: Connect) -> None:
    before = connect()
    assert before.ask(b"hello") == b"hello"
    with seam.refusing():
        with pytest.raises(ConnectionRefusedError):
            connect()
        assert before.ask(b"still here") == b"still here"
    assert connect().ask(b"back") == b"back"


def test_a_server_that_is_away_is_reached_by_nobody(seam: Seam, connect: Connect) -> None:
    idle, used, waiting = connect(), connect(), connect()
    for one in (idle, used):
        one.ask(b"hello")
    with seam.faults(lambda number: WireFault.HELD):
        waiting.say(b"wait")
        assert seam.wait_for_held(10)
        with seam.away():
            with pytest.raises(ConnectionResetError):
                waiting.hear()
            with pytest.raises(ConnectionResetError):
                used.ask(b"hello")
            with pytest.raises(ConnectionRefusedError):
                connect()
    assert seam.open_connections == 1
    assert idle.ask(b"as after a break in a network") == b"as after a break in a network"
    assert connect().ask(b"back") == b"back"


def test_idle_connections_are_dropped_and_others_are_not(seam: Seam, connect: Connect) -> None:
    idle, busy = connect(), connect()
    idle.ask(b"hello")
    busy.ask(b"hello")
    with seam.faults(lambda number: WireFault.HELD):
        busy.say(b"wait")
        assert seam.wait_for_held(10)
        assert seam.drop_idle() == 1
        assert idle.hear() == b""
        seam.release()
        assert busy.hear() == b"wait"


def test_bytes_are_split(seam: Seam, server: EchoServer, connect: Connect) -> None:
    with seam.splitting(1):
        assert connect().ask(b"in many pieces") == b"in many pieces"
    assert server.heard == [b"in many pieces\n"]


def test_a_server_that_is_not_there_cuts_the_connection() -> None:
    with EchoServer() as gone:
        port = gone.port
        gone.shutdown()
    seam = Seam("127.0.0.1", port)
    seam.start()
    with socket.socket() as client:
        client.settimeout(10)
        with pytest.raises(ConnectionResetError):  # when it connects, or when it reads
            _connect_and_read(client, seam.port)
    seam.stop()


def test_nothing_listens_where_a_seam_has_been(server: EchoServer) -> None:
    seam = Seam("127.0.0.1", server.port)
    seam.start()
    client = Client(seam.port)
    client.ask(b"hello")
    seam.stop()
    with pytest.raises(ConnectionRefusedError):
        Client(seam.port)
    client.close()


def _connect_and_read(client: socket.socket, port: int) -> bytes:
    client.connect(("127.0.0.1", port))
    return client.recv(1)


def test_a_connection_that_is_accepted_while_it_stops_is_not_left_open(seam: Seam) -> None:
    """A server of asyncio that is closed takes no transport more: the socket would stay open, and nobody have it."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for _ in range(50):
            clients = [socket.socket() for _ in range(4)]
            for client in clients:
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", seam.port))
            with seam.refusing():
                pass
            for client in clients:
                client.close()
        gc.collect()
    assert [one for one in found if issubclass(one.category, ResourceWarning)] == []


def test_a_connection_that_is_closed_already_can_be_cut(seam: Seam, connect: Connect) -> None:
    connect().ask(b"one")
    [there] = seam._open
    call_on_wire(there.transport.abort)
    call_on_wire(lambda: None)  # once round the loop: its socket is closed
    call_on_wire(there.cut)
