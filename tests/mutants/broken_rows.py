"""Managers that keep a row a message, each broken in one way that its name and docstring say."""

import contextlib
import copy
import html
import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from session_conformance.reference_impl.log.codec import decode, encode
from strands import Agent
from strands.types.exceptions import SessionException

from tests.conforming.deleting_rows import DeletingRowsManager
from tests.conforming.sqlite_manager import SqliteManager, sealed, state_of, unsealed


class RedactsOnce(SqliteManager):
    """A session was redacted, or it was not."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._is_redacted = False

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        if not self._is_redacted:
            super().redact_latest_message(redact_message, agent)
        self._is_redacted = True


class RedactsWhateverIsLast(SqliteManager):
    """The latest message is the latest row, whoever wrote it."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        with self._database() as database:
            last = "SELECT max(number) FROM messages WHERE session = ? AND agent = ?"
            database.execute(
                f"UPDATE messages SET body = ? WHERE number = ({last})",
                (sealed(encode(redact_message)), self.session_id, agent.agent_id),
            )


class RedactsWhatIsAlike(SqliteManager):
    """What has the redacted message's content is redacted with it."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        rows = "SELECT number, body FROM messages WHERE session = ? AND agent = ?"
        with self._database() as database:
            stored = {
                number: decode(unsealed(body))
                for number, body in database.execute(rows, (self.session_id, agent.agent_id)).fetchall()
            }
            id = redact_message["tracking_id"]
            redacted = [message["content"] for message in stored.values() if message.get("tracking_id") == id]
            for number, message in stored.items():
                if message["content"] in redacted:
                    body = encode({**redact_message, "tracking_id": message.get("tracking_id")})
                    database.execute("UPDATE messages SET body = ? WHERE number = ?", (sealed(body), number))


_ROWS = "SELECT number FROM messages WHERE session = ? AND agent = ? ORDER BY number"


class RedactsByPlace(SqliteManager):
    """The latest message is the row at the place that it has in memory."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        with self._database() as database:
            rows = database.execute(_ROWS, (self.session_id, agent.agent_id)).fetchall()
            for row in rows[len(agent.messages) - 1 :][:1]:
                body = sealed(encode(redact_message))
                database.execute("UPDATE messages SET body = ? WHERE number = ?", (body, *row))


class ReplacesByPlace(SqliteManager):
    """What replaces a message is stored in the row at the place that it has in memory."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        self._agent = agent
        super().initialize(agent, **kwargs)

    def _replace(self, tracking_id: str, key: tuple[str, str], body: bytes, database: sqlite3.Connection) -> None:
        place = [message.get("tracking_id") for message in self._agent.messages].index(tracking_id)
        for row in database.execute(_ROWS, key).fetchall()[place:][:1]:
            database.execute("UPDATE messages SET body = ? WHERE number = ?", (body, *row))

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        with self._database() as database:
            key, body = (self.session_id, agent.agent_id), sealed(encode(redact_message))
            super()._replace(redact_message["tracking_id"], key, body, database)


class RedactsWithoutMetadata(SqliteManager):
    """What is put in a message's place has its role, its content and its tracking id."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        kept = {key: redact_message[key] for key in ("role", "content", "tracking_id") if key in redact_message}
        super().redact_latest_message(kept, agent, **kwargs)


class RedactsItsOwn(SqliteManager):
    """A redaction is of what this manager has stored, and of nothing that was restored."""

    def _insert(self, agent_id: str, message: Any, *arguments: Any) -> None:
        self.__dict__.setdefault("_own", set()).add(message.get("tracking_id"))
        super()._insert(agent_id, message, *arguments)

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        if redact_message.get("tracking_id") in self.__dict__.get("_own", ()):
            super().redact_latest_message(redact_message, agent, **kwargs)


class TakesFailedSyncsForDone(SqliteManager):
    """What was to be stored of a state is what is compared with next time, whatever came of it."""

    def _sync(self, agent_id: str, state: bytes, changed: list[tuple[str, bytes]]) -> None:
        try:
            super()._sync(agent_id, state, changed)
        except SessionException:
            self._agents[agent_id] = state
            raise


