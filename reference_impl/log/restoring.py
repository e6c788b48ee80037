"""Restoring: an agent's history and internal state from its record and its stored messages."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from strands import Agent
from strands.agent.state import AgentState
from strands.types.exceptions import SessionException
from strands.types.session import SessionAgent

from .agent_changes import messages_in
from .memory import HELD, put_together
from .messages import tracking_id_of_unnamed
from .ranges import Ranges
from .sdk import restore_internal_state
from .sdk_release import WRITTEN_WITH, sdk_release
from .trimming import KEPT, put_together_by_earlier_mark

logger = logging.getLogger(__name__)

_TRACKING_ID = itemgetter("tracking_id")


@dataclass(frozen=True)
class Managed:
    """What a conversation manager had of its own.

    Attributes:
        own: Messages that it restores itself, ahead of those that are stored.
        counted: How many stored messages it had removed.
    """

    own: list[Any]
    counted: int


def restore_conversation_manager(agent: Any, record: SessionAgent) -> Managed:
    """Give an agent's conversation manager back its state, and return what that says of the history.

    A conversation manager of another class than the one that the session was stored with begins anew, with the history
    as the other one left it.

    Raises:
        SessionException: Its own class cannot read the state; the text names the class and both releases of the SDK.
    """
    if not isinstance(agent, Agent):
        return Managed([], 0)
    manager, state = agent.conversation_manager, record.conversation_manager_state
    try:
        own = manager.restore_from_session(state) or []
        return Managed(list(own), manager.removed_message_count)
    except Exception as error:
        stored_by, restored_by = state.get("__name__"), type(manager).__name__
        if stored_by == restored_by:
            raise _other_release(agent, record, f"the state of its conversation manager {stored_by}", error) from error
        logger.warning(
            "agent_id=<%s>, stored_by=<%s>, restored_by=<%s> | conversation manager was changed; it begins anew with"
            " the history as it was left",
            agent.agent_id,
            stored_by,
            restored_by,
        )
        counted = state.get("removed_message_count")
        return Managed(list(messages_in(state)), counted if isinstance(counted, int) else 0)


def restore_state(agent: Any, record: SessionAgent) -> None:
    """Give an agent back its state and its interrupts.

    Raises:
        SessionException: They cannot be read; the text names both releases of the SDK. The agent stays as it is.
    """
    before = {key: getattr(agent, key) for key in ("state", "_interrupt_state", "_model_state") if hasattr(agent, key)}
    try:
        agent.state = AgentState(record.state)
        restore_internal_state(record, agent)
    except Exception as error:
        for key, value in before.items():
            setattr(agent, key, value)
        raise _other_release(agent, record, "its state", error) from error


def restored_history(
    record: SessionAgent,
    stored: Mapping[int, Any],
    managed: Managed,
    unnamed: Collection[int],
    *,
    all_listed: bool,
) -> tuple[list[Any], Ranges]:
    """Return an agent's history as it was in memory, and the ids of the messages that it had let go of.

    Args:
        record: The agent's record.
        stored: The stored messages by id, in ascending order.
        managed: What the conversation manager had of its own.
        unnamed: The ids of stored messages that had no tracking id.
        all_listed: Whether ``stored`` has all messages, also those that the conversation manager had removed, where the
            record has no mark.

    Raises:
        SessionException: What the record notes of the history cannot be read.
    """
    mark, kept = record._internal_state.get(HELD), record._internal_state.get(KEPT)
    try:
        if mark is not None:
            return put_together(mark, stored, managed.own), Ranges(mark["gone"])
        if kept is not None:
            messages = put_together_by_earlier_mark(kept, stored, managed.own, managed.counted, unnamed)
            held = {id(message) for message in messages}
            return messages, Ranges.of(number for number, message in stored.items() if id(message) not in held)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SessionException(
            f"agent {record.agent_id!r}: what is noted of its history cannot be read ({type(error).__name__}): it is of"
            " another release of this package. Nothing was changed: open it with the release that stored it"
        ) from error
    if not all_listed:
        return [*managed.own, *stored.values()], Ranges([(0, managed.counted - 1)] if managed.counted else [])
    ids = list(stored)
    following = [stored[number] for number in ids[managed.counted :]]
    return [*managed.own, *following], Ranges.of(ids[: managed.counted])


def named_all(stored: Mapping[int, Any], session_id: str, agent_id: str) -> dict[str, int]:
    """Give tracking ids to stored messages that have none, and return their ids by them.

    Releases of the SDK before 1.47 gave none.
    """
    try:
        if all(map(_TRACKING_ID, stored.values())):
            return {}
    except KeyError:
        pass
    unnamed = {}
    for number, message in stored.items():
        if not message.get("tracking_id"):
            message["tracking_id"] = tracking_id_of_unnamed(session_id, agent_id, number)
            unnamed[message["tracking_id"]] = number
    return unnamed


def left_out(before: Iterable[Any], after: Iterable[Any], stored: Mapping[int, Any]) -> list[int]:
    """Return the ids of stored messages of which nothing was restored, as models do not take them.

    Memory never held them: what is done to its history later may not bring them back.

    Args:
        before: The history as it is stored.
        after: The history as models take it.
        stored: The stored messages by id.
    """
    restored = set(map(id, after))
    blocks = {id(block) for message in after for block in message["content"]}  # a result may be moved to its use
    dropped = {
        id(message)
        for message in before
        if id(message) not in restored and not any(id(block) in blocks for block in message["content"])
    }
    return [number for number, message in stored.items() if id(message) in dropped] if dropped else []


def _other_release(agent: Any, record: SessionAgent, what: str, error: Exception) -> SessionException:
    written_with = record._internal_state.get(WRITTEN_WITH, "another release")
    return SessionException(
        f"agent {agent.agent_id!r}: {what} was stored with strands-agents {written_with} and cannot be read by"
        f" {type(agent).__name__} with {type(getattr(agent, 'conversation_manager', None)).__name__} of strands-agents"
        f" {sdk_release()}: {type(error).__name__}: {error}."
        " Nothing was changed: open it with the release that stored it"
    )
