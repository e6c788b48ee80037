"""A correct session repository and a correct storage of another design: dicts in the memory of one process."""

import copy
import json
import threading
from typing import Any

from strands.session import SessionRepository
from strands.storage import Storage
from strands.types.exceptions import SessionException
from strands.types.session import Session, SessionAgent, SessionMessage


class DictRepository(SessionRepository):
    """Keeps copies of what it is given, and gives copies."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._agents: dict[tuple[str, str], SessionAgent] = {}
        self._messages: dict[tuple[str, str], dict[int, SessionMessage]] = {}
        self._multi_agents: dict[tuple[str, str], dict[str, Any]] = {}

    # -- the parts that mutants break ----------------------------------------------------------------------

    def key(self, session_id: str, id: str) -> tuple[str, str]:
        return session_id, id

    def kept(self, value: Any) -> Any:
        """Return what is kept of something that was given, or given of something that is kept."""
        return copy.deepcopy(value)

    def number(self, id: Any) -> int:
        if not isinstance(id, int) or isinstance(id, bool):
            raise ValueError(f"message_id=<{id}> | message id must be an integer")
        return id

    def in_order(self, messages: dict[int, SessionMessage]) -> list[SessionMessage]:
        return [messages[number] for number in sorted(messages)]

    def page(self, messages: list[SessionMessage], limit: int | None, offset: int) -> list[SessionMessage]:
        return messages[offset:] if limit is None else messages[offset : offset + limit]

    def updated(self, before: Any, value: Any) -> Any:
        """Return what replaces something."""
        value = self.kept(value)
        value.created_at = before.created_at
        return value

    def absent(self, what: str) -> None:
        raise SessionException(f"{what} does not exist")

    # -- a session repository ------------------------------------------------------------------------------

    def create_session(self, session: Session, **kwargs: Any) -> Session:
        if session.session_id in self._sessions:
            raise SessionException(f"Session {session.session_id} already exists")
        self._sessions[session.session_id] = self.kept(session)
        return session

    def read_session(self, session_id: str, **kwargs: Any) -> Session | None:
        return self.kept(self._sessions.get(session_id))

    def create_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        self._agents[self.key(session_id, session_agent.agent_id)] = self.kept(session_agent)

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        return self.kept(self._agents.get(self.key(session_id, agent_id)))

    def update_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        key = self.key(session_id, session_agent.agent_id)
        if key not in self._agents:
            return self.absent(f"Agent {key}")
        self._agents[key] = self.updated(self._agents[key], session_agent)
        return None

    def create_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        number = self.number(session_message.message_id)
        json.dumps(session_message.to_dict(), allow_nan=False)  # what others could not store is refused here too
        self._messages.setdefault(self.key(session_id, agent_id), {})[number] = self.kept(session_message)

    def read_message(self, session_id: str, agent_id: str, message_id: int, **kwargs: Any) -> SessionMessage | None:
        return self.kept(self._messages.get(self.key(session_id, agent_id), {}).get(self.number(message_id)))

    def update_message(self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any) -> None:
        number = self.number(session_message.message_id)
        messages = self._messages.get(self.key(session_id, agent_id), {})
        if number not in messages:
            return self.absent(f"Message {number}")
        messages[number] = self.updated(messages[number], session_message)
        return None

    def list_messages(
        self, session_id: str, agent_id: str, limit: int | None = None, offset: int = 0, **kwargs: Any
    ) -> list[SessionMessage]:
        messages = self._messages.get(self.key(session_id, agent_id), {})
        return [self.kept(one) for one in self.page(self.in_order(messages), limit, offset)]

    def create_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        self._multi_agents[self.key(session_id, multi_agent.id)] = self.kept(multi_agent.serialize_state())

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        return self.kept(self._multi_agents.get(self.key(session_id, multi_agent_id)))

    def update_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        if self.key(session_id, multi_agent.id) not in self._multi_agents:
            return self.absent(f"Multi-agent {multi_agent.id}")
        self.create_multi_agent(session_id, multi_agent)
        return None


class DictStorage(Storage):
    """Keeps bytes under keys just as they are; its search is the protocol's own."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._lock = threading.Lock()

    # -- the parts that mutants break ----------------------------------------------------------------------

    def key(self, key: str) -> str:
        return key

    def kept(self, data: bytes) -> bytes:
        return bytes(data)

    def begins(self, key: str, query: str) -> bool:
        return key.startswith(query)

    def in_order(self, keys: list[str]) -> list[str]:
        return sorted(keys)

    def absent(self, key: str) -> None:
        """Do what is done where a key to delete is not there."""

    # -- a storage -----------------------------------------------------------------------------------------

    async def write(self, key: str, data: bytes) -> None:
        with self._lock:
            self._values[self.key(key)] = self.kept(data)

    async def read(self, key: str) -> bytes | None:
        with self._lock:
            return self._values.get(self.key(key))

    async def delete(self, key: str) -> None:
        with self._lock:
            if self._values.pop(self.key(key), None) is None:
                self.absent(key)

    async def list(self, query: str = "") -> list[str]:
        with self._lock:
            return self.in_order([key for key in self._values if self.begins(key, query)])
