"""Validity: what is stored can be restored by the SDK. What could not be is refused before a byte is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from strands.agent.state import AgentState
from strands.types.exceptions import SessionException

from .codec import UnstorableError, is_plain
from .history import AgentHistory, Change, SessionHistory, agent_set, multi_agent_set
from .ids import check_id
from .messages import check_message

_MOST = 2**63
_AN_ID = "no integer, 0 or more, of 63 bits"


def check_change(change: Change) -> None:
    """Refuse a change that no session could be restored with.

    Raises:
        UnstorableError: It cannot be; the text names what is wrong, and none of its content.
    """
    try:
        _check(change)
    except KeyError as error:
        raise UnstorableError(f"cannot store a change that has no {error}") from None


def expect_readable(history: SessionHistory) -> None:
    """Make sure that changes of a session can be told apart and put in order: whoever goes on with it relies on that.

    Of what a message or an agent holds it says nothing: that is an error of that agent alone (:func:`unusable`).

    Raises:
        UnstorableError: They cannot be; the text names what is wrong.
    """
    _check_session({"op": "session", "session": history.session})
    for agent in history.agents.values():
        if {type(agent.index.next_id), *map(type, agent.messages)} != {int}:
            raise UnstorableError(f"it has a message under an id that is {_AN_ID}")
        for note in agent.index.redacted.values():
            _check_redacted(note)


def expect_readable_change(change: Change) -> None:
    """Make sure of a change that others stored what :func:`expect_readable` makes sure of.

    Raises:
        KeyError, UnstorableError: It is none of the forms of changes.
    """
    if change["op"] in ("message", "update"):
        _check_number(change["id"])
    elif change["op"] in ("session", "redacted"):
        _check(change)


def expect_usable(history: SessionHistory) -> None:
    """Make sure that each stored record of a session can be restored, by the SDK's manager too.

    Raises:
        SessionException: One cannot be; the text names it.
    """
    teams = [(f"the state of {id!r}", multi_agent_set(id, state)) for id, state in history.multi_agents.items()]
    found = _first_unusable(teams) or next(
        (f"agent {id!r}: {what}" for id, agent in history.agents.items() if (what := unusable(agent)) is not None), None
    )
    if found is not None:
        raise SessionException(f"no manager could restore it: {found}. verify() says more")


def _check(change: Change) -> None:
    check = _CHECKS.get(change["op"])
    if check is not None:
        check(change)


def unusable(agent: AgentHistory) -> str | None:
    """Return which stored record of an agent no session could be restored with, and why, in words; None if all are.

    What is stored was checked before. So it was written by something else, or is of a release to come.
    """
    records = [(f"message {id}", {**stored, "id": id}) for id, stored in agent.in_order()]
    return _first_unusable([("its record", agent_set(agent.record)), *records] if agent.record else records)


def _first_unusable(records: Iterable[tuple[str, Change]]) -> str | None:
    for name, change in records:
        try:
            _check(change)
        except UnstorableError as error:
            return f"{name}: {error}"
        except KeyError as error:
            return f"{name} has no {error}"
    return None


def _check_message_change(change: Change) -> None:
    _check_id(change["agent_id"], "agent")
    if change["op"] != "taken_over":  # that gets the next free one
        _check_number(change["id"])
    if not isinstance(change["at"], str):
        raise _refusal("a message", "time", "a text in ISO 8601", change["at"])
    check_message(change["message"])


def _check_number(id: Any) -> None:
    if id is not None and (not isinstance(id, int) or isinstance(id, bool) or not 0 <= id < _MOST):
        raise UnstorableError(f"cannot store a message under an id that is {_AN_ID}")


def _check_redacted(change: Change) -> None:
    _check_id(change["agent_id"], "agent")
    if not isinstance(change["tracking_id"], str):
        raise _refusal("the note of a redaction", "tracking_id", "a text", change["tracking_id"])
    if not isinstance(change["ids"], list):
        raise _refusal("the note of a redaction", "ids", "a list", change["ids"])
    for id in change["ids"]:
        _check_number(id)
    if not isinstance(change["blocks"], int):
        raise _refusal("the note of a redaction", "blocks", "an integer", change["blocks"])
    if not isinstance(change["unnamed"], bool):
        raise _refusal("the note of a redaction", "unnamed", "true or false", change["unnamed"])
    check_message(change["message"])


def _check_agent(change: Change) -> None:
    record = change["agent"]
    if not isinstance(record, dict):
        raise UnstorableError(f"cannot store an agent that is a {type(record).__name__}: it must be a dict")
    _check_id(record.get("agent_id"), "agent")
    for name in ("state", "conversation_manager_state"):
        if not isinstance(record.get(name), dict):
            raise _refusal("an agent", name, "a dict", record.get(name))
    for name in ("created_at", "updated_at"):
        if not isinstance(record.get(name, ""), str):
            raise _refusal("an agent", name, "a text in ISO 8601", record[name])
    removed = record["conversation_manager_state"].get("removed_message_count", 0)
    if not isinstance(removed, int) or removed < 0:
        raise _refusal("an agent", "count of removed messages", "an integer, 0 or more", removed)
    internal = record.get("_internal_state", {})
    if not isinstance(internal, dict):
        raise _refusal("an agent", "_internal_state", "a dict", internal)
    if not isinstance(internal.get("interrupt_state", {}), dict):
        raise _refusal("an agent", "interrupt_state", "a dict", internal["interrupt_state"])
    if not is_plain(record["state"]):
        try:
            AgentState(record["state"])
        except Exception as error:
            raise UnstorableError(
                f"cannot store an agent whose state the SDK could not restore: AgentState raises {type(error).__name__}"
            ) from None


def _check_multi_agent(change: Change) -> None:
    _check_id(change["id"], "multi_agent")
    if not isinstance(change["state"], dict):
        raise _refusal("a graph or swarm", "state", "a dict", change["state"])


def _check_session(change: Change) -> None:
    session = change["session"]
    _check_id(session.get("session_id"), "session")
    for name in ("created_at", "updated_at"):
        if not isinstance(session.get(name, ""), str):
            raise _refusal("a session", name, "a text in ISO 8601", session[name])
    if not isinstance(session.get("session_type"), str):
        raise _refusal("a session", "session_type", "a text", session.get("session_type"))


def _check_id(id: Any, kind: str) -> None:
    try:
        check_id(id, kind)
    except ValueError as error:
        raise UnstorableError(f"cannot store this: {error}") from None


def _refusal(of: str, where: str, expected: str, found: Any) -> UnstorableError:
    return UnstorableError(
        f"cannot store {of} whose {where} is of type {type(found).__name__}: it must be {expected}, or the session"
        " could not be restored"
    )


_CHECKS: dict[str, Callable[[Change], None]] = {
    "message": _check_message_change,
    "update": _check_message_change,
    "taken_over": _check_message_change,
    "redacted": _check_redacted,
    "agent": _check_agent,
    "multi_agent": _check_multi_agent,
    "session": _check_session,
}
