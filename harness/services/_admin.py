"""The connection that places are made and dropped with: kept, since each place takes two, and made again if it ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Admin:
    """A connection of the harness to a server.

    Args:
        connect: Makes it.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._connection: Any = None
        self._lock = threading.Lock()

    def do(self, work: Callable[[Any], T]) -> T:
        """Return what is done with the connection; if it fails, it is done once more with a new one.

        The server may have closed it, or have been killed. What it refuses, it refuses twice.
        """
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(Exception):
                    return work(self._connection)
                self._let_go()
            self._connection = self._connect()
            return work(self._connection)

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()


__all__ = ["Admin"]
