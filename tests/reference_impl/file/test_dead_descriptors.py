"""What was open when its file system went away stays dead, also once that is back: what is needed is opened anew."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from errno import ESTALE
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl.file import posix
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message, texts_of

_ON_DESCRIPTORS = ("fstat", "fchmod", "pread", "pwrite", "fsync", "fdatasync", "close")
_ON_NAMES = ("open", "lstat", "stat", "replace", "rename", "scandir")


class FileSystem:
    """Counts the calls to the system, and goes away before one of them: what was open then is dead from there on."""

    def __init__(self, folder: Path, at: int, *, locks: bool) -> None:
        self._folder, self._left, self._locks, self._dead = folder, at, locks, set[int]()

    @property
    def was_away(self) -> bool:
        return self._left < 0

    def _step(self) -> None:
        self._left -= 1
        if self._left == -1:
            for one in os.listdir("/proc/self/fd"):  # noqa: PTH208 - it asks nothing that is counted
                with contextlib.suppress(FileNotFoundError):
                    if os.readlink(f"/proc/self/fd/{one}").startswith(str(self._folder)):  # noqa: PTH115
                        self._dead.add(int(one))

    @contextlib.contextmanager
    def mounted(self) -> Iterator[None]:
        def on_name(call: Callable[..., Any]) -> Callable[..., Any]:
            def called(*given: Any, **more: Any) -> Any:
                self._step()
                found = call(*given, **more)
                if call is opened:
                    self._dead.discard(found)  # the number is used again
                return found

            return called

        def on_descriptor(call: Callable[..., Any]) -> Callable[..., Any]:
            def called(descriptor: int, *given: Any) -> Any:
                self._step()
                if descriptor in self._dead:
                    if call is closed:
                        closed(descriptor)
                    raise OSError(ESTALE, os.strerror(ESTALE))
                return call(descriptor, *given)

            return called

        opened, closed = os.open, os.close
        with pytest.MonkeyPatch.context() as patch:
            for name in _ON_DESCRIPTORS:
                patch.setattr(os, name, on_descriptor(getattr(os, name)))
            if not self._locks:
                patch.setattr(posix.fcntl, "flock", on_descriptor(posix.fcntl.flock))
            for name in _ON_NAMES:
                patch.setattr(os, name, on_name(getattr(os, name)))
            yield


def speak(agent: Any) -> None:
    asyncio.run(add(agent, text_message("two")))


def redact(agent: Any) -> None:
    agent.messages[-1] = {**agent.messages[-1], "content": [{"text": "[redacted]"}]}
    agent._session_manager.redact_latest_message(agent.messages[-1], agent)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell what is open")
@pytest.mark.parametrize(("do", "said"), [(speak, ["one", "two"]), (redact, ["[redacted]"])])
@pytest.mark.parametrize("locks", [True, False], ids=["locks stay", "locks go too"])
def test_a_manager_goes_on_once_its_file_system_is_back(tmp_path: Path, do: Any, said: list[str], locks: bool) -> None:
    at = 0
    while True:
        folder = tmp_path / str(at)
        agent = open_agent(folder)
        asyncio.run(add(agent, text_message("one")))
        system = FileSystem(folder, at, locks=locks)
        with system.mounted():
            with contextlib.suppress(SessionException):
                do(agent)
            if not system.was_away:
                break
            with contextlib.suppress(SessionException):  # what tells that it was away, if nothing did before
                asyncio.run(add(agent, text_message("three")))
            asyncio.run(add(agent, text_message("four")))
            assert texts_of(folder) == [*said, "three", "four"], f"step {at}"
            agent._session_manager.close()  # type: ignore[union-attr]
        at += 1
    assert at > 4
