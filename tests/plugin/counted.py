"""A session manager that counts itself and its connections, and violates many a requirement, as the SDK's does."""

import os
import weakref
from pathlib import Path
from typing import Any, ClassVar

from strands.session import FileSessionManager


class Connection:
    """What a manager has until it is closed."""

    open: ClassVar["weakref.WeakSet[Connection]"] = weakref.WeakSet()

    def __init__(self) -> None:
        self.is_closed = False
        self.open.add(self)


class Counted(FileSessionManager):
    """Has a connection until it is closed."""

    alive: ClassVar["weakref.WeakSet[Counted]"] = weakref.WeakSet()

    def __init__(self, session_id: str, storage_dir: str, **kwargs: Any) -> None:
        super().__init__(session_id, storage_dir=storage_dir)
        self.connection = Connection()
        self.alive.add(self)
        self._note("opened")

    def close(self) -> None:
        self.connection.is_closed = True
        self._note("closed")

    def _note(self, what: str) -> None:
        log = os.environ.get("COUNTED_LOG")
        if log:
            with Path(log).open("a") as file:
                file.write(f"{os.getpid()} {what}\n")

    @classmethod
    def count(cls) -> tuple[int, int]:
        """Return how many managers are alive, and how many connections are open."""
        return len(cls.alive), sum(not one.is_closed for one in Connection.open)


class CountedLater(Counted):
    """Is closed by a coroutine."""

    close = None  # type: ignore[assignment]

    async def aclose(self) -> None:
        self.connection.is_closed = True


class CountedWhenLeft(Counted):
    """Is closed where it is left."""

    close = None  # type: ignore[assignment]

    def __enter__(self) -> "CountedWhenLeft":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.is_closed = True
