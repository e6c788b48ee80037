"""Files of database engines: what lies in free pages and logs is told apart from what is kept.

An engine frees the page of a row that is deleted as a file system frees the blocks of a file: the bytes stay until
something else needs the place, and nobody who asks the engine is given them. So a text in such a file is not kept for
that alone. What can be read here without the engine, the tables of SQLite, is read.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

_SQLITE = b"SQLite format 3\0"
_SQLITE_BESIDE = ("-journal", "-wal", "-shm")

_LOG_STRUCTURED = ("*.log", "*.ldb", "*.sst", "*.blob", "MANIFEST-*", "OPTIONS-*", "LOG", "LOG.old*", "CURRENT", "LOCK")
"""The names of what LevelDB and RocksDB keep in a folder."""


def kept(stored: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what is kept: files as they are, and instead of those of a database engine the rows that can be read.

    Args:
        stored: The contents of files and objects, by path or key, as ``Workspace.stored()`` returns them.

    Returns:
        Files that are no engine's, by path; the tables of each SQLite database, as ``{path}, table {name}``, with the
        values of all rows one after another. Files of LMDB, LevelDB, RocksDB, DuckDB and dbm are left out.
    """
    found: dict[str, bytes] = {}
    databases = {path for path, data in stored.items() if data.startswith(_SQLITE)}
    for path, data in stored.items():
        if path in databases:
            found.update(_tables_of(path, stored))
        elif not _is_beside(path, databases) and not _is_an_engines(path, data, stored):
            found[path] = data
    return found


def _is_beside(path: str, databases: set[str]) -> bool:
    return any(path == f"{database}{suffix}" for database in databases for suffix in _SQLITE_BESIDE)


def _tables_of(path: str, stored: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the values in each table of a SQLite database; the file as it is where SQLite cannot read it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        for suffix in ("", "-journal", "-wal"):  # the shared memory of others says nothing about a copy
            if f"{path}{suffix}" in stored:
                copy.with_name(f"copy{suffix}").write_bytes(stored[f"{path}{suffix}"])
        try:
            with contextlib.closing(sqlite3.connect(copy)) as database:
                database.text_factory = bytes
                return {f"{path}, table {name}": b"\n".join(_values(database, name)) for name in _tables(database)}
        except sqlite3.DatabaseError:
            return {path: stored[path]}


def _tables(database: sqlite3.Connection) -> list[str]:
    """Return the names of the tables; not of those in which a virtual one, as a search index, keeps what it made."""
    names = [
        (name.decode(), (sql or b"").upper())
        for name, sql in database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    ]
    virtual = [name for name, sql in names if sql.startswith(b"CREATE VIRTUAL")]
    return [
        name for name, _ in names if name not in virtual and not any(name.startswith(f"{owner}_") for owner in virtual)
    ]


def _values(database: sqlite3.Connection, table: str) -> Iterator[bytes]:
    quoted = table.replace('"', '""')
    for row in database.execute(f'SELECT * FROM "{quoted}"'):  # the name is the database's own
        for value in row:
            yield value if isinstance(value, bytes) else str(value).encode()


def _is_an_engines(path: str, data: bytes, stored: Mapping[str, bytes]) -> bool:
    return any(looks(path, data, stored) for looks in _ENGINES)


def _lmdb(_: str, data: bytes, __: Mapping[str, bytes]) -> bool:
    """The magic number of LMDB's first page (mdb.c, MDB_MAGIC), in either order of bytes."""
    return data[16:20] in (b"\xde\xc0\xef\xbe", b"\xbe\xef\xc0\xde")


def _duckdb(path: str, data: bytes, stored: Mapping[str, bytes]) -> bool:
    """The header of DuckDB's main file ("Internals: storage" of its documentation), and the log beside it."""
    own = stored.get(path[: -len(".wal")], b"") if path.endswith(".wal") else data
    return own[8:12] == b"DUCK"


def _log_structured(path: str, _: bytes, stored: Mapping[str, bytes]) -> bool:
    """A file beside a CURRENT that names a MANIFEST (LevelDB's doc/impl.md)."""
    place = PurePosixPath(path)
    current = stored.get(place.with_name("CURRENT").as_posix(), b"")
    return current.startswith(b"MANIFEST-") and any(fnmatchcase(place.name, name) for name in _LOG_STRUCTURED)


def _dbm(path: str, data: bytes, stored: Mapping[str, bytes]) -> bool:
    """What ``dbm.whichdb()`` of the standard library knows by its first bytes: GNU's, and Berkeley's beneath ndbm."""
    return data[:4] in _GNU or data[12:16] in _BERKELEY


_GNU = tuple(magic.to_bytes(4, order) for magic in (0x13579ACE, 0x13579ACD, 0x13579ACF) for order in ("little", "big"))
_BERKELEY = tuple(magic.to_bytes(4, order) for magic in (0x00061561, 0x00053162) for order in ("little", "big"))

_ENGINES: tuple[Callable[[str, bytes, Mapping[str, bytes]], bool], ...] = (_lmdb, _duckdb, _log_structured, _dbm)
