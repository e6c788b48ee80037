"""Two correct session managers on servers: PostgreSQL, in transactions, and Redis, in scripts that it runs whole.

Both send each change with an id of its own, so that a change whose answer was lost can be sent again: the server
carries it out once. Both notice a connection that ended, make another, and send again what had no answer.
"""

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import psycopg
import redis
from botocore.exceptions import BotoCoreError, ClientError
from session_conformance.harness.services import boto_session
from session_conformance.reference_impl.log.codec import decode, encode
from strands.hooks import (
    AfterMultiAgentInvocationEvent,
    AfterNodeCallEvent,
    HookRegistry,
    MultiAgentInitializedEvent,
)
from strands.types.exceptions import SessionException

from .sqlite_manager import SqliteManager, restore, sealed, state_of, unsealed

T = TypeVar("T")

ATTEMPTS = 4
TIMEOUT_S = 5


class Change(NamedTuple):
    """A message that is appended or replaced, or the agent's state."""

    kind: str
    tracking_id: str
    body: bytes


class ServerManager(SqliteManager):
    """What both have in common: when something is stored, and how often it is tried."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id, "")
        self._lock = threading.Lock()

    # -- what each server does -----------------------------------------------------------------------------

    def connect(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def load(self, agent_id: str) -> "tuple[bytes, list[bytes]] | None":
        """Return the state and the messages, as of one moment, or None where there is no such agent."""
        raise NotImplementedError

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        """Carry out changes, all or none, and only the first time that it is asked for with an id."""
        raise NotImplementedError

    failures: tuple[type[Exception], ...]

    # -- what the SDK asks for -----------------------------------------------------------------------------

    def attempt(self, work: Callable[[], T]) -> T:
        with self._lock:
            for number in range(ATTEMPTS):
                try:
                    self.connect()
                    return work()
                except self.failures as error:
                    self.close()
                    if number == ATTEMPTS - 1 or not self.may_be_sent_again(error):
                        raise SessionException(f"session {self.session_id!r}: {type(error).__name__}") from error
        raise AssertionError

    def may_be_sent_again(self, error: Exception) -> bool:
        return True

    def _change(self, agent_id: str, *changes: Change) -> None:
        id = uuid.uuid4().hex
        self.attempt(lambda: self.store(agent_id, id, list(changes)))

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if agent.agent_id in self._agents:
            raise SessionException(f"agent {agent.agent_id!r} is in session {self.session_id!r} already")
        found = self.attempt(lambda: self.load(agent.agent_id))
        if found is None:
            state = state_of(agent)
            changes = [Change("append", m.get("tracking_id") or "", sealed(encode(m))) for m in agent.messages]
            self._change(agent.agent_id, Change("state", "", sealed(state)), *changes)
        else:
            state = unsealed(found[0])
            restore(agent, decode(state), [decode(unsealed(body)) for body in found[1]])
            self._changed(agent)
        self._agents[agent.agent_id] = state

    def _insert(self, agent_id: str, message: Any, state: bytes | None, database: Any = None, before: Any = ()) -> None:
        changes = [Change("append", message.get("tracking_id") or "", sealed(encode(message)))]
        if state is not None and self._agents.get(agent_id) != state:
            changes.append(Change("state", "", sealed(state)))
        self._change(agent_id, *changes)
        if state is not None:
            self._agents[agent_id] = state

    def _update(self, agent_id: str, message: Any) -> None:
        self._change(agent_id, Change("replace", message["tracking_id"], sealed(encode(message))))

    def _sync(self, agent_id: str, state: bytes, changed: list[tuple[str, bytes]]) -> None:
        changes = [Change("replace", tracking_id, body) for tracking_id, body in changed]
        if self._agents.get(agent_id) != state:
            changes.append(Change("state", "", sealed(state)))
        if changes:
            self._change(agent_id, *changes)
            self._agents[agent_id] = state


SCHEMA = """
SELECT pg_advisory_xact_lock(7);
CREATE TABLE IF NOT EXISTS agents (session text, agent text, state bytea, PRIMARY KEY (session, agent));
CREATE TABLE IF NOT EXISTS messages (
    number bigserial PRIMARY KEY, session text, agent text, tracking_id text, body bytea, change text UNIQUE
);
CREATE INDEX IF NOT EXISTS by_agent ON messages (session, agent, number);
CREATE TABLE IF NOT EXISTS changes (id text PRIMARY KEY);
"""


class PostgresManager(ServerManager):
    """One transaction a change."""

    failures = (psycopg.Error, OSError)

    def __init__(self, session_id: str, postgres_url: str) -> None:
        super().__init__(session_id)
        self._url = postgres_url
        self._connection: Any = None

    def connect(self) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, connect_timeout=TIMEOUT_S, options=f"-c statement_timeout={TIMEOUT_S}s"
            )
            with self._connection.transaction():
                self._connection.execute(SCHEMA)

    def may_be_sent_again(self, error: Exception) -> bool:
        return isinstance(error, psycopg.OperationalError | OSError)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def load(self, agent_id: str) -> tuple[bytes, list[bytes]] | None:
        key = (self.session_id, agent_id)
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            row = self._connection.execute("SELECT state FROM agents WHERE session = %s AND agent = %s", key).fetchone()
            if row is None:
                return None
            bodies = self._connection.execute(
                "SELECT body FROM messages WHERE session = %s AND agent = %s ORDER BY number", key
            ).fetchall()
        return bytes(row[0]), [bytes(body) for (body,) in bodies]

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        key = (self.session_id, agent_id)
        with self._connection.transaction():
            new = self._connection.execute("INSERT INTO changes VALUES (%s) ON CONFLICT DO NOTHING", (id,)).rowcount
            for change in changes if new else ():
                getattr(self, f"_{change.kind}")(key, change)

    def _append(self, key: tuple[str, str], change: Change) -> None:
        last = self._connection.execute(
            "SELECT tracking_id FROM messages WHERE session = %s AND agent = %s ORDER BY number DESC LIMIT 1", key
        ).fetchone()
        if last is not None and last[0] and last[0] == change.tracking_id:
            self._replace(key, change)
            return
        self._connection.execute(
            "INSERT INTO messages (session, agent, tracking_id, body) VALUES (%s, %s, %s, %s)",
            (*key, change.tracking_id, change.body),
        )

    def _replace(self, key: Any, change: Any, *_: Any) -> None:
        self._connection.execute(
            "UPDATE messages SET body = %s WHERE session = %s AND agent = %s AND tracking_id = %s",
            (change.body, *key, change.tracking_id),
        )

    def _state(self, key: tuple[str, str], change: Change) -> None:
        self._connection.execute(
            "INSERT INTO agents VALUES (%s, %s, %s) ON CONFLICT (session, agent) DO UPDATE SET state = excluded.state",
            (*key, change.body),
        )


SCRIPT = """
local changes, messages, places, state = unpack(KEYS)
if redis.call('SADD', changes, ARGV[1]) == 0 then return 0 end
for number = 2, #ARGV, 3 do
    local kind, id, body = ARGV[number], ARGV[number + 1], ARGV[number + 2]
    local place = id ~= '' and redis.call('HGET', places, id)
    if kind == 'state' then
        redis.call('SET', state, body)
    elseif kind == 'replace' or (place and tonumber(place) == redis.call('LLEN', messages) - 1) then
        if place then redis.call('LSET', messages, place, body) end
    else
        local length = redis.call('RPUSH', messages, body)
        if id ~= '' then redis.call('HSET', places, id, length - 1) end
    end
