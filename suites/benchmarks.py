"""Benchmarks: what storing and restoring cost, beside the floor of this machine. Timed by pytest-benchmark.

They take part in a run with ``--benchmark-only`` (then alone) or with ``--conformance-benchmarks`` (beside the
requirements). A floor is measured between the rounds of what it is compared with, so that both meet the same machine.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from time import perf_counter
from typing import Any

import pytest
from session_conformance.fixtures.s3 import endpoint_of_run
from session_conformance.fixtures.seeding import Seeds, seeds_of_run, sizes_of_run
from session_conformance.fixtures.suite import ConformanceSuite, NewSession
from session_conformance.harness import Backend
from session_conformance.harness.appending import Appender, talk
from session_conformance.harness.floors import FileFloor, Floor, S3Floor, as_bytes
from session_conformance.harness.measure import Measure, counted, of_rounds
from session_conformance.harness.slow_storage import file_calls, stall_on_files, stall_on_s3
from session_conformance.harness.tolerance import tolerating_warnings
from session_conformance.harness.tracing import TracerMissing

from .s3_requests import count_requests

Keep = Callable[[Measure], None]

_MESSAGES_A_ROUND = 10
_AT_ONCE = 20
_SLOW_S = 0.05
_REPLAYED = 1000


class Benchmarks(ConformanceSuite):
    """What storing and restoring cost."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Measure each backend, and what depends on the history with each length of it."""
        super().pytest_generate_tests(metafunc)
        if "size" in metafunc.fixturenames:
            metafunc.parametrize("size", sizes_of_run(metafunc.config))

    @pytest.fixture(autouse=True)
    def _alone(self, benchmark: Any) -> Iterator[None]:
        if benchmark.disabled:  # by the user, or by pytest-benchmark itself, since pytest-xdist is on
            pytest.skip("pytest-benchmark is off: processes that run beside each other would measure each other")
        with tolerating_warnings():
            yield

    @pytest.fixture
    def loop(self) -> Iterator[asyncio.AbstractEventLoop]:
        """Return an event loop that is there for all rounds."""
        with closing(asyncio.new_event_loop()) as loop:
            yield loop
            loop.run_until_complete(loop.shutdown_default_executor())

    @pytest.fixture
    def seeds(self, backend: Backend, new_session: NewSession, request: pytest.FixtureRequest) -> Seeds:
        """Return what gives sessions with a history, made once a run."""
        seeds = seeds_of_run(backend, new_session, request.config)
        size = request.node.callspec.params["size"]
        if size not in seeds.sizes:
            pytest.skip(f"{size:,} messages on S3 only when asked for: --conformance-benchmark-sizes={size}")
        return seeds

    @pytest.fixture
    def keep(self, backend: Backend, record_property: Callable[[str, object], None]) -> Keep:
        """Return what takes a measure into the report."""
        return lambda measure: record_property("measure", measure.to_dict())

    @pytest.fixture
    def floor(self, backend: Backend, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
              ) -> Iterator[Floor]:  # fmt: skip
        """Return what the backend's kind of storage can do at best."""
        if backend.on_s3:
            endpoint = endpoint_of_run(request.config)
            found: Floor = S3Floor(endpoint.client, endpoint.new_bucket())
        else:
            found = FileFloor(tmp_path_factory.mktemp("floor"))
        with closing(found):
            yield found

    def restore(self, backend: Backend, size: int, seeds: Seeds, floor: Floor, benchmark: Any, keep: Keep) -> None:
        """A new manager and a new agent restore a history."""
        seeded = seeds(size)
        floor.keep(seeded.messages)
        times = _Floor(floor.restore)
        benchmark.group = f"restore {size:,} messages"
        restored = benchmark.pedantic(
            lambda: seeded.session.restore(), setup=times.measure, rounds=5 if size > 1000 else 20, warmup_rounds=1
        )
        assert len(restored.messages) == size, f"{len(restored.messages)} of {size} messages were restored"
        keep(
            Measure(
                backend.name, "restore", "restore a history", "seconds", **_stats(benchmark), size=size,
                **times.found(floor.restore_about), note=seeded.note,
            )
        )  # fmt: skip

    def restore_memory(
        self, backend: Backend, size: int, seeds: Seeds, floor: Floor, benchmark: Any, keep: Keep
    ) -> None:
        """The most memory that a restore takes at one moment."""
        if size != max(seeds.sizes):
            pytest.skip("looked at with the longest history")
        seeded = seeds(size)
        floor.keep(seeded.messages)
        least, _ = _peak_of(floor.restore)
        most, _ = benchmark.pedantic(lambda: _peak_of(lambda: seeded.session.restore()), rounds=1)
        benchmark.group = f"restore {size:,} messages, while memory is traced"
        keep(
            counted(
                backend.name, "restore-memory", "peak of Python's memory in a restore", "bytes", most, size=size,
                floor=float(least), floor_about=floor.restore_about,
            )
        )  # fmt: skip

    def append(
        self, backend: Backend, size: int, seeds: Seeds, floor: Floor, loop: Any, benchmark: Any, keep: Keep
    ) -> None:
        """One message more in a history, told of as an agent tells it."""
        self._append(
            backend, size, seeds, floor, loop, benchmark, keep, Appender.append, 1, "append", "append a message"
        )

    def update(
        self, backend: Backend, size: int, seeds: Seeds, floor: Floor, loop: Any, benchmark: Any, keep: Keep
    ) -> None:
        """A streamed message: a placeholder, and its replacement by the final text."""
        about = "stream a message: placeholder and final text"
        self._append(backend, size, seeds, floor, loop, benchmark, keep, Appender.stream, 2, "update", about)

    def _append(
        self,
        backend: Backend,
        size: int,
        seeds: Seeds,
        floor: Floor,
        loop: Any,
        benchmark: Any,
        keep: Keep,
        do: Callable[[Appender, Any], Any],
        writes: int,
        name: str,
        about: str,
    ) -> None:
        appender = Appender(seeds.given_at_once(size).open())
        loop.run_until_complete(appender.start())
        numbers = iter(range(size + 1_000_000, 2**40))

        def floors() -> None:
            for _ in range(_MESSAGES_A_ROUND * writes):
                floor.append(talk(next(numbers)))

        async def many(messages: list[Any]) -> None:
            for message in messages:
                await do(appender, message)

        times = _Floor(floors)

        def setup() -> tuple[tuple[Any, ...], dict[str, Any]]:
            times.measure()
            return ([talk(next(numbers)) for _ in range(_MESSAGES_A_ROUND)],), {}

        benchmark.group = f"{name} to {size:,} messages ({_MESSAGES_A_ROUND} times)"
        rounds = 5 if size > 1000 else 20
        benchmark.pedantic(
            lambda messages: loop.run_until_complete(many(messages)), setup=setup, rounds=rounds, warmup_rounds=1
        )
        loop.run_until_complete(appender.stop())
        about_floor = floor.append_about if writes == 1 else f"{floor.append_about}, twice"
        keep(
            Measure(
                backend.name, name, about, "seconds", **_stats(benchmark, _MESSAGES_A_ROUND), size=size,
                **times.found(about_floor, _MESSAGES_A_ROUND),
            )
        )  # fmt: skip

    def sessions_at_once(
        self, backend: Backend, new_session: NewSession, floor: Floor, loop: Any, benchmark: Any, keep: Keep
    ) -> None:
        """Many sessions in one process, each with a message at a time."""
        workspace = new_session().workspace
        made = iter(range(2**31))

        async def opened() -> list[Appender]:
            agents = [
                Appender(new_session(f"session-{next(made)}", workspace=workspace).open()) for _ in range(_AT_ONCE)
            ]
            await asyncio.gather(*(agent.start() for agent in agents))
            return agents

        async def all_talk(agents: list[Appender]) -> None:
            async def one(agent: Appender) -> None:
                for number in range(5):
                    await agent.append(talk(number))

            await asyncio.gather(*(one(agent) for agent in agents))

        async def all_stop(agents: list[Appender]) -> None:
            await asyncio.gather(*(agent.stop() for agent in agents))

        def floors() -> None:
            for _ in range(5 * _AT_ONCE):
                floor.append(talk(0))

        times = _Floor(floors)

        def setup() -> tuple[tuple[Any, ...], dict[str, Any]]:
            times.measure()
            return (loop.run_until_complete(opened()),), {}

        benchmark.group = f"{_AT_ONCE} sessions at once, 5 messages each"
        benchmark.pedantic(
            lambda agents: loop.run_until_complete(all_talk(agents)),
            setup=setup,
            teardown=lambda agents: loop.run_until_complete(all_stop(agents)),
            rounds=10,
            warmup_rounds=1,
        )
        count = 5 * _AT_ONCE
        keep(
            Measure(
                backend.name, "sessions-at-once", f"append a message, {_AT_ONCE} sessions at once", "seconds",
                **_stats(benchmark, count), **times.found(f"{floor.append_about}, one after another", count),
            )
        )  # fmt: skip

    def replay(self, backend: Backend, new_session: NewSession, loop: Any, benchmark: Any, keep: Keep) -> None:
        """A timeout, until a new connection was given the history."""
        history = [talk(number) for number in range(_REPLAYED)]
        with_manager, without = Appender(new_session().open(), history), Appender(None, history)
        for appender in (with_manager, without):
            loop.run_until_complete(appender.start())
        times = _Floor(lambda: loop.run_until_complete(without.time_out()))
        benchmark.group = f"replay of {_REPLAYED:,} messages after a timeout"
        benchmark.pedantic(
            lambda: loop.run_until_complete(with_manager.time_out()), setup=times.measure, rounds=20, warmup_rounds=1
        )
        for appender in (with_manager, without):
            loop.run_until_complete(appender.stop())
        keep(
            Measure(
                backend.name, "replay", f"replay {_REPLAYED:,} messages after a timeout", "seconds",
                **_stats(benchmark), **times.found("the same agent without a session manager"),
            )
        )  # fmt: skip

    def loop_stall(
        self, backend: Backend, new_session: NewSession, benchmark: Any, keep: Keep, request: pytest.FixtureRequest
    ) -> None:
        """The longest time for which the event loop stands still while storage is slow."""
        session = new_session()
        benchmark.group = f"append 10 messages, storage {_SLOW_S * 1000:.0f} ms slower"
        if backend.on_s3:
            seam = endpoint_of_run(request.config).seam
            stall = benchmark.pedantic(lambda: stall_on_s3(session, 10, _SLOW_S, seam), rounds=1)
        else:
            with _traceable(backend):
                stall = benchmark.pedantic(lambda: stall_on_files(session, 10, _SLOW_S), rounds=1)
        about = f"longest stall of the event loop, storage {_SLOW_S * 1000:.0f} ms slower"
        keep(counted(backend.name, "loop-stall", about, "seconds", stall))

    def asked_of_storage(
        self, backend: Backend, new_session: NewSession, benchmark: Any, keep: Keep, request: pytest.FixtureRequest
    ) -> None:
        """Requests to S3, or system calls that concern files, that a message takes."""
        benchmark.group = "append 100 messages, counted"
        if backend.on_s3:
            s3 = endpoint_of_run(request.config)
            found = benchmark.pedantic(lambda: count_requests(s3, new_session(), 50), rounds=1)
            keep(counted(backend.name, "requests", "requests to S3 a message", "requests", found.a_message))
            return
        with _traceable(backend):
            few, many = benchmark.pedantic(
                lambda: (file_calls(new_session(), 20), file_calls(new_session(), 120)), rounds=1
            )
        keep(counted(backend.name, "system-calls", "file system calls a message", "system calls", (many - few) / 100))

    def bytes_stored(self, backend: Backend, size: int, seeds: Seeds, benchmark: Any, keep: Keep) -> None:
        """Bytes that a message takes in storage."""
        if size != max(seeds.sizes):
            pytest.skip("looked at with the longest history")
        benchmark.group = "count the bytes in storage"
        seeded = seeds(size)
        stored = benchmark.pedantic(seeded.session.workspace.bytes_stored, rounds=1)
        if not stored:
            pytest.skip("what it stores cannot be looked at")
        keep(
            counted(
                backend.name, "bytes-stored", "bytes stored a message", "bytes", stored / size,
                floor=len(as_bytes(seeded.messages)) / size, floor_about="its JSON",
            )
        )  # fmt: skip


