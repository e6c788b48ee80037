"""Takeover: what the SDK's manager stored of a session after it was imported, while instances are replaced one by one.

The SDK's manager cannot read what is stored here, so it goes on from what it has: two histories grow from the point of
the import. Whoever opens the session next finds that the SDK's files have changed since they were looked at, and takes
over what is new in them, behind what is there: nothing that was said is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strands.types.exceptions import SessionException

from .codec import digest
from .history import (
    AgentHistory,
    Change,
    SessionHistory,
    agent_set,
    message_replaced,
    message_taken_over,
    multi_agent_set,
)
from .memory import HELD
from .sdk_layout import UNSURE

MARK = "imported"
"""The key of a session's record under which :func:`mark` is stored; empty where an import was begun (:func:`begun`)."""

_OF_AGENTS = ("agents", "numbers", "redacted")
"""The keys of a mark that say something of each agent."""

_FORMS = {"agents": dict | str, "numbers": int, "redacted": dict, "teams": str}
"""By the key of a mark, what it says of each agent or team."""

_NOT_SAID = frozenset({"agent_id", "created_at", "updated_at"})
"""What of an agent's record says nothing of its state: the SDK's manager writes it anew with each message."""


@dataclass
class Takeover:
    """What is to be taken over.

    Attributes:
        changes: What is new, and the mark.
        redactions: Replacements of messages that the SDK's manager redacted since.
        messages: How many messages are new.
        told: What else is, in words.
    """

    changes: list[Change] = field(default_factory=list)
    redactions: list[Change] = field(default_factory=list)
    messages: int = 0
    told: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.messages or self.redactions or self.told)


def mark(state: str, theirs: SessionHistory) -> dict[str, Any]:
    """Return what tells later whether the SDK's files have changed since.

    Args:
        state: The state that the files have (:meth:`.sdk_layout.SdkSession.state`), taken before they were read.
        theirs: What they hold.
    """
    return {
        "state": state,
        "agents": {id: record_seen(agent.record) for id, agent in theirs.agents.items()},
        "numbers": {id: agent.index.next_id for id, agent in theirs.agents.items()},
        "teams": {id: digest(team) for id, team in theirs.multi_agents.items()},
        "redacted": {id: _redacted(agent) for id, agent in theirs.agents.items()},
    }


def expect_known(session: Mapping[str, Any]) -> None:
    """Make sure that the mark of a session's record, if it has one, is of this form or an earlier one.

    Raises:
        SessionException: It is not.
    """
    seen = session.get(MARK) or {}
    if not (isinstance(seen, dict) and all(_is_known(key, value) for key, value in seen.items())):
        raise SessionException(
            f"session {session.get('session_id')!r}: what is noted of its import cannot be read: it is of another"
            " release of this package. Nothing was changed: open it with the release that stored it"
        )


def _is_known(key: str, value: Any) -> bool:
    if key == "state":
        return isinstance(value, str)
    kinds = _FORMS.get(key)
    return kinds is None or (isinstance(value, dict) and all(isinstance(one, kinds) for one in value.values()))


def without_numbers(session: Mapping[str, Any]) -> dict[str, Any]:
    """Return a session's record for when the SDK's files are about to get other numbers than those that were seen."""
    return {**session, MARK: {**session[MARK], "numbers": {}}}


