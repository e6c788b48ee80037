"""A correct session manager of another design: who writes has the session alone, until the agent stops.

Nobody can open it meanwhile, not even to read: so databases that lock, and leases on a session, have it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from strands.bidi.hooks import BidiAgentStopEvent
from strands.hooks import AfterInvocationEvent, BeforeInvocationEvent, HookOrder, HookRegistry
from strands.types.exceptions import SessionException

from .snapshot_manager import SnapshotFileManager


class LockingManager(SnapshotFileManager):
    """Locks its session from the first write until the agent has stopped, or a text agent's invocation has ended.

    What is written after that is written under a lock of its own.
    """

    _lock: IO[bytes] | None = None
    _ended = False

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        with self._alone():
            super().initialize(agent)

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        registry.add_callback(BeforeInvocationEvent, lambda event: setattr(self, "_ended", False))
        super().register_hooks(registry)
        for ends in (AfterInvocationEvent, BidiAgentStopEvent):
            registry.add_callback(ends, self._ends, order=HookOrder.SDK_LAST + 1)

    def on_stop(self, event: Any) -> None:
        try:
            super().on_stop(event)
        except BaseException:  # nobody calls the hooks that come after it
            self._ended = True
            self._let_go()
            raise

    async def _ends(self, event: Any) -> None:
        self._ended = True
        await super().in_background(self._let_go)

    async def in_background(self, work: Callable[[], None]) -> None:
        def locked() -> None:
            with self._alone(kept=not self._ended):
                work()

        await super().in_background(locked)

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
            if not os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                raise FileNotFoundError("whoever had it has just removed it")
        except OSError as error:
            file.close()
            raise SessionException(f"session {self.session_id!r} is in use by another writer: {error}") from error
        return file

    def _let_go(self) -> None:
        if self._lock is not None:
            self._folder.with_suffix(".lock").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None
