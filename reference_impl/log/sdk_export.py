"""The way back: a session in the SDK's own layout, so that the SDK's manager goes on with it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from strands.types.exceptions import SessionException
from strands.types.session import SessionMessage, encode_bytes_values

from .history import AgentHistory, Change, SessionHistory
from .memory import HELD, put_together
from .sdk_release import WRITTEN_WITH
from .takeover import MARK
from .tool_pairs import paired
from .trimming import KEPT, put_together_by_earlier_mark

_OURS = {HELD, KEPT, WRITTEN_WITH}


def sdk_files(history: SessionHistory) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a session in the SDK's layout, each after all that it needs, with its path in the session.

    The SDK restores what follows as many messages as were removed. So those that memory let go of are numbered first,
    and those that it holds follow in its order.

    Raises:
        SessionException: Something has no form there.
    """
    for agent_id, agent in history.agents.items():
        if not agent.record:
            continue
        folder = f"agents/agent_{agent_id}/"
        messages, removed = _in_sdk_order(agent)
        for number, stored in enumerate(messages):
            at, updated_at = stored["at"], str(stored.get("updated_at", stored["at"]))
            message = SessionMessage(stored["message"], number, None, at, updated_at)
            yield (
                f"{folder}messages/message_{number}.json",
                _json(message.to_dict(), f"message {number} of {agent_id!r}"),
            )
        record = agent.session_agent()
        if (
            record._internal_state.get(HELD, {}).get("own_gone")
            and "summary_message" in record.conversation_manager_state
        ):
            record.conversation_manager_state = {**record.conversation_manager_state, "summary_message": None}
        record._internal_state = {key: value for key, value in record._internal_state.items() if key not in _OURS}
        if "removed_message_count" in record.conversation_manager_state:
            state = {**record.conversation_manager_state, "removed_message_count": removed}
            record.conversation_manager_state = state
        yield f"{folder}agent.json", _json(record.to_dict(), f"agent {agent_id!r}")
    for id, team in history.multi_agents.items():
        yield f"multi_agents/multi_agent_{id}/multi_agent.json", _json(team, f"team {id!r}")
    session = {key: value for key, value in history.session.items() if key != MARK}
    yield "session.json", _json(session, "the session")


def _in_sdk_order(agent: AgentHistory) -> tuple[list[Any], int]:
    """Return an agent's stored messages in the SDK's order, and how many of them were removed."""
    stored = dict(agent.in_order())
    state = agent.record["conversation_manager_state"]
    counted = state.get("removed_message_count", 0)
    internal = agent.record.get("_internal_state") or {}
    if HELD in internal:
        held = put_together(internal[HELD], stored, [], name=lambda one: one["message"].get("tracking_id"))
    elif KEPT in internal:
        unnamed = {number for number, one in stored.items() if not one["message"].get("tracking_id")}
        held = put_together_by_earlier_mark(internal[KEPT], stored, [], counted, unnamed)
    else:
        held = list(stored.values())[counted:]
    here = {id(one) for one in held}
    gone = [one for one in stored.values() if id(one) not in here]
    held = _as_models_take_it(held)
    if "removed_message_count" not in state:
        return held, 0  # of other agents the SDK restores all that there is
    return [*gone, *held], len(gone)


def _as_models_take_it(held: list[Change]) -> list[Change]:
    """Return messages as a restore makes models take them; what it makes up alone, the SDK's manager makes up itself.

    That drops the results that do not stand right behind their use. Those of which a restore leaves nothing are not
    counted as removed: they are not here, either.
    """
    messages = [copy.copy(one["message"]) for one in held]
    accepted = paired(messages)
    if accepted is messages:
        return held
    stored = dict(zip(map(id, messages), held, strict=True))
    blocks = {id(block) for one in held for block in one["message"]["content"]}
    found: list[Change] = []
    for message in accepted:
        if id(message) in stored:
            found.append({**stored[id(message)], "message": message})
        elif any(id(block) in blocks for block in message["content"]):  # results that are moved, beside made-up ones
            found.append({**found[-1], "message": message})
    return found


def _json(value: Any, what: str) -> bytes:
    try:
        return json.dumps(encode_bytes_values(value), indent=2, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise SessionException(f"{what} has no form in the SDK's layout: {type(error).__name__}") from error
