"""A correct session manager of another design: who writes has the session alone, until the agent stops.

Nobody can open it meanwhile, not even to read: so databases that lock, and leases on a session, have it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from strands.bidi.hooks import BidiAgentStopEvent
from strands.hooks import AfterInvocationEvent, HookOrder, HookRegistry
from strands.types.exceptions import SessionException

from .snapshot_manager import SnapshotFileManager


class LockingManager(SnapshotFileManager):
    """Locks its session from the first write until the agent has stopped, or a text agent's invocation has ended."""

    _lock: IO[bytes] | None = None

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        with self._alone():
            super().initialize(agent)

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry)
        for ends in (AfterInvocationEvent, BidiAgentStopEvent):
            registry.add_callback(ends, lambda event: self._let_go(), order=HookOrder.SDK_LAST + 1)

    async def in_background(self, work: Callable[[], None]) -> None:
        with self._alone(kept=True):
            await super().in_background(work)

    @contextmanager
    def _alone(self, *, kept: bool = False) -> Iterator[None]:
        had = self._lock is not None
        if not had:
            self._lock = self._locked()
        done = False
        try:
            yield
            done = True
        finally:
            if not done or not (had or kept):
                self._let_go()

    def _locked(self) -> IO[bytes]:
        lock = self._folder.with_suffix(".lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            file = os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT), "rb")
        except OSError as error:
            raise SessionException(f"session {self.session_id!r}: {lock} cannot be opened: {error}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise SessionException(f"session {self.session_id!r} is in use by another writer") from error
        return file

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
