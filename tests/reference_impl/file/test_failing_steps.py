"""Each step fails once: nothing stays open behind it, so that nobody waits for ever for a lock that nobody holds."""

import asyncio
import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from errno import EIO
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file import posix
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, say, text_message, texts_of

_CALLS = (
    "open",
    "fstat",
    "lstat",
    "stat",
    "fchmod",
    "pread",
    "pwrite",
    "fsync",
    "fdatasync",
    "replace",
    "rename",
    "scandir",
)
_OPEN = Path("/proc/self/fd")

pytestmark = [
    pytest.mark.skipif(not _OPEN.exists(), reason="the system does not tell what is open"),
    pytest.mark.usefixtures("quickly_collected"),
]


class WaitsForEver(AssertionError):
    """A lock is held by something that this process has forgotten."""


class Failing:
    """Has one of the calls to the system fail, counted from the beginning."""

    def __init__(self, at: int) -> None:
        self._left = at

    @property
    def has_failed(self) -> bool:
        return self._left < 0

    def step(self) -> None:
        self._left -= 1
        if self._left == -1:
            raise OSError(EIO, os.strerror(EIO))

    @contextlib.contextmanager
    def patched(self) -> Iterator[None]:
        def failing(call: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *given, **more: (self.step(), call(*given, **more))[1]

        with pytest.MonkeyPatch.context() as patch:
            for name in _CALLS:
                patch.setattr(os, name, failing(getattr(os, name)))
            patch.setattr(posix.fcntl, "flock", failing(posix.fcntl.flock))
            yield


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    flock = posix.fcntl.flock

    def lock(descriptor: int, operation: int) -> None:
        try:
            flock(descriptor, operation | posix.fcntl.LOCK_NB)
        except BlockingIOError:
            if operation & posix.fcntl.LOCK_NB:
                raise
            raise WaitsForEver from None

    monkeypatch.setattr(posix.fcntl, "flock", lock)


def redact(agent: Any, _: Path) -> None:
    agent.messages[-1] = {**agent.messages[-1], "content": [{"text": "two"}]}
    agent._session_manager.redact_latest_message(agent.messages[-1], agent)


def outgrow(agent: Any, _: Path) -> None:
    agent.state.set("notes", "new" * 100_000)
    agent._session_manager.sync_agent(agent)
    agent._session_manager._store.rest()  # a compaction goes on beside it until then


def speak(agent: Any, _: Path) -> None:
    asyncio.run(add(agent, text_message("new")))


def begin(_: Any, folder: Path) -> None:
    another = open_agent(folder, "another")
    try:
        asyncio.run(add(another, text_message("new")))
    finally:
        another._session_manager.close()  # type: ignore[union-attr]


def delete(agent: Any, _: Path) -> None:
    agent._session_manager.delete_session("s")


def clean_up(_: Any, folder: Path) -> None:
    later = datetime.now(timezone.utc) + timedelta(days=9)
    FileSessionManager.clean_up(timedelta(days=1), str(folder), now=later)


def still_open(folder: Path) -> list[str]:
    found = []
    for one in list(_OPEN.iterdir()):
        with contextlib.suppress(FileNotFoundError):
            found.append(str(one.readlink()))
    return [name for name in found if name.startswith(str(folder))]


@pytest.mark.parametrize("do", [speak, redact, outgrow, begin, delete, clean_up])
def test_nothing_stays_open_behind_a_step_that_failed(tmp_path: Path, do: Callable[[Any, Path], None]) -> None:
    at = 0
    while True:
        folder = tmp_path / str(at)
        agent = open_agent(folder)
        for number in range(3 if do is outgrow else 1):
            agent.state.set("notes", str(number) * 300_000)
            asyncio.run(add(agent, text_message("one")))
        failing = Failing(at)
        with failing.patched(), contextlib.suppress(SessionException):
            do(agent, folder)
        if not failing.has_failed:
            break
        with contextlib.suppress(SessionException):
            agent._session_manager.close()  # type: ignore[union-attr]
        if still_open(folder):
            gc.collect()  # a manager that could not be made is garbage
        assert still_open(folder) == [], f"step {at} failed"
        id = "another" if do is begin else "s"
        say(folder, "later", session_id=id)
        assert texts_of(folder, id)[-1] == "later", f"step {at} failed"
        at += 1
    assert at > 5


def test_an_import_that_fails_raises_an_exception_of_the_sdks(tmp_path: Path) -> None:
    at = 0
    while True:
        folder = tmp_path / str(at)
        open_agent(folder, manager=SdkFileSessionManager("s", storage_dir=str(folder)), messages=[text_message("one")])
        failing, agent = Failing(at), None
        with failing.patched():
            with contextlib.suppress(SessionException):
                agent = open_agent(folder)
                asyncio.run(add(agent, text_message("two")))
        if agent is not None:
            agent._session_manager.close()  # type: ignore[union-attr]
        if not failing.has_failed:
            break
        if still_open(folder):
            gc.collect()  # a manager that could not be made is garbage
        assert still_open(folder) == [], f"step {at} failed"
        say(folder, "later")
        stored = ["one", "two", "later"] if agent is not None else ["one", "later"]
        assert texts_of(folder) == stored, f"step {at} failed"
        at += 1
    assert at > 20
