"""A correct session manager of another design: one connection, opened with the manager and used on its thread alone."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from strands.types.exceptions import SessionException

from .sqlite_manager import SCHEMA, SqliteManager


class OneThreadManager(SqliteManager):
    """Keeps the connection that its constructor has opened, which ``sqlite3`` refuses on every other thread.

    It serves voice agents and ``agent.invoke_async()``. The SDK runs plain calls, ``agent("...")``, and direct tool
    calls on threads of its own: whoever wants those needs a connection for each.
    """

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if not self._file.exists():
                self._file.touch(0o600)
            self._connection = sqlite3.connect(self._file)
            try:
                self._connection.execute("PRAGMA secure_delete = ON")
                self._connection.execute("PRAGMA synchronous = EXTRA")
                if not self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'agents'").fetchone():
                    self._connection.executescript(SCHEMA)
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise SessionException(f"session {session_id!r}: {self._file}: {error}") from error

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._connection:
                yield self._connection
        except (sqlite3.Error, OSError, ValueError, KeyError) as error:
            raise SessionException(f"session {self.session_id!r}: {self._file}: {error}") from error

    async def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        work(*arguments)
