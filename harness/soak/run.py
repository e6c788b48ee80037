"""Running a soak: lives one after another in several processes at once, until the time is up, and then the verdict."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import Pipe
from pathlib import Path
from threading import Lock
from typing import TextIO

from ..backends import Backend, Capability, Workspace
from ..conversations import ProcessDied, Session, in_fresh_process, warm_up
from ..process import Hang
from ._actor import act
from ._alone import Sessions
from ._nemesis import Nemesis
from .anomaly import HUNG, KINDS, Anomaly
from .checkers import anomalies
from .history import FAILED, INVOKED, LIFE, OK, History, Record
from .plan import APPEND, OPEN, READ, STREAM, SYNCS_FAIL, Life, life

_LIMIT_S = 120.0
"""How long a life may take at most, in seconds, before it is said to hang."""


@dataclass(frozen=True)
class SoakSettings:
    """How long, how wide, and with which seed.

    Attributes:
        seed: What the plan follows from.
        minutes: How long new lives are begun; None for as long as ``lives`` takes.
        lives: How many lives there are at most; None for as many as the time allows.
        processes: How many processes are at work at once.
        sessions: How many sessions they work on.
    """

    seed: int
    minutes: float | None = None
    lives: int | None = None
    processes: int = 4
    sessions: int = 3


@dataclass
class Soak:
    """What came of a soak.

    Attributes:
        settings: How it was run.
        history: All that was done and told.
        lives: How many lives there were.
        kills: How many of them were killed.
        failing_syncs: How many lives met syncs that fail.
        wire_faults: How many exchanges with servers met a fault.
        restarts: How often servers were killed and started again.
        anomalies: What no correct backend does.
    """

    settings: SoakSettings
    history: History
    lives: int = 0
    kills: int = 0
    failing_syncs: int = 0
    wire_faults: int = 0
    restarts: int = 0
    anomalies: list[Anomaly] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """How many messages were acknowledged."""
        return sum(record.event == OK and record.operation in (APPEND, STREAM) for record in self.history)

    @property
    def counts(self) -> Counter[str]:
        """How many anomalies there are of each kind."""
        return Counter(one.kind for one in self.anomalies)

    def __str__(self) -> str:
        readings = sum(record.event == OK and record.operation in (READ, OPEN) for record in self.history)
        done = (
            f"{self.lives} lives, {self.kills} of them killed, {self.failing_syncs} with failing syncs:"
            f" {self.acknowledged} messages acknowledged, {readings} readings,"
            f" {self.history.count(FAILED)} errors told (seed {self.settings.seed})"
        )
        if self.wire_faults:
            done += f"\n{self.wire_faults} faults on the wire, servers killed {self.restarts} times"
        counts = self.counts
        return f"{done}\n" + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)


def soak(
    backend: Backend,
    workspace: Workspace,
    settings: SoakSettings,
    *,
    log: Path | None = None,
    progress: Callable[[str], object] = lambda _: None,
) -> Soak:
    """Load a backend with processes that talk, read, redact, delete and are killed, and say what its history shows.

    Args:
        backend: The backend; it must have an importable name, so that other processes can open it.
        workspace: A fresh place for it.
        settings: How long and how wide.
        log: A file that every record is written to as it comes, one a line.
        progress: Told now and then, in a line, how far it is.

    Raises:
        ValueError: The backend has no importable name, or the settings have no end.
    """
    if settings.minutes is None and settings.lives is None:
        raise ValueError("a soak needs an end: give minutes or lives")
    if backend.spec is None:
        raise ValueError(f"backend {backend.name} has no importable name, so no other process can open it")
    warm_up()
    with _Recorder(log) as recorder:
        found = Soak(settings, History())
        lives, taking = _lives(settings), Lock()
        nemesis, sessions = Nemesis(workspace.places, settings.seed), Sessions()

        def work() -> None:
            while True:
                with taking:
                    one = next(lives, None)
                if one is None:
                    return
                with sessions.entered_by(one):
                    was_killed = _live(one, backend, workspace, settings, recorder, nemesis)
                nemesis.a_life_is_over()
                with taking:
                    _count(found, one, was_killed)
                    if found.lives % 50 == 0:
                        progress(f"{found.lives} lives, {found.kills} killed, {recorder.acknowledged} acknowledged")

        with nemesis, ThreadPoolExecutor(settings.processes) as pool:
            for worker in [pool.submit(work) for _ in range(settings.processes)]:
                worker.result()
        for number in range(settings.sessions):
            reading = Life(found.lives + number, number, (READ,))
            _live(reading, backend, workspace, settings, recorder, nemesis)
        found.wire_faults, found.restarts = nemesis.faults, nemesis.restarts
        found.history = History.of(recorder.records)
    capabilities = backend.capabilities or frozenset()
    may_refuse = backend.capabilities is not None and Capability.READ_BESIDE_WRITER not in capabilities
    found.anomalies = anomalies(found.history, may_refuse=may_refuse)
    return found


def _lives(settings: SoakSettings) -> Iterator[Life]:
    """Yield the plan's lives until the time is up."""
    end = None if settings.minutes is None else time.monotonic() + settings.minutes * 60
    number = 0
    while (settings.lives is None or number < settings.lives) and (end is None or time.monotonic() < end):
        yield life(settings.seed, number, sessions=settings.sessions)
        number += 1