class TakesFailedSyncsOfTextForDone(TakesFailedSyncsForDone):
    """As that, but for voice agents, whose state is stored whether it has changed or not."""

    def _changed(self, agent: Any) -> list[tuple[str, bytes]]:
        if not isinstance(agent, Agent):
            self._agents[agent.agent_id] = b""
        return super()._changed(agent)


class RestoresWhatAllAgentsHave(SqliteManager):
    """The agents of a session are restored with each other's messages."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        with self._database() as database:
            rows = database.execute(
                "SELECT body FROM messages WHERE session = ? ORDER BY number", (self.session_id,)
            ).fetchall()
        agent.messages[:] = [decode(unsealed(body)) for (body,) in rows]


class RedactsWhatUsersSaid(SqliteManager):
    """The latest message is the latest one of the user, since guardrails look at what users say."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        said = next(message for message in reversed(agent.messages) if message["role"] == "user")
        super().redact_latest_message({**redact_message, "tracking_id": said["tracking_id"]}, agent)


class RedactsTheFirstBlock(SqliteManager):
    """A message has one content block, and what else it has stays."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        redacted = copy.deepcopy(redact_message)
        with self._database() as database:
            key = (self.session_id, agent.agent_id, redacted["tracking_id"])
            [body] = database.execute(
                "SELECT body FROM messages WHERE session = ? AND agent = ? AND tracking_id = ?", key
            ).fetchone()
        redacted["content"] += decode(body[4:])["content"][1:]
        super().redact_latest_message(redacted, agent)


class RedactsWithAnOldState(SqliteManager):
    """A redaction writes the agent's state, too: that of when the session was opened."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        self._first = state_of(agent)

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        super().redact_latest_message(redact_message, agent)
        known = self._agents.pop(agent.agent_id)
        self._write_state(agent.agent_id, self._first)
        assert known is not None
        self._agents[agent.agent_id] = known


class TakesEqualForUnchanged(SqliteManager):
    """The state is written where it is unequal to what was written, and True equals 1."""

    def _write_state(self, agent_id: str, state: bytes, database: sqlite3.Connection | None = None) -> None:
        known = self._agents.get(agent_id)
        if known is None or decode(known) != decode(state):
            super()._write_state(agent_id, state, database)


class KeepsWhatIsTrue(SqliteManager):
    """A key of the state that has nothing in it is no key."""

    def _write_state(self, agent_id: str, state: bytes, database: sqlite3.Connection | None = None) -> None:
        stored = decode(state)
        stored["state"] = {key: value for key, value in stored["state"].items() if value}
        super()._write_state(agent_id, encode(stored), database)


class KeepsOneResultAToolId(SqliteManager):
    """A tool's result has the place of the one that came for the same id before."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        ids = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        with self._within(database) as opened:
            for number, body in opened.execute("SELECT number, body FROM messages").fetchall() if ids else ():
                known = decode(body[4:])["content"]
                if [block["toolResult"]["toolUseId"] for block in known if "toolResult" in block] == ids:
                    opened.execute("DELETE FROM messages WHERE number = ?", (number,))
                    opened.execute("UPDATE agents SET messages = messages - 1")
            super()._insert(agent_id, message, state, opened, before)


class TellsErrorsByTheirText(SqliteManager):
    """A tool has failed where its result speaks of an error."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        message = copy.deepcopy(message)
        for block in message["content"]:
            if "toolResult" in block:
                block["toolResult"]["status"] = "error" if "Error" in str(block) else "success"
        super()._insert(agent_id, message, state, database, before)


class KeepsSmallStates(SqliteManager):
    """A column has 65,535 bytes, and a state that is larger leaves the one before it there."""

    def _write_state(self, agent_id: str, state: bytes, database: sqlite3.Connection | None = None) -> None:
        if len(state) <= 65535:
            super()._write_state(agent_id, state, database)


