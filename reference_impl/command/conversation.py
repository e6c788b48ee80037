"""Conversations for people: what a session holds, as text to read, and as plain data for programs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .shown import shown

if TYPE_CHECKING:
    from ..log.history import SessionHistory


def as_text(history: SessionHistory) -> str:
    """Return the conversations of a session's agents, message by message."""
    lines: list[str] = []
    for agent_id, agent in history.agents.items():
        messages = agent.in_order()
        lines.append(f"agent {agent_id}: {len(messages)} message{'' if len(messages) == 1 else 's'}")
        for _, stored in messages:
            message = stored["message"]
            blocks = list(_blocks(message.get("content") or []))
            lines.append(f"  {stored['at'][:19]}  {message['role']}: {blocks[0] if blocks else '(nothing yet)'}")
            lines += [f"      {one}" for one in blocks[1:]]
    for id in history.multi_agents:
        lines.append(f"team {id}: a state is stored")
    return "\n".join(map(shown, lines)) if lines else "no agents"


def _blocks(content: list[Mapping[str, Any]]) -> Iterator[str]:
    for block in content:
        for kind, what in block.items():
            if kind == "text":
                yield " ".join(str(what).split())
            elif kind == "toolUse":
                yield f"[calls {what.get('name')} with {what.get('input')}]"
            elif kind == "toolResult":
                results = _results(what.get("content", []))
                yield f"[{what.get('status', 'result')} of {what.get('toolUseId')}: {results}]"
            else:
                yield f"[{kind}{_size(what)}]"


def _results(content: list[Mapping[str, Any]]) -> str:
    return "; ".join(str(one.get("text", one.get("json", f"[{', '.join(one)}]"))) for one in content)


def _size(what: Any) -> str:
    data = what.get("source", {}).get("bytes") if isinstance(what, Mapping) else None
    return f", {len(data):,} bytes" if isinstance(data, bytes) else ""


def as_data(history: SessionHistory) -> dict[str, Any]:
    """Return a session as plain data: what JSON has, with bytes as base64."""
    return {
        "session": history.session,
        "agents": {
            id: {"agent": agent.record, "messages": [_plain(stored["message"]) for _, stored in agent.in_order()]}
            for id, agent in history.agents.items()
        },
        "multi_agents": _plain(history.multi_agents),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value
