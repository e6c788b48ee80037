"""Places with a session of the SDK's manager, on files and on S3, in which something is done at a step of an import."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager, file_session_manager
from session_conformance.reference_impl.file import posix
from session_conformance.reference_impl.log import sdk_layout
from session_conformance.reference_impl.s3.deletion import delete
from session_conformance.reference_impl.s3.objects import S3Objects
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.session import S3SessionManager as SdkS3SessionManager

from tests.reference_impl.agents import add, open_agent, text_message
from tests.reference_impl.s3.memory_s3 import Bucket, ListingClient, Session

from .test_migration import Killed

OLD = [f"old {number}" for number in range(3)]

_CALLS = ("open", "mkdir", "rename", "replace", "unlink", "rmdir", "pwrite", "fsync", "fdatasync", "walk", "scandir")


class Blocked(BaseException):
    """Whoever is to do something at this step would wait for a lock of whoever is watched."""


class Steps:
    """Counts the operations of whoever is watched, does something before one of them, and ends them at another."""

    def __init__(self, at: int, do: Callable[[], object], *, killed_at: int | None = None) -> None:
        self.count, self._at, self._do, self._killed_at = 0, at, do, killed_at
        self.is_blocked = False
        self._lock = threading.Lock()
        self.is_doing = False
        self._failures: list[BaseException] = []

    def step(self) -> None:
        if self.is_doing:
            return
        with self._lock:
            self.count += 1
            is_due, is_killed = self.count - 1 == self._at, self._killed_at is not None and self.count > self._killed_at
        if is_killed:
            raise Killed
        if is_due:
            thread = threading.Thread(target=self._work)  # an event loop may be running in this one
            thread.start()
            thread.join()
            if self._failures:
                raise self._failures[0]

    def _work(self) -> None:
        self.is_doing = True
        try:
            self._do()
        except Blocked:
            self.is_blocked = True
        except BaseException as failure:
            self._failures.append(failure)
        finally:
            self.is_doing = False

    @property
    def is_done(self) -> bool:
        return self.count > self._at


class OnFiles:
    """The SDK's files and ours, in one folder."""

    def __init__(self, folder: Path, _: pytest.MonkeyPatch) -> None:
        self._folder = folder

    def sdks(self) -> Any:
        return SdkFileSessionManager("s", storage_dir=str(self._folder))

    def ours(self) -> Any:
        return FileSessionManager("s", storage_dir=str(self._folder))

    def delete(self) -> None:
        file_session_manager.delete_session("s", str(self._folder))

    def clean_up(self) -> list[str]:
        later = datetime.now(timezone.utc) + timedelta(days=30)
        return FileSessionManager.clean_up(timedelta(days=1), str(self._folder), now=later)

    def holding(self, text: bytes) -> list[str]:
        return [str(path) for path in self._folder.rglob("*") if path.is_file() and text in path.read_bytes()]

    @contextlib.contextmanager
    def watched(self, steps: Steps) -> Iterator[None]:
        """Have the file operations of the caller counted."""
        with pytest.MonkeyPatch.context() as patched:

            def counted(call: Callable[..., Any]) -> Callable[..., Any]:
                return lambda *given, **more: (steps.step(), call(*given, **more))[1]

            for name in _CALLS:
                patched.setattr(os, name, counted(getattr(os, name)))
            flock = posix.fcntl.flock

            def locked(descriptor: int, operation: int) -> None:
                try:
                    flock(descriptor, operation | posix.fcntl.LOCK_NB if steps.is_doing else operation)
                except BlockingIOError:
                    if operation & posix.fcntl.LOCK_NB:
                        raise
                    raise Blocked from None

            patched.setattr(posix.fcntl, "flock", locked)
            patched.setattr(sdk_layout.SdkFolder, "_bytes", counted(sdk_layout.SdkFolder._bytes))
            yield


class OnS3(OnFiles):
    """The SDK's objects and ours, in one bucket in memory."""

    def __init__(self, _: Path, __: pytest.MonkeyPatch) -> None:
        self._bucket = Bucket()
        self._steps: Steps | None = None

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        if self._steps is not None:
            self._steps.step()
        yield

    def _s3(self) -> Any:
        return Session(ListingClient(self._bucket, self._step))

    def sdks(self) -> Any:
        return SdkS3SessionManager("s", bucket="b", boto_session=self._s3())

    def ours(self) -> Any:
        return S3SessionManager("s", bucket="b", boto_session=self._s3())

    def delete(self) -> None:
        delete(S3Objects(self._s3().made, "b", "s"), "journal_s/", "session_s/", "s")

    def clean_up(self) -> list[str]:
        later = datetime.now(timezone.utc) + timedelta(days=30)
        return S3SessionManager.clean_up(timedelta(days=1), "b", boto_session=self._s3(), now=later)

    def holding(self, text: bytes) -> list[str]:
        return self._bucket.holding(text)

    @contextlib.contextmanager
    def watched(self, steps: Steps) -> Iterator[None]:
        self._steps = steps
        try:
            yield
        finally:
            self._steps = None


def opened(place: OnFiles, agent_id: str = "default") -> Any:
    return open_agent(None, manager=place.ours(), agent_id=agent_id)  # type: ignore[arg-type]


def say(agent: Any, text: str) -> None:
    asyncio.run(add(agent, text_message(text)))


def texts(agent: Any) -> list[str]:
    return [block["text"] for message in agent.messages for block in message["content"]]