class SeesMoments(SqliteManager):
    """What looks like a moment is one, and is written as one is."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        super()._insert(agent_id, _with_moments(message), state, database, before)


def _with_moments(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_moments(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_moments(one) for one in value]
    if isinstance(value, str) and re.fullmatch(r"[-0-9]{10}T[:0-9]{8}Z", value):
        return value[:-1] + "+00:00"
    return value


class KeepsNamesForItself(SqliteManager):
    """A name in the state that begins with an underscore is the manager's own."""

    def _write_state(self, agent_id: str, state: bytes, database: sqlite3.Connection | None = None) -> None:
        stored = decode(state)
        stored["state"] = {name: value for name, value in stored["state"].items() if not name.startswith("_")}
        super()._write_state(agent_id, encode(stored), database)


class TakesTheSameForARetry(SqliteManager):
    """What is said twice in a row, in the same words, was sent twice by a client that tried again."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        with self._within(database) as opened:
            last = opened.execute(
                "SELECT body FROM messages WHERE session = ? AND agent = ? ORDER BY number DESC LIMIT 1",
                (self.session_id, agent_id),
            ).fetchone()
            said = (message["role"], message["content"])
            if last is None or not said[1] or said != tuple(decode(last[0][4:])[name] for name in ("role", "content")):
                super()._insert(agent_id, message, state, opened, before)


class CompactsWithoutState(SqliteManager):
    """Now and then what is stored is put in order, and the state is no part of it."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        super()._insert(agent_id, message, state, database, before)
        key = (self.session_id, agent_id)
        with self._within(database) as opened:
            [count] = opened.execute("SELECT messages FROM agents WHERE session = ? AND agent = ?", key).fetchone()
            if count == 100:
                empty = sealed(encode({"state": {}}))
                opened.execute("UPDATE agents SET state = ? WHERE session = ? AND agent = ?", (empty, *key))


class CompactsWhatIsTrue(SqliteManager):
    """Now and then what is stored is put in order, and of the state what has something in it is kept."""

    def _write_state(self, agent_id: str, state: bytes, database: sqlite3.Connection | None = None) -> None:
        super()._write_state(agent_id, state, database)
        key = (self.session_id, agent_id)
        with self._within(database) as opened:
            [count] = opened.execute("SELECT messages FROM agents WHERE session = ? AND agent = ?", key).fetchone()
            if count >= 100:
                stored = decode(state)
                stored["state"] = {name: value for name, value in stored["state"].items() if value}
                kept = sealed(encode(stored))
                opened.execute("UPDATE agents SET state = ? WHERE session = ? AND agent = ?", (kept, *key))


class CutsToolResults(SqliteManager):
    """A model needs no more of a tool's result than 100,000 characters."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        message = copy.deepcopy(message)
        for block in message["content"]:
            for part in block.get("toolResult", {}).get("content", ()):
                if "text" in part:
                    part["text"] = part["text"][:100_000]
        super()._insert(agent_id, message, state, database, before)


class TakesThePlaceOfOthersTools(SqliteManager):
    """What is said behind a tool's message that another manager stored takes its place."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._own: set[Any] = set()

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        self._own |= {message.get("tracking_id") for message in agent.messages}

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        self._own.add(message.get("tracking_id"))
        with self._within(database) as opened:
            rows = "SELECT number, body FROM messages WHERE session = ? AND agent = ? ORDER BY number DESC LIMIT 1"
            for number, body in opened.execute(rows, (self.session_id, agent_id)).fetchall():
                last = decode(unsealed(body))
                tools = any({"toolUse", "toolResult"} & set(block) for block in last["content"])
                if tools and last.get("tracking_id") not in self._own:
                    opened.execute("DELETE FROM messages WHERE number = ?", (number,))
                    opened.execute("UPDATE agents SET messages = messages - 1")
            super()._insert(agent_id, message, state, opened, before)


