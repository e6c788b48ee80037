"""Snapshots: sessions that the SDK's ``SnapshotSessionManager`` keeps are stored here, and the other way round.

A snapshot is what an agent has in memory. So whoever goes over is an agent in between: it is given the one and asked
for the other, by the methods that the SDK has for both.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from strands import Agent
from strands.agent.conversation_manager import ConversationManager
from strands.agent.state import AgentState
from strands.models import Model
from strands.types.exceptions import SessionException
from strands.types.session import decode_bytes_values, encode_bytes_values

from .agent_changes import messages_in
from .at_once import beside
from .codec import UnstorableError
from .ids import check_id
from .messages import check_message, tracking_id_of_unnamed

if TYPE_CHECKING:
    from .manager import ChangeLogSessionManager

Result = TypeVar("Result")

_SESSIONS = "session/"
"""What the keys of all sessions begin with."""

_LATEST = re.compile(r"scopes/(agent|multiAgent)/([^/]+)/snapshots/snapshot_latest\.json")
_OF_AGENTS, _OF_TEAMS = "agent", "multiAgent"
_VERSION = "1.0"


def snapshot_sessions(storage: Any) -> list[str]:
    """Return the ids of the sessions that a storage of the SDK's keeps as snapshots.

    Args:
        storage: What ``SnapshotSessionManager`` was given, such as ``LocalFileStorage``.
    """
    keys = _wait(storage.list(_SESSIONS))
    found = (key.removeprefix(_SESSIONS).partition("/") for key in keys)
    return sorted({id for id, _, rest in found if _LATEST.fullmatch(rest)})


def import_snapshots(manager: ChangeLogSessionManager, storage: Any) -> int:
    """Store in a manager's session what the SDK's ``SnapshotSessionManager`` keeps of the session with its id.

    That is the latest snapshot of each agent, graph and swarm; earlier ones stay where they are, and nothing is changed
    there. If it is broken off, begin it again.

    Args:
        manager: The manager. Its session must not have messages that these snapshots have not.
        storage: What ``SnapshotSessionManager`` was given, such as ``LocalFileStorage``.

    Returns:
        How many messages were stored.

    Raises:
        SessionException: There is no such session, it cannot be read or stored, or agents have other messages here.
    """
    of_session = f"{_SESSIONS}{manager.session_id}/"
    found: dict[tuple[str, str], Any] = {}
    for key in sorted(_wait(storage.list(of_session))):
        if match := _LATEST.fullmatch(key.removeprefix(of_session)):
            found[match[1], match[2]] = _data(_wait(storage.read(key)), key, match[1])
    if not found:
        raise SessionException(f"there are no snapshots of session {manager.session_id!r}: nothing at {of_session}")
    agents = {id: data for (scope, id), data in found.items() if scope == _OF_AGENTS}
    there = manager.history().agents
    for id, data in agents.items():
        _name(data, manager.session_id, check_id(id, "agent"))
        held = {message["tracking_id"]: message for message in data["messages"]}
        here = there[id].contents().values() if id in there else ()
        if any(held.get(message.get("tracking_id")) != message for message in here):
            raise SessionException(
                f"agent {id!r} has messages in session {manager.session_id!r} here that its snapshot has not: they"
                " would be lost. Delete the session first, or import into another one"
            )
    for id, data in agents.items():
        _store(manager, id, data)
    for (scope, id), data in found.items():
        if scope == _OF_TEAMS:
            manager.create_multi_agent(manager.session_id, cast("Any", _TeamBetween(id, data["state"])))
    return sum(len(data["messages"]) for data in agents.values())


def export_snapshots(manager: ChangeLogSessionManager, storage: Any) -> None:
    """Keep a manager's session as the latest snapshots of the SDK's ``SnapshotSessionManager``, in place of its own.

    Each agent's is what it has in memory after a restore. The session stays here as well.

    Args:
        manager: The manager.
        storage: What ``SnapshotSessionManager`` is given, such as ``LocalFileStorage``.

    Raises:
        SessionException: There is no such session, or it cannot be read.
    """
    history = manager.history()
    snapshots: dict[tuple[str, str], Any] = {}
    for id, agent in history.agents.items():
        if agent.record:
            snapshots[_OF_AGENTS, id] = _held(manager, id, agent.record)
    for id, state in history.multi_agents.items():
        snapshots[_OF_TEAMS, id] = {"orchestrator_id": id, "state": state}
    updated_at = history.session["updated_at"]
    for (scope, id), data in snapshots.items():
        snapshot = {"scope": scope, "schema_version": _VERSION, "created_at": updated_at, "data": data, "app_data": {}}
        key = f"{_SESSIONS}{manager.session_id}/scopes/{scope}/{id}/snapshots/snapshot_latest.json"
        _wait(storage.write(key, json.dumps(encode_bytes_values(snapshot), ensure_ascii=False).encode()))


def _data(stored: bytes | None, key: str, scope: str) -> Any:
    """Return the data of a snapshot."""
    try:
        snapshot = decode_bytes_values(json.loads(stored or b""))
        version, data = snapshot["schema_version"], snapshot["data"]
        is_whole = snapshot["scope"] == scope and isinstance(data["state"], dict)
        if scope == _OF_AGENTS:
            is_whole = is_whole and isinstance(data.get("conversation_manager_state", {}), dict)
            for message in data["messages"]:
                check_message(message)
            is_whole = is_whole and _can_be_loaded(data)  # before anything is stored of any agent
    except (ValueError, KeyError, TypeError, UnstorableError):
        version, is_whole, data = None, False, None
    if not is_whole or version != _VERSION:
        raise SessionException(
            f"cannot import {key}: it is no snapshot of version {_VERSION} with the state of its agent. Nothing was"
            " changed. Restore it, or remove it"
        )
    return data


def _can_be_loaded(data: Any) -> bool:
    """Whether an agent takes a snapshot's data; a voice agent is given its messages and its state alone."""
    if "conversation_manager_state" in data:
        try:
            _load(_agent_between(None, "agent", data["conversation_manager_state"]), copy.deepcopy(data))
        except Exception:  # the SDK raises whatever comes of it
            return False
    return True


