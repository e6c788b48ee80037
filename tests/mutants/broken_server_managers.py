"""Managers on servers, each broken in one way that its name and docstring say."""

import asyncio
import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import redis
from session_conformance.reference_impl.log.codec import encode
from strands.types.exceptions import SessionException

from tests.conforming.deleting_redis import DeletingRedisManager
from tests.conforming.server_managers import (
    ATTEMPTS,
    Change,
    DynamoManager,
    ExpiringDynamoManager,
    PostgresManager,
    RedisManager,
    RedisTeams,
)
from tests.conforming.sqlite_manager import sealed

T = TypeVar("T")


class LosesWhatItCannotSend(RedisManager):
    """Says nothing of a change that could not be sent, as a cache may."""

    def _change(self, agent_id: str, *changes: Change) -> None:
        with suppress(SessionException):
            super()._change(agent_id, *changes)

    def may_be_sent_again(self, error: Exception) -> bool:
        return False


class TakesRefusalsForDone(RedisManager):
    """Looks for answers that do not come, and at none that says no."""

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        with suppress(redis.ResponseError):
            super().store(agent_id, id, changes)


class WritesWholeHistories(RedisManager):
    """Reads what is stored, adds to it, and writes it all in a transaction, whatever was stored in between."""

    async def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        await asyncio.to_thread(work, *arguments)

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        found = self.load(agent_id)
        _, messages, places, state_key = self.keys(agent_id)
        state, bodies = found or (b"", [])
        ids = [key.decode() for key, _ in sorted(self._client.hgetall(places).items(), key=lambda one: int(one[1]))]
        for kind, tracking_id, body in changes:
            if kind == "state":
                state = body
            elif tracking_id in ids and (kind == "replace" or ids[-1] == tracking_id):
                bodies[ids.index(tracking_id)] = body
            elif kind == "append":
                bodies.append(body)
                ids.append(tracking_id)
        writing = self._client.pipeline(transaction=True).set(state_key, state).delete(messages, places)
        if bodies:
            writing.rpush(messages, *bodies).hset(places, mapping={id: number for number, id in enumerate(ids)})
        writing.execute()


class DeletesItsIndexFirst(DeletingRedisManager):
    """Deletes the index before the keys that it names: what is killed in between deletes them never."""

    def delete_session(self, session_id: str) -> None:
        def delete() -> None:
            keys = self._client.smembers(self.index(session_id))
            self._client.delete(self.index(session_id))
            for key in keys:
                self._client.delete(key)

        self.attempt(delete)


class PutsAsideWhatIsDeleted(DeletingRedisManager):
    """Gives the keys of a deleted session other names, so that it can be brought back."""

    def delete_session(self, session_id: str) -> None:
        def delete() -> None:
            for key in self._client.smembers(self.index(session_id)):
                if self._client.exists(key):
                    self._client.rename(key, b"deleted:" + key)
            self._client.delete(self.index(session_id))

        self.attempt(delete)


class DeletesWhatAPageShows(RedisTeams):
    """Deletes the keys of a session that are on the first page of all keys."""

    def delete_session(self, session_id: str) -> None:
        def delete() -> None:
            keys = sorted(self._client.scan_iter())[:100]  # as of a server that gives them in order
            mine = [key for key in keys if key.startswith(f"{quote(session_id, safe='')}:".encode())]
            if mine:
                self._client.delete(*mine)

        self.attempt(delete)


class TakesUnreadableTeamsForNew(RedisTeams):
    """A team whose state cannot be read begins anew."""

    def initialize_multi_agent(self, source: Any, **kwargs: Any) -> None:
        with suppress(SessionException):
            super().initialize_multi_agent(source, **kwargs)


class ListensForItsServer(RedisManager):
    """Keeps a socket for each change that could not be sent, to hear of it when the server is back."""

    listening: ClassVar[list[socket.socket]] = []

    def _change(self, agent_id: str, *changes: Change) -> None:
        try:
            super()._change(agent_id, *changes)
        except SessionException:
            self.listening.append(socket.socket())
            raise


class SendsAgainAsNew(RedisManager):
    """Sends a change again, when its answer was lost, as if it had never been sent."""

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        super().store(agent_id, uuid.uuid4().hex, [c._replace(tracking_id="") for c in changes])


class InsertsAgain(PostgresManager):
    """Inserts a row again, when the answer to its commit was lost."""

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        super().store(agent_id, uuid.uuid4().hex, changes)

    def _append(self, key: tuple[str, str], change: Change) -> None:
        self._connection.execute(
            "INSERT INTO messages (session, agent, tracking_id, body) VALUES (%s, %s, %s, %s)",
            (*key, change.tracking_id, change.body),
        )


class KeepsItsConnection(PostgresManager):
    """Never makes a second connection."""

    def close(self) -> None:
        """Keep it."""

    def connect(self) -> None:
        if self._connection is None:
            super().connect()


class GivesUpForGood(RedisManager):
    """Takes a server that was away once for one that is away for good."""

    given_up = False

    def attempt(self, work: Callable[[], T]) -> T:
        if self.given_up:
            raise SessionException("the server is away")
        try:
            return super().attempt(work)
        except SessionException:
            self.given_up = True
            raise


