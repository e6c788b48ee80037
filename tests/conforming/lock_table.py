"""A correct session manager whose engine keeps a table of its locks beside the one file that holds all sessions."""

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from .sqlite_manager import SqliteManager

_SLOTS = 64
_SLOT_BYTES = 16
_TURNS = itertools.count()


class LockTableManager(SqliteManager):
    """A row a message in SQLite. The table has the process that was last in each slot, and says nothing of sessions."""

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with super()._database() as database:
            table = self._file.with_name("locks")
            descriptor = os.open(table, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.ftruncate(descriptor, _SLOTS * _SLOT_BYTES)
                slot = next(_TURNS) % _SLOTS
                os.pwrite(descriptor, b"%015d\n" % os.getpid(), slot * _SLOT_BYTES)
            finally:
                os.close(descriptor)
            yield database
