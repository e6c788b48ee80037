"""Managers with one fault each of the kinds that a soak is for, made of a correct one that keeps its data in SQLite."""

import sqlite3
from typing import Any

from tests.conforming.sqlite_manager import SqliteManager, encode, sealed


class Deleting(SqliteManager):
    """The correct one, which can delete its session."""

    def delete_session(self, session_id: str, **_: Any) -> None:
        with self._database() as database:
            database.execute("DELETE FROM messages WHERE session = ?", (session_id,))
            database.execute("DELETE FROM agents WHERE session = ?", (session_id,))


class Losing(Deleting):
    """Forgets one message in three, and says that it has stored it."""

    told = 0

    def _insert(self, agent_id: str, message: Any, state: Any, database: Any = None, *how: Any) -> None:
        type(self).told += 1
        if self.told % 3:
            super()._insert(agent_id, message, state, database, *how)


class Doubling(Deleting):
    """Stores what has an even number of letters twice."""

    def _insert(self, agent_id: str, message: Any, state: Any, database: Any = None, *how: Any) -> None:
        super()._insert(agent_id, message, state, database, *how)
        if len(encode(message)) % 2 == 0:
            super()._insert(agent_id, {**message, "tracking_id": None}, None, database)


class MixingUp(Deleting):
    """Stores some messages in a session that is not theirs."""

    def _insert(self, agent_id: str, message: Any, state: Any, database: Any = None, *how: Any) -> None:
        super()._insert(agent_id, message, state, database, *how)
        if len(encode(message)) % 2 == 0:
            with self._database() as opened:
                row = opened.execute("SELECT session FROM agents WHERE session != ?", (self.session_id,)).fetchone()
                if row is not None:
                    body = (row[0], agent_id, None, sealed(encode(message)))
                    opened.execute("INSERT INTO messages (session, agent, tracking_id, body) VALUES (?, ?, ?, ?)", body)
                    opened.execute("UPDATE agents SET messages = messages + 1 WHERE session = ?", (row[0],))


class Disordering(Deleting):
    """Puts each second message ahead of all."""

    def _insert(self, agent_id: str, message: Any, state: Any, database: Any = None, *how: Any) -> None:
        super()._insert(agent_id, message, state, database, *how)
        with self._database() as opened:
            opened.execute("UPDATE messages SET number = -number WHERE number % 2 = 0 AND number > 0")


class Leaking(Deleting):
    """Says that it has deleted a session, and has not."""

    def delete_session(self, session_id: str, **_: Any) -> None:
        """Do nothing."""


class Unredacting(Deleting):
    """Says that it has redacted a message, and has not."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **_: Any) -> None:
        """Do nothing."""


class Tearing(Deleting):
    """Stores a message, and says transactions later how many there are: a kill comes between.

    What lies between is synced as a message is, so that it is most of the time in which a kill can come.
    """

    def _insert(self, agent_id: str, message: Any, state: Any, database: Any = None, *how: Any) -> None:
        key = (self.session_id, agent_id)
        if database is not None or self._is_there(message, key):
            super()._insert(agent_id, message, state, database, *how)
            return
        with sqlite3.connect(self._file, isolation_level=None) as opened:
            body = (*key, message.get("tracking_id"), sealed(encode(message)))
            opened.execute("INSERT INTO messages (session, agent, tracking_id, body) VALUES (?, ?, ?, ?)", body)
            opened.execute("CREATE TABLE IF NOT EXISTS written (times INTEGER)")
            for times in range(6):
                opened.execute("INSERT INTO written (times) VALUES (?)", (times,))
        opened.close()
        with self._database() as again:
            again.execute("UPDATE agents SET messages = messages + 1 WHERE session = ? AND agent = ?", key)

    def _is_there(self, message: Any, key: tuple[str, str]) -> bool:
        with self._database() as opened:
            return self._is_last(message.get("tracking_id"), key, opened)
