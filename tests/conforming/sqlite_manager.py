"""A correct session manager of another design: one row a message in SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from session_conformance.reference_impl.codec import decode, encode
from strands.agent.state import AgentState
from strands.bidi.hooks import BidiAgentStopEvent, BidiBeforeConnectionRestartEvent
from strands.hooks import AgentInitializedEvent, HookOrder, HookRegistry, MessageAddedEvent, MessageUpdatedEvent
from strands.session import SessionManager
from strands.types.exceptions import SessionException

from .snapshot_manager import answered

SCHEMA = """
CREATE TABLE IF NOT EXISTS agents (session TEXT, agent TEXT, state BLOB, PRIMARY KEY (session, agent));
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT, agent TEXT, tracking_id TEXT, body BLOB
);
CREATE INDEX IF NOT EXISTS by_agent ON messages (session, agent, number);
"""


class SqliteManager(SessionManager[Any]):
    """Opens the database for each change, so that nothing is held that a test would have to close."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        if not session_id.strip() or "\0" in session_id:
            raise ValueError(f"{session_id!r} cannot name a session")
        self.session_id = session_id
        self._file = Path(storage_dir) / "sessions.db"
        self._agents: dict[str, bytes | None] = {}

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._file)
            try:
                database.execute("PRAGMA secure_delete = ON")
                database.execute("PRAGMA synchronous = FULL")
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'agents'").fetchone():
                    database.executescript(SCHEMA)
                with database:
                    yield database
            finally:
                database.close()
        except (sqlite3.Error, OSError) as error:
            raise SessionException(f"session {self.session_id!r}: {self._file}: {error}") from error

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        first, last = HookOrder.SDK_FIRST, HookOrder.SDK_LAST
        registry.add_callback(AgentInitializedEvent, lambda event: self.initialize(event.agent))
        registry.add_callback(
            MessageAddedEvent, lambda event: self.append_message(event.message, event.agent), order=first
        )
        registry.add_callback(MessageUpdatedEvent, lambda event: self._update(event.message, event.agent), order=first)
        for order in (first, last):
            registry.add_callback(
                [BidiAgentStopEvent, BidiBeforeConnectionRestartEvent],
                lambda event: self.sync_agent(event.agent),
                order=order,
            )

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if agent.agent_id in self._agents:
            raise SessionException(f"agent {agent.agent_id!r} is in session {self.session_id!r} already")
        key = (self.session_id, agent.agent_id)
        with self._database() as database:
            row = database.execute("SELECT state FROM agents WHERE session = ? AND agent = ?", key).fetchone()
            if row is None:
                self._agents[agent.agent_id] = None
                self._write_state(database, agent)
                for message in agent.messages:
                    self._insert(database, message, agent)
                return
            rows = database.execute(
                "SELECT body FROM messages WHERE session = ? AND agent = ? ORDER BY number", key
            ).fetchall()
        self._agents[agent.agent_id] = row[0]
        agent.state = AgentState(decode(row[0]))
        agent.messages = answered([decode(body) for (body,) in rows])

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        body = encode(message)
        with self._database() as database:
            self._insert(database, message, agent, body)
            self._write_state(database, agent)

    def _insert(self, database: sqlite3.Connection, message: Any, agent: Any, body: bytes | None = None) -> None:
        database.execute(
            "INSERT INTO messages (session, agent, tracking_id, body) VALUES (?, ?, ?, ?)",
            (self.session_id, agent.agent_id, message.get("tracking_id"), body or encode(message)),
        )

    def _update(self, message: Any, agent: Any) -> None:
        with self._database() as database:
            database.execute(
                "UPDATE messages SET body = ? WHERE session = ? AND agent = ? AND tracking_id = ?",
                (encode(message), self.session_id, agent.agent_id, message["tracking_id"]),
            )

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        if self._agents.get(agent.agent_id) != encode(agent.state.get()):
            with self._database() as database:
                self._write_state(database, agent)

    def _write_state(self, database: sqlite3.Connection, agent: Any) -> None:
        state = encode(agent.state.get())
        if self._agents.get(agent.agent_id) != state:
            database.execute("INSERT OR REPLACE INTO agents VALUES (?, ?, ?)", (self.session_id, agent.agent_id, state))
            self._agents[agent.agent_id] = state

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        self._update(redact_message, agent)
