"""A correct session manager that keeps a connection to its database for each thread, and has a thread of its own."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from strands.types.exceptions import SessionException

from .sqlite_manager import SCHEMA, SqliteManager


class _Connections(threading.local):
    """What the threads have open. It is closed when a thread has ended, and is collected."""

    database: sqlite3.Connection | None = None
    place: tuple[int, Path, int] | None = None


_CONNECTIONS = _Connections()


class ThreadConnectionsManager(SqliteManager):
    """A row a message in SQLite. Nobody closes a connection: it is let go of with its thread."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._thread = ThreadPoolExecutor(max_workers=1)

    async def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if not self._file.exists():
                self._file.touch(0o600)
            with self._connection() as database:
                yield database
        except (sqlite3.Error, OSError, ValueError, KeyError) as error:
            raise SessionException(f"session {self.session_id!r}: {self._file}: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        place = (os.getpid(), self._file, self._file.stat().st_ino)
        if _CONNECTIONS.database is None or _CONNECTIONS.place != place:
            database = sqlite3.connect(self._file, check_same_thread=False)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA secure_delete = ON")
            database.execute("PRAGMA synchronous = FULL")
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'agents'").fetchone():
                database.executescript(SCHEMA)
            _CONNECTIONS.database, _CONNECTIONS.place = database, place
        return _CONNECTIONS.database