def _count(found: Soak, one: Life, was_killed: bool) -> None:
    found.lives += 1
    found.kills += was_killed
    found.failing_syncs += SYNCS_FAIL in one.operations


class _Recorder:
    """Keeps the records of all lives, and writes each to the log as it comes."""

    def __init__(self, log: Path | None) -> None:
        self.records: list[Record] = []
        self.acknowledged = 0
        self._lock = Lock()
        self._path = log
        self._file: TextIO | None = None

    def __enter__(self) -> _Recorder:
        if self._path is not None:
            self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, record: Record) -> None:
        """Keep a record."""
        with self._lock:
            self.records.append(record)
            self.acknowledged += record.event == OK and record.operation in (APPEND, STREAM)
            if self._file is not None:
                self._file.write(record.to_json() + "\n")


def _live(
    one: Life,
    backend: Backend,
    workspace: Workspace,
    settings: SoakSettings,
    recorder: _Recorder,
    nemesis: Nemesis,
) -> bool:
    """Let a process live, kill it where the plan says so, and return whether it was killed."""
    session = Session(backend, workspace, session_id=f"soak-{one.session}")
    ours, theirs = Pipe(duplex=False)
    killed = False
    with ThreadPoolExecutor(1) as pool:
        process = _Process()
        living = pool.submit(
            in_fresh_process,
            act,
            session,
            theirs,
            settings.seed,
            one,
            nemesis.is_at_work,
            limit_s=_LIMIT_S,
            watched=process.watch,
        )
        living.add_done_callback(lambda _: theirs.close())  # then the pipe ends, whatever became of the process
        while True:
            try:
                record = Record.from_json(ours.recv_bytes().decode())
            except (EOFError, OSError):
                break
            recorder.add(record)
            if not killed and record.index == one.killed_at and record.event == INVOKED:
                ours.poll(one.killed_after_us / 1e6)
                killed = process.kill()
        ours.close()
        how = _end_of(living.exception(), killed)
    recorder.add(Record(time.monotonic_ns(), one.number, LIFE, -1, how, session.session_id))
    return killed


def _end_of(error: BaseException | None, killed: bool) -> str:
    if isinstance(error, Hang):
        return HUNG
    if killed:
        return "was killed"
    if error is None:
        return "ended"
    if isinstance(error, ProcessDied):
        return f"died: {error}"
    raise error


class _Process:
    """The id of a process, known from when it is ready."""

    def __init__(self) -> None:
        self._id = 0

    def watch(self, id: int) -> _Process:
        """Take the id; see :func:`~session_conformance.harness.conversations.in_fresh_process`."""
        self._id = id
        return self

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._id = 0

    def kill(self) -> bool:
        """Kill the process, and return whether it was still there."""
        if not self._id:  # the process has ended, and 0 would be all of ours
            return False
        try:
            os.kill(self._id, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True