def record_seen(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells later what of an agent's record has changed: no time, since clocks are set back."""
    return {key: digest(value) for key, value in record.items() if key not in _NOT_SAID}


def begun(theirs: SessionHistory) -> dict[str, Any]:
    """Return the record of a session that is about to be imported, and has nothing else yet.

    An import begins the session, and only then looks once more at what it takes over. A deletion removes what the
    SDK's manager keeps first, and then what has been begun: so one of the two sees what the other did.
    """
    return {**theirs.session, MARK: {}}


def is_begun(ours: SessionHistory) -> bool:
    """Whether an import was begun here, and nothing was taken over yet."""
    return ours.session.get(MARK) == {} and not ours.agents and not ours.multi_agents


def is_same(one: SessionHistory | None, created_at: str) -> bool:
    """Whether a session is there, and is the one that was created at a time: not one that has its id since."""
    return one is not None and one.session.get("created_at", "") == created_at


def is_taken_over(ours: SessionHistory, state: str | None) -> bool:
    """Whether nothing of the SDK's can have been stored that is not known here.

    Args:
        ours: What is stored here.
        state: As :func:`mark`; None where there is nothing of the SDK's.
    """
    seen = (ours.session.get(MARK) or {}).get("state")
    return state is None or (state == seen and not state.endswith(UNSURE))


def _redacted(agent: AgentHistory) -> dict[str, str]:
    """Return a digest of what stands in place of each message that the SDK's manager redacted, by its number."""
    return {str(number): digest(one["message"]) for number, one in agent.messages.items() if one.get("redacted")}


def takeover(ours: SessionHistory, theirs: SessionHistory, state: str) -> Takeover:
    """Return what the SDK's manager stored that is not stored here.

    Args:
        ours: What is stored here.
        theirs: What the SDK's manager stored, with tracking ids for all messages.
        state: As :func:`mark`.
    """
    found = Takeover()
    before = ours.session.get(MARK) or {}
    for agent_id, agent in theirs.agents.items():
        known = ours.agents.get(agent_id) or AgentHistory()
        _take_agent(found, agent_id, known, agent, {key: (before.get(key) or {}).get(agent_id) for key in _OF_AGENTS})
    for id, team in theirs.multi_agents.items():
        seen = (before.get("teams") or {}).get(id)
        here = digest(ours.multi_agents[id]) if id in ours.multi_agents else None
        if here is not None and digest(team) in (seen, here):
            continue
        also = here not in (None, seen)
        found.changes.append({**multi_agent_set(id, team), "instead_of": here})
        found.told.append(f"the state of {id!r}" + (", in place of one that was stored here" if also else ""))
    found.changes.append({"op": "session", "session": {**ours.session, MARK: mark(state, theirs)}})
    return found


def _take_agent(
    found: Takeover,
    agent_id: str,
    ours: AgentHistory,
    theirs: AgentHistory,
    seen: Mapping[str, Any],
) -> None:
    new: list[Change] = []
    redacted, seen_redacted = _redacted(theirs), seen["redacted"] or {}
    copies: Counter[str] = Counter()  # an application may send a message a second time, here and there
    added: Counter[str] = Counter()
    for number, stored in theirs.in_order():
        tracking_id = stored["message"]["tracking_id"]
        before = copies[tracking_id]
        copies[tracking_id] += 1
        ids = ours.index.ids(tracking_id) or _under_its_number(ours, number, stored)
        here = len(ids) + added[tracking_id]
        is_sent_again = before > 0 and seen["numbers"] is not None and number >= seen["numbers"]
        if here <= before or is_sent_again:
            new.append(message_taken_over(agent_id, stored, here))
            added[tracking_id] += 1
        elif str(number) not in redacted or redacted[str(number)] == seen_redacted.get(str(number)):
            continue  # it was taken over, and may have been redacted here since
        elif ours.messages[ids[0]]["message"]["content"] != stored["message"]["content"]:
            at = str(stored.get("updated_at", stored["at"]))
            found.redactions += [message_replaced(agent_id, stored["message"], at, id) for id in ids]
    record = theirs.record
    changed = _changed(record, seen["agents"])
    if not ours.record:
        found.changes.append({**agent_set(record), "instead_of": None})
        found.told.append(f"agent {agent_id!r}")
    elif changed:
        internal = ours.record.get("_internal_state", {})
        went_on_here = len(ours.messages) > len(theirs.messages) - len(new) or HELD in internal
        # Their conversation manager counts their messages, which have other numbers where both went on.
        taken = {key: record[key] for key in changed if key != "conversation_manager_state" or not went_on_here}
        if "_internal_state" in taken:  # such as the interrupts that an agent waits for; what is noted here stays
            taken["_internal_state"] = {**internal, **taken["_internal_state"]}
            if taken["_internal_state"] != internal:
                found.told.append(f"what agent {agent_id!r} waits for")
        if any(value != ours.record.get(key) for key, value in taken.items()):
            merged = {**ours.record, **taken, "updated_at": record["updated_at"]}
            found.changes.append({**agent_set(merged), "instead_of": digest(ours.record)})
            if "state" in taken and taken["state"] != ours.record.get("state"):
                found.told.append(f"the state of agent {agent_id!r}, in place of the one that was stored here")
    found.changes += new
    found.messages += len(new)


def _changed(record: Mapping[str, Any], seen: Mapping[str, str] | str | None) -> list[str]:
    """Return the keys of a record whose values are others than those that were seen last.

    Args:
        record: The record.
        seen: As :func:`record_seen`; ``updated_at`` where an earlier version noted that; None where none was seen.
    """
    if isinstance(seen, str):
        seen = record_seen(record) if seen == record.get("updated_at", "") else None
    return [key for key, value in record_seen(record).items() if value != (seen or {}).get(key)]


def _under_its_number(ours: AgentHistory, number: int, stored: Mapping[str, Any]) -> list[int]:
    """Return the id of a message that was imported under its number, and has another tracking id, or none."""
    known = ours.messages.get(number)
    return [number] if known is not None and known["at"] == stored["at"] else []