class _traceable:
    """Skips where no other process can be started on a backend, or nothing can be traced."""

    def __init__(self, backend: Backend) -> None:
        if backend.spec is None:
            pytest.skip("no other process can open it")

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, TracerMissing):
            pytest.skip(str(error))


class _Floor:
    """A floor that is measured once before each round, the warm-up's included."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do
        self._rounds: list[float] = []

    def measure(self) -> None:
        started = perf_counter()
        self._do()
        self._rounds.append(perf_counter() - started)

    def found(self, about: str, operations: int = 1) -> dict[str, Any]:
        return {"floor": of_rounds(self._rounds[1:], operations)["median"], "floor_about": about}


def _stats(benchmark: Any, operations: int = 1) -> dict[str, Any]:
    return of_rounds(benchmark.stats.stats.data, operations)


def _peak_of(do: Callable[[], object]) -> tuple[int, object]:
    """Return the most bytes that Python's allocator gave out while something was done, and what came of it."""
    tracemalloc.start()
    try:
        made = do()
        return tracemalloc.get_traced_memory()[1], made
    finally:
        tracemalloc.stop()


for _name in ("restore", "restore_memory", "append", "update", "sessions_at_once", "replay", "loop_stall",
              "asked_of_storage", "bytes_stored"):  # fmt: skip
    getattr(Benchmarks, _name).__test__ = True  # pytest collects them under any naming pattern
