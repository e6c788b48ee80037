"""Managers that never end, each in one way: whoever judges them must."""

import asyncio
import atexit
import os
import threading
import time
from typing import Any

from session_conformance.reference_impl import FileSessionManager
from strands.hooks import HookRegistry, MessageAddedEvent

_GONE = threading.Lock()
_GONE.acquire()


def never() -> None:
    _GONE.acquire()


class WaitsBusily(FileSessionManager):
    def initialize(self, agent: Any, **kwargs: Any) -> None:
        while True:
            pass


class WaitsForALock(FileSessionManager):
    def initialize(self, agent: Any, **kwargs: Any) -> None:
        never()


class OpensNothing(FileSessionManager):
    def __init__(self, session_id: str, storage_dir: str) -> None:
        never()


class _Told(FileSessionManager):
    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry, **kwargs)
        registry.add_callback(MessageAddedEvent, self.told)

    async def told(self, event: Any) -> None:
        raise NotImplementedError


class AwaitsWhatNeverComes(_Told):
    async def told(self, event: Any) -> None:
        await asyncio.Event().wait()


class CannotBeCancelled(_Told):
    async def told(self, event: Any) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


class TriesForEver(_Told):
    async def told(self, event: Any) -> None:
        while True:
            await asyncio.sleep(0.01)


class WaitsInAThread(_Told):
    async def told(self, event: Any) -> None:
        await asyncio.to_thread(never)


class WaitsForItsFork(_Told):
    async def told(self, event: Any) -> None:
        process = os.fork()
        while process == 0:
            time.sleep(60)
        await asyncio.to_thread(os.waitpid, process, 0)


class NeverCloses(FileSessionManager):
    def close(self) -> None:
        never()


class NeverDeletes(FileSessionManager):
    def delete_session(self, session_id: str, **kwargs: Any) -> None:
        never()


class LeavesAThread(_Told):
    """Its thread is none of a daemon's, and does something for ever: the interpreter waits for it."""

    async def told(self, event: Any) -> None:
        threading.Thread(target=self._look, name="looks for ever", daemon=False).start()

    @staticmethod
    def _look() -> None:
        while True:
            time.sleep(0.01)


class LeavesAnExitHandler(_Told):
    async def told(self, event: Any) -> None:
        atexit.register(never)