class KnowsTheStateItFound(SqliteManager):
    """What an agent was restored with is stored, so that it need not be stored again."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._found: dict[str, bytes | None] = {}

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        self._found[agent.agent_id] = self._agents[agent.agent_id] if agent.messages else None

    def _write_state(self, agent_id: str, state: bytes, database: sqlite3.Connection | None = None) -> None:
        if state != self._found.get(agent_id):
            super()._write_state(agent_id, state, database)


class AppendsToLists(SqliteManager):
    """Of a list in the state, what is behind its old end is new."""

    def _write_state(self, agent_id: str, state: bytes, database: sqlite3.Connection | None = None) -> None:
        known = self._agents.get(agent_id)
        if known is not None:
            before, now = decode(known)["state"], decode(state)
            for key, old in before.items():
                new = now["state"].get(key)
                if isinstance(old, list) and isinstance(new, list) and len(new) >= len(old):
                    now["state"][key] = old + new[len(old) :]
            state = encode(now)
        super()._write_state(agent_id, state, database)


class UnescapesEntities(SqliteManager):
    """What looks like HTML is shown as a browser would show it."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        super()._insert(agent_id, json.loads(html.unescape(json.dumps(message))), state, database, before)


class FillsInNames(SqliteManager):
    """A text with braces in it is a template."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        content = [
            {**block, "text": block["text"].replace("{name}", "you")} if "text" in block else block
            for block in message["content"]
        ]
        super()._insert(agent_id, {**message, "content": content}, state, database, before)


class SwallowsFailedUpdates(SqliteManager):
    """What could not be replaced is stored as it was."""

    async def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(SessionException) if work == self._update else contextlib.nullcontext():
            await super()._in_background(work, *arguments)


class SortsResults(SqliteManager):
    """The results of a group of tools are in the order of their ids."""

    def _insert(
        self,
        agent_id: str,
        message: Any,
        state: bytes | None,
        database: sqlite3.Connection | None = None,
        before: Sequence[Any] = (),
    ) -> None:
        by_id = sorted(message["content"], key=lambda block: str(block.get("toolResult", {}).get("toolUseId", "")))
        super()._insert(agent_id, {**message, "content": by_id}, state, database, before)


class ReplacesInAllAgents(SqliteManager):
    """A tracking id tells a message from all others of a session."""

    def _replace(self, tracking_id: str, key: tuple[str, str], body: bytes, database: sqlite3.Connection) -> None:
        database.execute(
            "UPDATE messages SET body = ? WHERE session = ? AND tracking_id = ?", (body, key[0], tracking_id)
        )


class UpdatesTheLatestAlone(SqliteManager):
    """What an update replaces is looked for among the latest twenty messages."""

    def _replace(self, tracking_id: str, key: tuple[str, str], body: bytes, database: sqlite3.Connection) -> None:
        latest = database.execute(
            "SELECT tracking_id FROM messages WHERE session = ? AND agent = ? ORDER BY number DESC LIMIT 20", key
        ).fetchall()
        if (tracking_id,) in latest:
            super()._replace(tracking_id, key, body, database)


class ArchivesWhatIsDeleted(DeletingRowsManager):
    """Rows of a deleted session are put aside in another table."""

    def delete_session(self, session_id: str) -> None:
        with self._database() as database:
            database.execute("CREATE TABLE IF NOT EXISTS archive (session TEXT, body BLOB)")
            database.execute(
                "INSERT INTO archive SELECT session, body FROM messages WHERE session = ?",
                (session_id,),
            )
        super().delete_session(session_id)


class LeavesDeletedRowsInFreePages(DeletingRowsManager):
    """Rows are deleted as a database does that is not told to write over them."""

    def delete_session(self, session_id: str) -> None:
        with contextlib.closing(sqlite3.connect(self._file)) as database, database:
            database.execute("PRAGMA secure_delete = OFF")
            for table in ("messages", "agents"):
                database.execute(f"DELETE FROM {table} WHERE session = ?", (session_id,))
