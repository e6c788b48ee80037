"""A correct session manager of another design: one row a message in SQLite."""

import asyncio
import copy
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from session_conformance.reference_impl.log.codec import decode, encode
from strands import Agent, Snapshot
from strands.agent.state import AgentState
from strands.bidi.hooks import BidiAgentStopEvent, BidiBeforeConnectionRestartEvent
from strands.hooks import (
    AfterInvocationEvent,
    AgentInitializedEvent,
    HookOrder,
    HookRegistry,
    MessageAddedEvent,
    MessageUpdatedEvent,
)
from strands.session import SessionManager
from strands.types.exceptions import SessionException

from .snapshot_manager import answered, check_message

SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS agents (
    session TEXT, agent TEXT, state BLOB, messages INTEGER DEFAULT 0, PRIMARY KEY (session, agent)
);
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT, agent TEXT, tracking_id TEXT, body BLOB
);
CREATE INDEX IF NOT EXISTS by_agent ON messages (session, agent, number);
COMMIT;
"""


_WRITER = ThreadPoolExecutor(max_workers=1)


class SqliteManager(SessionManager[Any]):
    """Opens the database for each change, so that nothing is held that a test would have to close."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        if not session_id.strip() or "\0" in session_id:
            raise ValueError(f"{session_id!r} cannot name a session")
        self.session_id = session_id
        self._file = Path(storage_dir).absolute() / "sessions.db"
        self._agents: dict[str, bytes | None] = {}
        self._bodies: dict[tuple[str, Any], bytes] = {}

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if not self._file.exists():
                self._file.touch(0o600)  # SQLite gives the files beside it the same mode
            database = sqlite3.connect(self._file)
            try:
                database.execute("PRAGMA secure_delete = ON")
                database.execute("PRAGMA synchronous = EXTRA")
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'agents'").fetchone():
                    database.executescript(SCHEMA)
                with database:
                    yield database
            finally:
                database.close()
        except (sqlite3.Error, OSError, ValueError, KeyError) as error:
            raise SessionException(f"session {self.session_id!r}: {self._file}: {error}") from error

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        first, last = HookOrder.SDK_FIRST, HookOrder.SDK_LAST

        async def added(event: Any) -> None:
            check_message(event.message)
            before = event.agent.messages[-2:-1] if isinstance(event.agent, Agent) else []
            await self._in_background(
                self._insert, event.agent.agent_id, copy.deepcopy(event.message), state(event), None, before
            )

        async def updated(event: Any) -> None:
            await self._in_background(self._update, event.agent.agent_id, copy.deepcopy(event.message))

        async def changed(event: Any) -> None:
            await self._in_background(self._sync, event.agent.agent_id, state(event), self._changed(event.agent))

        def state(event: Any) -> bytes:
            return state_of(event.agent)

        registry.add_callback(AfterInvocationEvent, changed, order=last)
        registry.add_callback(AgentInitializedEvent, lambda event: self.initialize(event.agent))
        registry.add_callback(MessageAddedEvent, added, order=first)
        registry.add_callback(MessageUpdatedEvent, updated, order=first)
        for order in (first, last):
            registry.add_callback([BidiAgentStopEvent, BidiBeforeConnectionRestartEvent], changed, order=order)

    async def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(_WRITER, work, *arguments)

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if agent.agent_id in self._agents:
            raise SessionException(f"agent {agent.agent_id!r} is in session {self.session_id!r} already")
        key = (self.session_id, agent.agent_id)
        with self._database() as database:
            database.execute("BEGIN")  # all that is read is of one moment
            problem = database.execute("PRAGMA integrity_check").fetchone()[0]
            if problem != "ok":
                raise OSError(problem)
            row = database.execute("SELECT state, messages FROM agents WHERE session = ? AND agent = ?", key).fetchone()
            if row is None:
                database.rollback()  # whoever has read cannot wait for others to write: they would wait for each other
                database.execute("BEGIN IMMEDIATE")
                state = state_of(agent)
                database.execute(
                    "INSERT INTO agents (session, agent, state) VALUES (?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET state = excluded.state",
                    (*key, sealed(state)),
                )
                for message in agent.messages:
                    self._insert(agent.agent_id, message, None, database)
            else:
                rows = database.execute(
                    "SELECT body FROM messages WHERE session = ? AND agent = ? ORDER BY number", key
                ).fetchall()
                if len(rows) != row[1]:
                    raise OSError(f"there are {len(rows)} messages instead of {row[1]}")
                state = unsealed(row[0])
                restore(agent, decode(state), [decode(unsealed(body)) for (body,) in rows])
                self._changed(agent)  # so that what is changed from now on is told from this
        self._agents[agent.agent_id] = state

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        self._insert(agent.agent_id, message, state_of(agent))

    @contextmanager
    def _within(self, database: sqlite3.Connection | None) -> Iterator[sqlite3.Connection]:
        if database is not None:
            yield database
        else:
            with self._database() as opened:
                yield opened

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        body = sealed(encode(message))
        key = (self.session_id, agent_id)
        with self._within(database) as opened:
            if self._is_last(message.get("tracking_id"), key, opened):
                self._replace(message["tracking_id"], key, body, opened)
                return
            for one in before:  # what stands behind it in storage was taken back (load_snapshot)
                self._delete_behind(one.get("tracking_id"), key, opened)
            opened.execute(
                "INSERT INTO messages (session, agent, tracking_id, body) VALUES (?, ?, ?, ?)",
                (*key, message.get("tracking_id"), body),
            )
            counted = opened.execute(
                "UPDATE agents SET messages = messages + 1 WHERE session = ? AND agent = ?", key
            ).rowcount
            self._check_is_there(counted)
            if state is not None:
                self._write_state(agent_id, state, opened)
        if state is not None and database is None:  # what is not committed may be rolled back
            self._agents[agent_id] = state

    def _delete_behind(self, tracking_id: str | None, key: tuple[str, str], database: sqlite3.Connection) -> None:
        number = database.execute(
            "SELECT max(number) FROM messages WHERE session = ? AND agent = ? AND tracking_id = ?", (*key, tracking_id)
        ).fetchone()[0]
        if number is not None:
            deleted = database.execute(
                "DELETE FROM messages WHERE session = ? AND agent = ? AND number > ?", (*key, number)
            ).rowcount
            database.execute(
                "UPDATE agents SET messages = messages - ? WHERE session = ? AND agent = ?", (deleted, *key)
            )

    def _is_last(self, tracking_id: str | None, key: tuple[str, str], database: sqlite3.Connection) -> bool:
        """Whether the last message has a tracking id: what is added with it has more of the same message."""
        last = database.execute(
            "SELECT tracking_id FROM messages WHERE session = ? AND agent = ? ORDER BY number DESC LIMIT 1", key
        ).fetchone()
        return last is not None and tracking_id is not None and last[0] == tracking_id

    def _replace(self, tracking_id: str, key: tuple[str, str], body: bytes, database: sqlite3.Connection) -> None:
        database.execute(
            "UPDATE messages SET body = ? WHERE session = ? AND agent = ? AND tracking_id = ?",
            (body, *key, tracking_id),
        )

    def _update(self, agent_id: str, message: Any) -> None:
        with self._database() as database:
            self._replace(message["tracking_id"], (self.session_id, agent_id), sealed(encode(message)), database)

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        self._sync(agent.agent_id, state_of(agent), self._changed(agent))

    def _changed(self, agent: Any) -> list[tuple[str, bytes]]:
        """Return the messages that were changed in place, as a conversation manager does that cuts tools' results."""
        changed = []
        for message in agent.messages if isinstance(agent, Agent) else ():
            body, key = encode(message), (agent.agent_id, message.get("tracking_id"))
            if self._bodies.setdefault(key, body) != body:
                self._bodies[key] = body
                changed.append((message["tracking_id"], sealed(body)))
        return changed

    def _sync(self, agent_id: str, state: bytes, changed: list[tuple[str, bytes]]) -> None:
        for tracking_id, body in changed:
            with self._database() as database:
                self._replace(tracking_id, (self.session_id, agent_id), body, database)
        self._write_state(agent_id, state)

    def _write_state(self, agent_id: str, state: bytes, database: sqlite3.Connection | None = None) -> None:
        if self._agents.get(agent_id) != state:
            with self._within(database) as opened:
                written = opened.execute(
                    "UPDATE agents SET state = ? WHERE session = ? AND agent = ?",
                    (sealed(state), self.session_id, agent_id),
                ).rowcount
                self._check_is_there(written)
            if database is None:
                self._agents[agent_id] = state

    def _check_is_there(self, rows: int) -> None:
        if not rows:  # what is written now would be the next beginning's, which does not know of it
            raise SessionException(f"session {self.session_id!r} was deleted while an agent had it open")

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        self._update(agent.agent_id, redact_message)