end
return 1
"""


class RedisManager(ServerManager):
    """One script a change."""

    failures = (redis.RedisError, OSError)

    def __init__(self, session_id: str, redis_url: str) -> None:
        super().__init__(session_id)
        self._url = redis_url
        self._client: Any = None

    def connect(self) -> None:
        if self._client is None:
            self._client = redis.Redis.from_url(
                self._url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, single_connection_client=True
            )

    def close(self) -> None:
        if self._client is not None:
            with suppress(redis.RedisError, OSError):
                self._client.close()
            self._client = None

    def keys(self, agent_id: str) -> list[str]:
        place = f"{quote(self.session_id, safe='')}:{quote(agent_id, safe='')}"
        return [f"{place}:{what}" for what in ("changes", "messages", "places", "state")]

    def load(self, agent_id: str) -> tuple[bytes, list[bytes]] | None:
        _, messages, _, state = self.keys(agent_id)
        found, bodies = self._client.pipeline(transaction=True).get(state).lrange(messages, 0, -1).execute()
        return None if found is None else (found, bodies)

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        keys = self.keys(agent_id)
        self._client.eval(SCRIPT, len(keys), *keys, id, *(part for change in changes for part in change))


class RedisTeams(RedisManager):
    """Stores graphs and swarms beside the agents."""

    def team_key(self, team: Any) -> str:
        return f"{quote(self.session_id, safe='')}:team:{quote(team.id, safe='')}"

    def initialize_multi_agent(self, source: Any, **kwargs: Any) -> None:
        found = self.attempt(lambda: self._client.get(self.team_key(source)))
        if found is None:
            self.sync_multi_agent(source)
        else:
            source.deserialize_state(decode(found))

    def sync_multi_agent(self, source: Any, **kwargs: Any) -> None:
        state = encode(source.serialize_state())
        self.attempt(lambda: self._client.set(self.team_key(source), state))

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry, **kwargs)
        registry.add_callback(MultiAgentInitializedEvent, lambda event: self.initialize_multi_agent(event.source))
        for event_type in (AfterNodeCallEvent, AfterMultiAgentInvocationEvent):
            registry.add_callback(event_type, lambda event: self.sync_multi_agent(event.source))


class RedisOfUrl(RedisManager):
    """Takes its URL under a name that says nothing of the server."""

    def __init__(self, session_id: str, url: str) -> None:
        super().__init__(session_id, url)


class ExpiringRedisManager(RedisManager):
    """Lets each session expire an hour after its last change, all of it at one moment."""

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        self._client.eval(
            EXPIRING_SCRIPT, 4, *self.keys(agent_id), id, *(part for change in changes for part in change)
        )


EXPIRING_SCRIPT = SCRIPT.replace(
    "return 1", "for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 3600) end return 1"
)


class DynamoManager(ServerManager):
    """One transaction a change, and consistent reads."""

    failures = (BotoCoreError, ClientError, OSError)
    consistent = True

    def __init__(self, session_id: str, dynamodb_endpoint: str, table: str) -> None:
        super().__init__(session_id)
        self._endpoint = dynamodb_endpoint
        self._table = table
        self._client: Any = None

    def may_be_sent_again(self, error: Exception) -> bool:
        return not isinstance(error, ClientError)

    def connect(self) -> None:
        if self._client is None:
            self._client = boto_session().client("dynamodb", endpoint_url=self._endpoint)
            with suppress(self._client.exceptions.ResourceInUseException):
                self._client.create_table(
                    TableName=self._table,
                    KeySchema=[
                        {"AttributeName": "agent", "KeyType": "HASH"},
                        {"AttributeName": "number", "KeyType": "RANGE"},
                    ],
                    AttributeDefinitions=[
                        {"AttributeName": "agent", "AttributeType": "S"},
                        {"AttributeName": "number", "AttributeType": "N"},
                    ],
                    BillingMode="PAY_PER_REQUEST",
                )

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def expires(self, found: list[Any]) -> dict[str, Any]:
        """Return what an item says of its end, where it has one."""
        return {}

    def items(self, agent_id: str) -> list[Any]:
        key = f"{quote(self.session_id, safe='')}#{quote(agent_id, safe='')}"
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="agent = :agent",
            ExpressionAttributeValues={":agent": {"S": key}},
            ConsistentRead=self.consistent,
        )
        return [item for page in pages for item in page["Items"]]

    def load(self, agent_id: str) -> tuple[bytes, list[bytes]] | None:
        found = self.items(agent_id)
        if not found:
            return None
        return found[0]["body"]["B"], [item["body"]["B"] for item in found[1:]]

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        agent = f"{quote(self.session_id, safe='')}#{quote(agent_id, safe='')}"
        found = self.items(agent_id)
        if any(id in item["change"]["S"] for item in found):
            return
        numbers = {item["id"]["S"]: int(item["number"]["N"]) for item in found if item["id"]["S"]}
        last = max((int(item["number"]["N"]) for item in found), default=0)
        puts: dict[int, Any] = {}
        for kind, tracking_id, body in changes:
            number = 0
            if kind == "replace":
                number = numbers[tracking_id]
            elif kind == "append" and tracking_id and numbers.get(tracking_id) == last:
                number = last
            elif kind == "append":
                number = last = last + 1
            key = {"agent": {"S": agent}, "number": {"N": str(number)}}
            item = {**key, "id": {"S": tracking_id}, "body": {"B": body}, "change": {"S": id}}
            puts[number] = item | self.expires(found)
        self._client.transact_write_items(
            TransactItems=[{"Put": {"TableName": self._table, "Item": item}} for item in puts.values()]
        )


class ExpiringDynamoManager(DynamoManager):
    """Lets each session expire an hour after it began, all of it at one moment, whenever DynamoDB removes its items."""

    def connect(self) -> None:
        if self._client is None:
            super().connect()
            expiry = {"Enabled": True, "AttributeName": "until"}
            with suppress(ClientError):  # it is enabled already
                self._client.update_time_to_live(TableName=self._table, TimeToLiveSpecification=expiry)

    def expires(self, found: list[Any]) -> dict[str, Any]:
        """Return when the session ends that an item belongs to."""
        return {"until": found[0]["until"] if found else {"N": str(int(time.time()) + 3600)}}

    def items(self, agent_id: str) -> list[Any]:
        """Return what is not over: DynamoDB removes items one by one, and later."""
        return [item for item in super().items(agent_id) if float(item["until"]["N"]) > time.time()]
