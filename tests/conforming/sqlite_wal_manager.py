"""A correct session manager of another design: SQLite with a write-ahead log, which other databases have, too."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from strands.types.exceptions import SessionException

from .sqlite_manager import SCHEMA, SqliteManager


class SqliteWalManager(SqliteManager):
    """Commits to a log, which is moved to the database when the last connection is closed."""

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if not self._file.exists():
                self._file.touch(0o600)  # SQLite gives the files beside it the same mode
            database = sqlite3.connect(self._file)
            try:
                database.execute("PRAGMA secure_delete = ON")
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = FULL")
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'agents'").fetchone():
                    database.executescript(SCHEMA)
                with database:
                    yield database
            finally:
                database.close()
        except (sqlite3.Error, OSError, ValueError, KeyError) as error:
            raise SessionException(f"session {self.session_id!r}: {self._file}: {error}") from error