class TakesAFailedReadForNoSession(RedisManager):
    """Begins anew where the session could not be read."""

    def attempt(self, work: Callable[[], Any]) -> Any:
        try:
            return super().attempt(work)
        except SessionException:
            return None


class BeginsAnewWhereReadsFail(RedisManager):
    """Begins anew where it gave up reading, though what it sends then arrives, as where reads are throttled."""

    def load(self, agent_id: str) -> tuple[bytes, list[bytes]] | None:
        for _ in range(ATTEMPTS):
            with suppress(*self.failures):
                self.connect()
                return super().load(agent_id)
            self.close()
        self.connect()
        return None


class WaitsOnTheLoop(RedisManager):
    """Waits for the server on the event loop's thread."""

    async def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        await asyncio.sleep(0)
        work(*arguments)


class TriesOnce(PostgresManager):
    """Takes a connection that ended for a server that failed."""

    def may_be_sent_again(self, error: Exception) -> bool:
        return False


class SendsLaterWhatFailed(TriesOnce):
    """Tells of an error where a connection had ended, and sends what could not be sent with the next change."""

    waiting: tuple[Change, ...] = ()

    def _change(self, agent_id: str, *changes: Change) -> None:
        self.waiting += changes
        super()._change(agent_id, *self.waiting)
        self.waiting = ()


class AsksForEachMessage(RedisManager):
    """Asks for each message of a history by itself."""

    def load(self, agent_id: str) -> tuple[bytes, list[bytes]] | None:
        _, messages, _, state = self.keys(agent_id)
        found = self._client.get(state)
        bodies = [self._client.lindex(messages, number) for number in range(self._client.llen(messages))]
        return None if found is None else (found, bodies)


class ReadsAllBeforeEachMessage(RedisManager):
    """Looks through all messages, one by one, before it adds one."""

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        _, messages, _, _ = self.keys(agent_id)
        for number in range(self._client.llen(messages)):
            self._client.lindex(messages, number)
        super().store(agent_id, id, changes)


class ConnectsForEachMessage(PostgresManager):
    """Makes a connection for each change."""

    def connect(self) -> None:
        self.close()
        super().connect()


class ReadsWhatMayBeLate(DynamoManager):
    """Reads without asking for consistency."""

    consistent = False


class LeavesConnectionsOpen(RedisManager):
    """Keeps its connection in a pool of the process that nobody takes one from."""

    pool: ClassVar[list[Any]] = []

    def close(self) -> None:
        self.pool.append(self._client)
        self._client = None


class ExpiresPieceByPiece(RedisManager):
    """Gives each message an hour of its own, as a cache does."""

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        _, messages, _, state = self.keys(agent_id)
        for change in changes:
            key = state if change.kind == "state" else f"{messages}:{change.tracking_id}"
            if change.kind == "append" and not self._client.exists(key):
                self._client.rpush(messages, key)
            self._client.set(key, change.body, ex=3600)
        self._client.expire(state, 3600)

    def load(self, agent_id: str) -> tuple[bytes, list[bytes]] | None:
        _, messages, _, state = self.keys(agent_id)
        found, keys = self._client.get(state), self._client.lrange(messages, 0, -1)
        return None if found is None else (found, [body for body in self._client.mget(["", *keys]) if body])


class ExpiresItemByItem(ExpiringDynamoManager):
    """Gives each item an hour of its own, and takes what is left for the session."""

    def expires(self, found: list[Any]) -> dict[str, Any]:
        return super().expires([])


class SaysHowItConnects(PostgresManager):
    """Tells of the URL where it cannot connect, as drivers do of their arguments."""

    def attempt(self, work: Callable[[], T]) -> T:
        try:
            return super().attempt(work)
        except SessionException as error:
            raise SessionException(f"cannot reach {self._url}") from error


class CommitsWithTheNext(PostgresManager):
    """Acknowledges a change that it commits together with the next one, or when the agent stops."""

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        self._connection.commit()
        self._connection.execute("INSERT INTO changes VALUES (%s) ON CONFLICT DO NOTHING", (id,))
        for change in changes:
            getattr(self, f"_{change.kind}")((self.session_id, agent_id), change)

    def _sync(self, agent_id: str, state: bytes, changed: list[tuple[str, bytes]]) -> None:
        super()._sync(agent_id, state, changed)
        self.attempt(lambda: self._connection.commit())


class SendsWithTheNext(RedisManager):
    """Sends a message together with the next one, to save a round trip."""

    waiting: tuple[Change, ...] = ()

    def _insert(self, agent_id: str, message: Any, state: bytes | None, database: Any = None, before: Any = ()) -> None:
        sent, self.waiting = (
            self.waiting,
            (Change("append", message.get("tracking_id") or "", sealed(encode(message))),),
        )
        self._change(agent_id, *sent)

    def _sync(self, agent_id: str, state: bytes, changed: list[tuple[str, bytes]]) -> None:
        sent, self.waiting = self.waiting, ()
        self._change(agent_id, *sent)
        super()._sync(agent_id, state, changed)