def _load(agent: Agent, data: Any) -> None:
    from strands.types._snapshot import Snapshot

    agent.load_snapshot(Snapshot("agent", _VERSION, data, {}))


def _store(manager: ChangeLogSessionManager, agent_id: str, data: Any) -> None:
    if "conversation_manager_state" not in data:
        voice = _VoiceBetween(agent_id)
        manager.initialize(voice)
        voice.messages, voice.state = data["messages"], AgentState(data["state"])
        manager.sync_agent(voice)
        return
    agent = _agent_between(manager, agent_id, data["conversation_manager_state"])
    _load(agent, data)
    manager.sync_agent(agent)


def _name(data: Any, session_id: str, agent_id: str) -> None:
    """Give tracking ids to messages without them: a summary that memory holds is the one that its manager has."""
    kept = [one for one in messages_in(data.get("conversation_manager_state")) if not one.get("tracking_id")]
    for number, message in enumerate(data["messages"]):
        if not message.get("tracking_id"):
            name = tracking_id_of_unnamed(session_id, agent_id, number)
            same: dict[str, Any] = next((one for one in kept if one == message), {})
            message["tracking_id"] = same["tracking_id"] = name


def _held(manager: ChangeLogSessionManager, agent_id: str, record: Any) -> Any:
    """Return what an agent has in memory after a restore, as the data of a snapshot."""
    if not record["conversation_manager_state"]:
        voice = _VoiceBetween(agent_id)
        manager.initialize(voice)
        return {"messages": voice.messages, "state": voice.state.get()}
    agent = _agent_between(manager, agent_id, record["conversation_manager_state"])
    return agent.take_snapshot(preset="session").data


@dataclass(frozen=True)
class _TeamBetween:
    """What a manager needs of a graph or swarm."""

    id: str
    state: dict[str, Any]

    def serialize_state(self) -> dict[str, Any]:
        return self.state


class _VoiceBetween:
    """What a manager needs of a voice agent."""

    def __init__(self, agent_id: str) -> None:
        self.agent_id = agent_id
        self.messages: list[Any] = []
        self.state = AgentState()


def _agent_between(manager: ChangeLogSessionManager | None, agent_id: str, state: dict[str, Any]) -> Agent:
    kept = _StateAsItIs(state)
    return Agent(
        model=_Silent(), agent_id=agent_id, conversation_manager=kept, session_manager=manager, callback_handler=None
    )


class _StateAsItIs(ConversationManager):
    """A conversation manager of whatever class: its state is kept as it is, and it manages nothing."""

    def __init__(self, state: dict[str, Any]) -> None:
        super().__init__()
        self._state = state

    @property
    def removed_message_count(self) -> int:
        return int(self._state.get("removed_message_count", 0))

    @removed_message_count.setter
    def removed_message_count(self, count: int) -> None:
        pass  # it is that of the state

    def restore_from_session(self, state: dict[str, Any]) -> list[Any]:
        self._state = state
        return list(messages_in(state))

    def get_state(self) -> dict[str, Any]:
        return copy.deepcopy(self._state)

    def apply_management(self, agent: Agent, **kwargs: Any) -> None:
        pass

    def reduce_context(self, agent: Agent, e: Exception | None = None, **kwargs: Any) -> None:
        pass


class _Silent(Model):
    """A model that is never asked."""

    def update_config(self, **model_config: Any) -> None:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {}

    def structured_output(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


def _wait(work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of a coroutine, also where an event loop is running."""
    with beside(lambda: asyncio.run(work)) as result:
        return result()
