"""Benchmarks: what storing and restoring cost, beside the floor of this machine.

They take part in a run with ``--benchmark-only`` (then alone) or with ``--conformance-benchmarks`` (beside the
requirements).
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from session_conformance.fixtures import Bench, BenchFloor, ConformanceSuite, NewSession, endpoint_of_run
from session_conformance.fixtures.properties import Seeds, seeds_of_run, sizes_of_run
from session_conformance.harness import Backend
from session_conformance.harness.conversations import Appender, talk
from session_conformance.harness.faults import TracerMissing, file_calls, stall_on_files, stall_on_s3
from session_conformance.harness.process import tolerating_warnings
from session_conformance.harness.sdk import Message
from session_conformance.harness.verdicts import FileFloor, Floor, S3Floor, ServerFloor, as_bytes

from .scenarios import Counted, count_requests

_A_ROUND = 10
"""Messages a round: one alone is too short to be timed through an event loop."""

_AT_ONCE = 20
_EACH = 5
"""Sessions at once, and the messages of each."""

_REPLAYED = 1_000
_SLOW_S = 0.05


def _benchmark(check: Callable[..., None]) -> Callable[..., None]:
    check.__test__ = True  # type: ignore[attr-defined]  # pytest collects it under any naming pattern
    return check


class Benchmarks(ConformanceSuite):
    """What storing and restoring cost."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Measure each backend, and what depends on the history with each length of it."""
        super().pytest_generate_tests(metafunc)
        if "size" in metafunc.fixturenames:
            metafunc.parametrize("size", sizes_of_run(metafunc.config))

    @pytest.fixture
    def bench(
        self, backend: Backend, benchmark: Any, record_property: Callable[[str, object], None]
    ) -> Iterator[Bench]:
        """Return what times and counts."""
        if benchmark.disabled:  # by the user, or by pytest-benchmark itself, since pytest-xdist is on
            pytest.skip("pytest-benchmark is off: processes that run beside each other would measure each other")
        with tolerating_warnings():
            yield Bench(backend.name, benchmark, lambda measure: record_property("measure", measure.to_dict()))

    @pytest.fixture
    def loop(self) -> Iterator[asyncio.AbstractEventLoop]:
        """Return an event loop that is there for all rounds."""
        with closing(asyncio.new_event_loop()) as loop:
            yield loop
            loop.run_until_complete(loop.shutdown_default_executor())

    @pytest.fixture
    def seeds(self, backend: Backend, size: int, new_session: NewSession, request: pytest.FixtureRequest) -> Seeds:
        """Return what gives sessions with a history, made once a run."""
        seeds = seeds_of_run(backend, new_session, request.config)
        if size not in seeds.sizes:
            pytest.skip(f"{size:,} messages on S3 only when asked for: --conformance-benchmark-sizes={size}")
        return seeds

    @pytest.fixture
    def floor(self, backend: Backend, request: pytest.FixtureRequest, new_session: NewSession,
              tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:  # fmt: skip
        """Return what the backend's kind of storage can do at best."""
        found: Floor
        places = new_session().workspace.places
        if backend.on_s3:
            endpoint = endpoint_of_run(request.config)
            found = S3Floor(endpoint.client, endpoint.new_bucket())
        elif places:
            found = ServerFloor(places[0].keeping())
        else:
            found = FileFloor(tmp_path_factory.mktemp("floor"))
        with closing(found):
            yield found

    @_benchmark
    def restore(self, size: int, seeds: Seeds, floor: Floor, bench: Bench) -> None:
        """A new manager and a new agent restore a history."""
        seeded = seeds(size)
        floor.keep(seeded.messages)
        found = len(seeded.session.restore().messages)
        assert found == size, f"{found} of {size} messages were restored"
        bench.time(
            "restore",
            "restore a history",
            seeded.session.restore,
            BenchFloor(floor.restore, floor.restore_about),
            group=f"restore {size:,} messages",
            rounds=5 if size > 1000 else 20,
            size=size,
            note=seeded.note,
        )

    @_benchmark
    def restore_memory(self, size: int, seeds: Seeds, floor: Floor, bench: Bench) -> None:
        """The most memory that a restore takes at one moment."""
        if size != max(seeds.sizes):
            pytest.skip("looked at with the longest history")
        seeded = seeds(size)
        floor.keep(seeded.messages)
        least, most = (
            _peak_of(floor.restore),
            bench.once(f"restore {size:,} messages, while memory is traced", lambda: _peak_of(seeded.session.restore)),
        )
        about = "peak of Python's memory in a restore"
        bench.count(
            "restore-memory", about, "bytes", most, size=size, floor=float(least), floor_about=floor.restore_about
        )

    @_benchmark
    def bytes_stored(self, size: int, seeds: Seeds, bench: Bench) -> None:
        """Bytes that a message takes in storage."""
        if size != max(seeds.sizes):
            pytest.skip("looked at with the longest history")
        seeded = seeds(size)
        stored = bench.once("count the bytes in storage", seeded.session.workspace.bytes_stored)
        if not stored or not size:
            pytest.skip("what it stores cannot be looked at, or is nothing")
        json: dict[str, Any] = {"floor": len(as_bytes(seeded.messages)) / size, "floor_about": "the message as JSON"}
        bench.count("bytes-stored", "bytes stored a message", "bytes", stored / size, **json)

    @_benchmark
    def append(self, size: int, seeds: Seeds, floor: Floor, loop: Any, bench: Bench) -> None:
        """One message more in a history, told of as an agent tells it."""
        how = BenchFloor(lambda: _write(floor, _A_ROUND), floor.append_about)
        self._grow("append", "append a message", Appender.append, size, seeds, how, loop, bench)

    @_benchmark
    def update(self, size: int, seeds: Seeds, floor: Floor, loop: Any, bench: Bench) -> None:
        """A streamed message: a placeholder, and its replacement by the final text."""
        how = BenchFloor(lambda: _write(floor, 2 * _A_ROUND), f"{floor.append_about}, twice")
        about = "stream a message: placeholder and final text"
        self._grow("update", about, Appender.stream, size, seeds, how, loop, bench)

    @staticmethod
    def _grow(
        name: str,
        about: str,
        do: Callable[[Appender, Message], Awaitable[None]],
        size: int,
        seeds: Seeds,
        floor: BenchFloor,
        loop: asyncio.AbstractEventLoop,
        bench: Bench,
    ) -> None:
        appender = Appender(seeds.given_at_once(size).open())
        loop.run_until_complete(appender.start())
        numbers = iter(range(size, 2**31))

        async def grow(messages: list[Message]) -> None:
            for message in messages:
                await do(appender, message)

        bench.time(
            name,
            about,
            lambda messages: loop.run_until_complete(grow(messages)),
            floor,
            group=f"{name} {_A_ROUND} messages to {size:,}",
            prepare=lambda: ([talk(next(numbers)) for _ in range(_A_ROUND)],),
            operations=_A_ROUND,
            rounds=5 if size > 1000 else 20,
            size=size,
        )
        loop.run_until_complete(appender.stop())

    @_benchmark
    def sessions_at_once(self, new_session: NewSession, floor: Floor, loop: Any, bench: Bench) -> None:
        """Many sessions in one process, each with a message at a time."""
        workspace = new_session().workspace
        ids = iter(range(2**31))

        async def open_all() -> list[Appender]:
            agents = [
                Appender(new_session(f"session-{next(ids)}", workspace=workspace).open()) for _ in range(_AT_ONCE)
            ]
            await asyncio.gather(*(agent.start() for agent in agents))
            return agents

        async def talk_at_once(agents: list[Appender]) -> None:
            async def one(agent: Appender) -> None:
                for number in range(_EACH):
                    await agent.append(talk(number))

            await asyncio.gather(*(one(agent) for agent in agents))

        async def stop_all(agents: list[Appender]) -> None:
            await asyncio.gather(*(agent.stop() for agent in agents))

        bench.time(
            "sessions-at-once",
            f"append a message, {_AT_ONCE} sessions at once",
            lambda agents: loop.run_until_complete(talk_at_once(agents)),
            BenchFloor(lambda: _write(floor, _AT_ONCE * _EACH), f"{floor.append_about}, one after another"),
            group=f"append {_EACH} messages to each of {_AT_ONCE} sessions at once",
            prepare=lambda: (loop.run_until_complete(open_all()),),
            finish=lambda agents: loop.run_until_complete(stop_all(agents)),
            operations=_AT_ONCE * _EACH,
            rounds=10,
        )

    @_benchmark
    def replay(self, new_session: NewSession, loop: Any, bench: Bench) -> None:
        """A timeout, until a new connection was given the history."""
        history = [talk(number) for number in range(_REPLAYED)]
        agents = with_manager, without = Appender(new_session().open(), history), Appender(None, history)
        for agent in agents:
            loop.run_until_complete(agent.start())
        about = f"replay {_REPLAYED:,} messages after a timeout"
        bench.time(
            "replay",
            about,
            lambda: loop.run_until_complete(with_manager.time_out()),
            BenchFloor(lambda: loop.run_until_complete(without.time_out()), "the same agent without a session manager"),
            group=about,
        )
        for agent in agents:
            loop.run_until_complete(agent.stop())

    @_benchmark
    def loop_stall(
        self, backend: Backend, new_session: NewSession, bench: Bench, request: pytest.FixtureRequest
    ) -> None:
        """The longest time for which the event loop stands still while storage is slow."""
        if backend.services:
            pytest.skip("CON-04 and NET-07 say whether the loop goes on while a server is slow")
        slower = f"storage {_SLOW_S * 1000:.0f} ms slower"
        group = f"append {_A_ROUND} messages, {slower}"
        session = new_session()
        if backend.on_s3:
            seam = endpoint_of_run(request.config).seam
            stall = bench.once(group, lambda: stall_on_s3(session, _A_ROUND, _SLOW_S, seam))
        else:
            with _tracing(backend):
                stall = bench.once(group, lambda: stall_on_files(session, _A_ROUND, _SLOW_S))
        bench.count("loop-stall", f"longest stall of the event loop, {slower}", "seconds", stall)

    @_benchmark
    def asked_of_storage(
        self, backend: Backend, new_session: NewSession, bench: Bench, request: pytest.FixtureRequest
    ) -> None:
        """Requests to S3, round trips to a server, or system calls that concern files, that a message takes."""
        group = "append 100 messages, counted"
        if backend.on_s3:
            s3 = endpoint_of_run(request.config)
            counted = bench.once(group, lambda: count_requests(s3, new_session(), 50))
            bench.count("requests", "requests to S3 a message", "requests", counted.a_message)
            return
        if backend.services:
            taken = bench.once(group, lambda: Counted(new_session(), 20))
            one: dict[str, Any] = {"floor": 1.0, "floor_about": "one round trip"}
            bench.count("round-trips", "round trips to its server a message", "round trips", taken.a_message, **one)
            about = f"round trips a restore of {taken.messages} messages"
            bench.count("round-trips-restore", about, "round trips", taken.restoring, **one)
            text: dict[str, Any] = {"floor": float(taken.bytes_of_text), "floor_about": "the text of the message"}
            bench.count("bytes-sent", "bytes sent to its server a message", "bytes", taken.bytes_a_message, **text)
            return
        with _tracing(backend):
            few, many = bench.once(group, lambda: (file_calls(new_session(), 20), file_calls(new_session(), 120)))
        bench.count("system-calls", "file system calls a message", "system calls", (many - few) / 100)


def _write(floor: Floor, times: int) -> None:
    for number in range(times):
        floor.append(talk(number))


@contextmanager
def _tracing(backend: Backend) -> Iterator[None]:
    """Skip where no other process can open the backend, or nothing can be traced."""
    if backend.spec is None:
        pytest.skip("no other process can open it")
    try:
        yield
    except TracerMissing as error:
        pytest.skip(str(error))


def _peak_of(do: Callable[[], object]) -> int:
    """Return the most bytes that Python's allocator had given out at one moment while something was done."""
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
