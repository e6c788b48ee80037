"""Plain stores: a session repository and a storage in SQLite, known to be right, beside which others are judged."""

from __future__ import annotations

import asyncio
import builtins
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ..sdk import (
    MultiAgentBase,
    SessionAgent,
    SessionException,
    SessionMessage,
    SessionRepository,
    SessionType,
    StorageError,
    StoredSession,
)
from ..timeline import from_json, same, to_json

T = TypeVar("T")

Row = tuple[str, str, str, int]
"""Where a value lies: its sort, two names, and a number. All that have the same sort and names are a group."""

_SCHEMA = """
BEGIN;
CREATE TABLE IF NOT EXISTS things (
    sort TEXT, one TEXT, two TEXT, number INTEGER, body BLOB, checksum INTEGER, PRIMARY KEY (sort, one, two, number)
);
CREATE TABLE IF NOT EXISTS counts (sort TEXT, one TEXT, two TEXT, amount INTEGER, PRIMARY KEY (sort, one, two));
COMMIT;
"""


class _Damaged(ValueError):
    """What is read is not what was written."""


class _Database:
    """Values in a SQLite file, each with a checksum, and each group with the number of its values.

    Args:
        file: The database.
        error: The SDK's exception for what cannot be read or written.
    """

    def __init__(self, file: Path, error: type[Exception]) -> None:
        self._file = file
        self._error = error

    @contextmanager
    def transaction(self, what: str, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
        """Open the database, and commit what is done in it, or nothing; errors say of what.

        Where nothing was ever written, what only reads finds an empty database and makes no file.
        """
        try:
            if writes:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            place = self._file if writes or self._file.exists() else ":memory:"
            database = sqlite3.connect(place, isolation_level=None)
            try:
                database.execute("PRAGMA secure_delete = ON")
                database.execute("PRAGMA synchronous = EXTRA")
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'counts'").fetchone():
                    database.executescript(_SCHEMA)
                database.execute("BEGIN IMMEDIATE")
                yield database
                database.execute("COMMIT")
            finally:
                database.close()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise self._error(f"{what}: {self._file}: {error}") from error

    def put(self, database: sqlite3.Connection, row: Row, body: bytes) -> None:
        """Write a value, in place of an older one."""
        if self.get(database, row) is None:
            database.execute("INSERT OR IGNORE INTO counts VALUES (?, ?, ?, 0)", row[:3])
            database.execute("UPDATE counts SET amount = amount + 1 WHERE sort = ? AND one = ? AND two = ?", row[:3])
        database.execute("INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?, ?)", (*row, body, _sum(row, body)))

    def get(self, database: sqlite3.Connection, row: Row) -> bytes | None:
        """Return a value, or None where there is none."""
        found = database.execute(
            "SELECT body, checksum FROM things WHERE sort = ? AND one = ? AND two = ? AND number = ?", row
        ).fetchone()
        if found is None:
            self.check_amount(database, row)
            return None
        return _checked(row, *found)

    def group(self, database: sqlite3.Connection, group: tuple[str, str, str]) -> list[tuple[int, bytes]]:
        """Return the values of a group by their numbers, in order."""
        found = database.execute(
            "SELECT number, body, checksum FROM things WHERE sort = ? AND one = ? AND two = ? ORDER BY number", group
        ).fetchall()
        self.check_amount(database, (*group, 0))
        return [(number, _checked((*group, number), body, checksum)) for number, body, checksum in found]

    def check_amount(self, database: sqlite3.Connection, row: Row) -> None:
        """Raise unless a group has as many values as were written."""
        where = "WHERE sort = ? AND one = ? AND two = ?"
        [here] = database.execute(f"SELECT COUNT(*) FROM things {where}", row[:3]).fetchone()
        [written] = database.execute(f"SELECT COALESCE(SUM(amount), 0) FROM counts {where}", row[:3]).fetchone()
        if here != written:
            raise _Damaged(f"of {row[:3]} there are {here} values, and {written} were written")


def _sum(row: Row, body: bytes) -> int:
    return zlib.crc32(repr(row).encode("utf-8", "surrogatepass") + body)


def _checked(row: Row, body: bytes, checksum: int) -> bytes:
    if not isinstance(body, bytes) or checksum != _sum(row, body):
        raise _Damaged(f"the checksum of {row} does not fit")
    return body


class PlainStorage:
    """A ``Storage`` of the SDK's protocol.

    Args:
        storage_dir: The folder to keep the database in.
    """

    def __init__(self, storage_dir: str) -> None:
        self._database = _Database(Path(storage_dir).absolute() / "storage.db", StorageError)

    async def write(self, key: str, data: bytes) -> None:
        """Store data under a key.

        Raises:
            StorageError: It cannot be written.
        """

        def work(database: sqlite3.Connection) -> None:
            self._database.put(database, ("key", _name(key), "", 0), bytes(data))

        await self._do(key, work, writes=True)

    async def read(self, key: str) -> bytes | None:
        """Return the data under a key, or None.

        Raises:
            StorageError: It cannot be read.
        """
        return await self._do(key, lambda database: self._database.get(database, ("key", _name(key), "", 0)))

    async def delete(self, key: str) -> None:
        """Remove the data under a key, if there is any.

        Raises:
            StorageError: It cannot be removed.
        """

        def work(database: sqlite3.Connection) -> None:
            for table in ("things", "counts"):
                database.execute(f"DELETE FROM {table} WHERE sort = 'key' AND one = ?", (_name(key),))

        await self._do(key, work)

    async def list(self, query: str = "") -> builtins.list[str]:
        """Return the keys that begin with a text, sorted.

        Raises:
            StorageError: They cannot be read.
        """

        def work(database: sqlite3.Connection) -> builtins.list[str]:
            found = database.execute("SELECT one FROM counts WHERE sort = 'key'").fetchall()
            return sorted(key for key in (json.loads(name) for (name,) in found) if key.startswith(query))

        return await self._do(query, work)

    async def _do(self, key: str, work: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> T:
        def in_transaction() -> T:
            with self._database.transaction(f"key {key!r}", writes=writes) as database:
                return work(database)

        return await asyncio.to_thread(in_transaction)


def _name(key: str) -> str:
    return json.dumps(key)  # ASCII, whatever the key is


class PlainRepository(SessionRepository):
    """A ``SessionRepository`` of the SDK's contract, graphs and swarms included.

    Args:
        storage_dir: The folder to keep the database in.
    """

    def __init__(self, storage_dir: str) -> None:
        self._database = _Database(Path(storage_dir).absolute() / "sessions.db", SessionException)

    def create_session(self, session: StoredSession, **kwargs: Any) -> StoredSession:
        """Store a new session.

        Raises:
            SessionException: There is one with its id, or it cannot be written.
        """
        row = ("session", _name(session.session_id), "", 0)
        with self._transaction(row, writes=True) as database:
            if self._database.get(database, row) is not None:
                raise SessionException(f"Session {session.session_id} already exists")
            self._database.put(database, row, _pack({**session.to_dict(), "session_type": session.session_type.value}))
        return session

    def read_session(self, session_id: str, **kwargs: Any) -> StoredSession | None:
        """Return a session, or None."""
        found = self._read(("session", _name(session_id), "", 0))
        return None if found is None else StoredSession(**{**found, "session_type": SessionType(found["session_type"])})

    def create_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        """Store a new agent."""
        self._write(_agent(session_id, session_agent.agent_id), vars(session_agent))

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        """Return an agent, or None."""
        found = self._read(_agent(session_id, agent_id))
        return None if found is None else SessionAgent(**found)

    def update_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        """Replace an agent, but for its ``created_at``.

        Raises:
            SessionException: There is none.
        """
        self._update(_agent(session_id, session_agent.agent_id), vars(session_agent))

    def create_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        """Store a new message."""
        self._write(_message(session_id, agent_id, session_message.message_id), _without_original(session_message))

    def read_message(self, session_id: str, agent_id: str, message_id: int, **kwargs: Any) -> SessionMessage | None:
        """Return a message, or None."""
        found = self._read(_message(session_id, agent_id, message_id))
        return None if found is None else SessionMessage(**found)

    def update_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        """Replace a message, but for its ``created_at``; a redaction replaces what it redacts.

        Raises:
            SessionException: There is none.
        """
        self._update(_message(session_id, agent_id, session_message.message_id), _without_original(session_message))

    def list_messages(
        self, session_id: str, agent_id: str, limit: int | None = None, offset: int = 0, **kwargs: Any
    ) -> list[SessionMessage]:
        """Return an agent's messages in the order of their ids."""
        group = _message(session_id, agent_id, 0)[:3]
        with self._transaction(group) as database:
            found = self._database.group(database, group)
        end = None if limit is None else offset + limit
        return [SessionMessage(**_unpack(body)) for _, body in found[offset:end]]

    def create_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        """Store the state of a new graph or swarm."""
        self._write(("multi", _name(session_id), _name(multi_agent.id), 0), multi_agent.serialize_state())

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        """Return the state of a graph or swarm, or None."""
        found: dict[str, Any] | None = self._read(("multi", _name(session_id), _name(multi_agent_id), 0))
        return found

    def update_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        """Replace the state of a graph or swarm.

        Raises:
            SessionException: There is none.
        """
        self._update(("multi", _name(session_id), _name(multi_agent.id), 0), multi_agent.serialize_state())

    def delete_session(self, session_id: str) -> None:
        """Remove a session and all that belongs to it.

        Raises:
            SessionException: There is none.
        """
        row = ("session", _name(session_id), "", 0)
        with self._transaction(row) as database:
            if self._database.get(database, row) is None:
                raise SessionException(f"Session {session_id} does not exist")
            for table in ("things", "counts"):
                database.execute(f"DELETE FROM {table} WHERE one = ?", (_name(session_id),))

    def _transaction(self, row: Sequence[Any], *, writes: bool = False) -> AbstractContextManager[sqlite3.Connection]:
        return self._database.transaction(f"session {json.loads(row[1])!r}", writes=writes)

    def _read(self, row: Row) -> Any:
        with self._transaction(row) as database:
            found = self._database.get(database, row)
        return None if found is None else _unpack(found)

    def _write(self, row: Row, value: dict[str, Any]) -> None:
        with self._transaction(row, writes=True) as database:
            self._database.put(database, row, _pack(value))

    def _update(self, row: Row, value: dict[str, Any]) -> None:
        with self._transaction(row) as database:
            before = self._database.get(database, row)
            if before is None:
                raise SessionException(f"there is no {row} to update")
            if "created_at" in value:
                value = {**value, "created_at": _unpack(before)["created_at"]}
            self._database.put(database, row, _pack(value))


class LeastRepository(PlainRepository):
    """A ``SessionRepository`` that does what the contract says and no more, where it leaves something open.

    Its messages are what the SDK's own ``to_dict()`` and ``from_dict()`` make of them, and the states of graphs and
    swarms are JSON, as ``serialize_state()`` promises.
    """

    def create_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        """Store a new message."""
        super().create_message(session_id, agent_id, _encoded_by_the_sdk(session_message))

    def update_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        """Replace a message."""
        super().update_message(session_id, agent_id, _encoded_by_the_sdk(session_message))

    def create_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        """Store the state of a new graph or swarm."""
        _expect_json(multi_agent.serialize_state())
        super().create_multi_agent(session_id, multi_agent)

    def update_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        """Replace the state of a graph or swarm."""
        _expect_json(multi_agent.serialize_state())
        super().update_multi_agent(session_id, multi_agent)


def _encoded_by_the_sdk(message: SessionMessage) -> SessionMessage:
    return SessionMessage.from_dict(_expect_json(message.to_dict()))


def _expect_json(value: dict[str, Any]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise SessionException(f"it has a value that JSON has no form for: {error}") from error
    return found


def _agent(session_id: str, agent_id: str) -> Row:
    return ("agent", _name(session_id), _name(agent_id), 0)


def _message(session_id: str, agent_id: str, id: Any) -> Row:
    if not isinstance(id, int) or isinstance(id, bool):
        raise ValueError(f"{id!r} is no message id: expected an integer")
    return ("message", _name(session_id), _name(agent_id), id)


def _without_original(message: SessionMessage) -> dict[str, Any]:
    return {**vars(message), "message": message.to_message(), "redact_message": None}


def _pack(value: Any) -> bytes:
    text = json.dumps(to_json(value), ensure_ascii=False, allow_nan=False)
    if not same(from_json(json.loads(text)), value):
        raise SessionException("it has a value that cannot be stored")
    return text.encode()


def _unpack(body: bytes) -> Any:
    return from_json(json.loads(body))


__all__ = ["LeastRepository", "PlainRepository", "PlainStorage"]