def state_of(agent: Any) -> bytes:
    """Return what is stored of an agent beside its messages."""
    stored: dict[str, Any] = {"state": agent.state.get()}
    if isinstance(agent, Agent):
        stored["rest"] = agent.take_snapshot(preset="session", exclude=["messages", "state"]).data
        pinned = [number for number, message in enumerate(agent.messages) if is_pinned(message)]
        if pinned:  # what a conversation manager keeps stands ahead of what it has not reached so far
            ahead, behind = agent.messages[: pinned[-1] + 1], agent.messages[pinned[-1] + 1 :]
            summary = stored["rest"]["conversation_manager_state"].get("summary_message")
            if summary is not None and behind and behind[0].get("tracking_id") == summary["tracking_id"]:
                ahead, behind = [*ahead, behind[0]], behind[1:]
            stored |= {"ahead": ahead, "behind": behind[0]["tracking_id"] if behind else None}
    return encode(stored)


def is_pinned(message: Any) -> bool:
    return ((message.get("metadata") or {}).get("custom") or {}).get("pinned") is True


def restore(agent: Any, stored: dict[str, Any], messages: list[Any]) -> None:
    agent.state = AgentState(stored["state"])
    if not isinstance(agent, Agent):
        agent.messages = answered(messages)
        return
    agent.load_snapshot(Snapshot(scope="agent", schema_version="1.0", data=stored["rest"], app_data={}))
    if agent.model.stateful:
        return  # the model keeps what was said
    if "ahead" in stored:
        ids = [message.get("tracking_id") for message in messages]
        agent.messages = stored["ahead"] + (messages[ids.index(stored["behind"]) :] if stored["behind"] else [])
        return
    before = agent.conversation_manager.restore_from_session(stored["rest"]["conversation_manager_state"]) or []
    agent.messages = before + messages[agent.conversation_manager.removed_message_count :]


def sealed(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big") + data


def unsealed(data: bytes) -> bytes:
    if zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:
        raise ValueError("a checksum does not fit")
    return data[4:]
