"""REP: the repository API. What a SessionRepository is given comes back to the process that opens it next."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from session_conformance.fixtures import ConformanceSuite, NewSession, NewWorkspace
from session_conformance.harness import Capability, NotApplicable, ScenarioRuns, Session, requirement, violated
from session_conformance.harness.backends import looked_at
from session_conformance.harness.sdk import MultiAgentBase, SessionAgent, SessionMessage, SessionType, StoredSession
from session_conformance.harness.timeline import same

from .scenarios.repository_api import (
    CLEAR,
    LONG_AGO,
    Place,
    agent_of,
    expect_agent,
    expect_listed,
    expect_message,
    expect_none,
    expect_numbers,
    expect_refused,
    expect_session,
    expect_states,
    expect_time,
    refused,
    stored_message,
    text_message,
)

REPOSITORY = (Capability.REPOSITORY,)

CONTRACT = "A: strands.session.SessionRepository"

MANY = 1005
"""Messages of the history that is listed: past 9, 99 and 999, where texts and numbers sort differently."""

UPDATED = (3, 998)
"""Which of them are updated when all were created."""


GAPS = (0, 2, 5, 9, 14)
"""The numbers of messages of which some were never stored: what an offset counts is messages, not numbers."""

ELSEWHERE = "2020-02-03T09:35:06.789000+05:30"
"""The moment of :data:`LONG_AGO`, as a clock five and a half hours ahead shows it."""

NO_MESSAGE_IDS: dict[str, Any] = {
    "a number as text": "0",
    "a path": "../message_0",
    "no number at all": "latest",
    "a fraction": 0.5,
    "None": None,
}

NEAR_IDS = (
    ("user_1", "user_10"), ("case", "CASE"), ("a", "a-b"), ("s", "session_s"), ("p_q", "pxq"),
    ("L" * 100 + "1", "L" * 100 + "2"),
)  # fmt: skip

HOSTILE_IDS = ("../victim", "..", ".", "a/b", "a\\b", "", " ", "a\0b", "victim/../victim")


MESSAGES: dict[str, Any] = {
    "a text": text_message("Grüße, 世界 🙂\n\u2028", tracking_id="00000000-0000-4000-8000-000000000001"),
    "bytes": {"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": bytes(range(256))}}}]},
    "a tool use": {
        "role": "assistant",
        "content": [{"toolUse": {"toolUseId": "t-1", "name": "weather", "input": {"city": None, "days": [1, 2.5]}}}],
        "metadata": {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}},
    },
    "no content": {"role": "assistant", "content": []},
}

REPLACED: Any = {
    "role": "assistant",
    "content": [{"text": "replaced"}, {"image": {"format": "png", "source": {"bytes": bytes(range(255, -1, -1))}}}],
    "metadata": {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}},
    "tracking_id": "00000000-0000-4000-8000-000000000002",
}
"""What a message in the middle of a history is updated to."""


class RepositoryApi(ConformanceSuite):
    """REP: the repository API."""

    @requirement("REP-01", source=f"{CONTRACT}, 'creating, reading, and updating Sessions'", needs=REPOSITORY)
    def round_trip(self, new_session: NewSession) -> None:
        """Create, read and update of session, agent and message: what is read equals what was written, also by a
        repository that is opened later; a redacted message is read with its redaction; what is updated stays in its
        place.
        """
        place = Place(new_session())
        writer = place.created()
        agent = SessionAgent("agent", {"n": 1, "deep": {"list": [True, None, "ü"]}}, {"removed": 2}, {"model": {}})
        writer.create_agent(place.id, copy.deepcopy(agent))
        for number, message in enumerate(MESSAGES.values()):
            writer.create_message(place.id, "agent", SessionMessage(copy.deepcopy(message), number))
        reader = place.open()  # which has read what is updated since, and must not give that again
        for who in (writer, reader):
            expect_session(who.read_session(place.id), place.id)
            expect_agent(agent, who.read_agent(place.id, "agent"))
            for number, (name, message) in enumerate(MESSAGES.items()):
                expect_message(message, who.read_message(place.id, "agent", number), name, number)
        changed = SessionAgent("agent", {"n": 2}, {"removed": 3}, {"model": {"id": "m"}})
        writer.update_agent(place.id, copy.deepcopy(changed))
        writer.update_message(place.id, "agent", SessionMessage(copy.deepcopy(REPLACED), 1))
        redaction = text_message("[redacted]", "assistant")
        writer.update_message(
            place.id, "agent", SessionMessage(copy.deepcopy(MESSAGES["a tool use"]), 2, copy.deepcopy(redaction))
        )
        wanted = [MESSAGES["a text"], REPLACED, redaction, MESSAGES["no content"]]
        for who in (writer, reader, place.open()):
            expect_agent(changed, who.read_agent(place.id, "agent"))
            for number, message in enumerate(wanted):
                expect_message(message, who.read_message(place.id, "agent", number), "after updates", number)
            expect_listed(wanted, who, place, "after updates")
        emptied = SessionAgent("agent", {}, {"removed": 3}, {})
        writer.update_agent(place.id, copy.deepcopy(emptied))
        for who in (writer, reader, place.open()):
            expect_agent(emptied, who.read_agent(place.id, "agent"))

    @requirement("REP-02", source=f"{CONTRACT}, read_* -> ... | None; FileSessionManager", needs=REPOSITORY)
    def what_is_not_there(self, new_session: NewSession) -> None:
        """Reading what is not there gives None; updating it raises SessionException and creates nothing; creating a
        session twice is refused with SessionException and changes nothing.
        """
        place = Place(new_session())
        writer = place.with_agent()
        writer.create_message(place.id, "agent", stored_message("here", 0))
        for who in (writer, place.open()):
            expect_none(who.read_agent(place.id, "nobody"), "an agent that is not there")
            expect_none(who.read_message(place.id, "agent", 1), "a message that is not there")
            expect_none(who.read_message(place.id, "nobody", 0), "a message of an agent that is not there")
            expect_none(who.read_session("never-created"), "a session that is not there")
        expect_refused(
            lambda: writer.raw.update_agent(place.id, agent_of("nobody")), "updating an agent that is not there"
        )
        expect_refused(
            lambda: writer.raw.update_message(place.id, "agent", stored_message("new", 1)),
            "updating a message that is not there",
        )
        expect_refused(
            lambda: writer.raw.create_session(StoredSession(place.id, SessionType.AGENT)), "creating a session twice"
        )
        for who in (writer, place.open()):
            expect_none(who.read_agent(place.id, "nobody"), "an agent whose update was refused")
            expect_none(who.read_message(place.id, "agent", 1), "a message whose update was refused")
            expect_message(text_message("here"), who.read_message(place.id, "agent", 0), "after refusals", 0)
            expect_session(who.read_session(place.id), place.id)

    @requirement("REP-03", source=f"{CONTRACT}.list_messages, 'with pagination'", needs=REPOSITORY)
    def listing(self, run: ScenarioRuns) -> None:
        """list_messages is in numeric order past 9, 99 and 999, also where some were updated since, and obeys limit
        and offset, also out of range.
        """
        place = run.once(_long_history)
        reader = place.open()
        expect_numbers(reader, place, None, 0, list(range(MANY)))
        for limit, offset in (
            (None, 1), (None, 998), (None, MANY - 1), (None, MANY), (None, MANY + 7),
            (1, 0), (10, 0), (3, 8), (3, 98), (4, 997), (5, MANY - 2), (2, MANY), (0, 0), (0, 5), (MANY * 2, MANY - 4),
        ):  # fmt: skip
            expect_numbers(reader, place, limit, offset, list(range(MANY))[offset:][:limit])
        _expect_offsets_count_messages(run.once(_with_gaps))

    @requirement(
        "REP-04", source="A: FileSessionManager, 'Preserve the original created_at timestamp'", needs=REPOSITORY
    )
    def created_at(self, new_session: NewSession) -> None:
        """An update keeps created_at, of a message and of an agent, whatever the update says of it."""
        place = Place(new_session())
        writer = place.with_agent()
        writer.create_message(place.id, "agent", stored_message("first", 0))
        writer.create_message(place.id, "agent", stored_message("elsewhere", 1, ELSEWHERE))
        for who in (writer, place.open()):
            expect_time(ELSEWHERE, who.read_message(place.id, "agent", 1), "a message of another time zone")
            expect_time(LONG_AGO, who.read_agent(place.id, "agent"), "the agent that was created")
            expect_time(LONG_AGO, who.read_message(place.id, "agent", 0), "the message that was created")
        now = datetime.now(timezone.utc).isoformat()
        for _ in range(2):
            writer.update_agent(place.id, SessionAgent("agent", {"n": 1}, {}, {}, now, now))
            writer.update_message(place.id, "agent", stored_message("second", 0, now))
        for who in (writer, place.open()):
            expect_time(LONG_AGO, who.read_agent(place.id, "agent"), "the agent that was updated")
            expect_time(LONG_AGO, who.read_message(place.id, "agent", 0), "the message that was updated")

    @requirement("REP-05", source="B,A: sdk-typescript #728; FileSessionManager, 'message id must be an integer'",
                 needs=REPOSITORY)  # fmt: skip
    def message_ids(self, new_session: NewSession) -> None:
        """A message id that is not an integer is refused: it reads nothing, and it writes nothing."""
        place = Place(new_session())
        writer = place.with_agent()
        writer.create_message(place.id, "agent", stored_message("first", 0))
        for name, id in NO_MESSAGE_IDS.items():
            message = stored_message("second", id)
            for what in (writer.raw.create_message, writer.raw.update_message):
                called = f"{what.__name__} with {name} ({id!r}) for an id"
                expect_refused(partial(what, place.id, "agent", message), called, CLEAR)
            try:
                found = writer.raw.read_message(place.id, "agent", id)
            except CLEAR:
                continue
            expect_none(found, f"the message with {name} ({id!r}) for an id")
        for who in (writer, place.open()):
            expect_numbers(who, place, None, 0, [0], agent="agent", texts=["first"])

    @requirement("REP-06", source="A: SessionAgent.agent_id is unique in a session", needs=REPOSITORY)
    def isolation(self, new_session: NewSession, new_workspace: NewWorkspace) -> None:
        """Sessions, and the agents of a session, never mix, also where one id begins with the other or differs in case:
        each has its own state and its own messages under the same numbers.
        """
        for one, other in NEAR_IDS:
            workspace = new_workspace()
            places = [Place(new_session(id, workspace=workspace)) for id in (one, other)]
            for place in places:
                writer = place.created()
                for agent_id in (one, other):
                    name = f"{place.id}/{agent_id}"
                    writer.create_agent(place.id, agent_of(agent_id, name=name))
                    for number in range(2):
                        writer.create_message(place.id, agent_id, stored_message(f"{name} {number}", number))
            places[1].open().update_message(other, one, stored_message("changed", 1))
            for place in places:
                who = place.open()
                expect_session(who.read_session(place.id), place.id)
                for agent_id in (one, other):
                    name = f"{place.id}/{agent_id}"
                    expect_agent(agent_of(agent_id, name=name), who.read_agent(place.id, agent_id))
                    said = [f"{name} 0", "changed" if (place.id, agent_id) == (other, one) else f"{name} 1"]
                    expect_numbers(who, place, None, 0, [0, 1], agent=agent_id, texts=said)

    @requirement("REP-07", source=f"{CONTRACT}.create_multi_agent and its siblings", needs=REPOSITORY)
    def several_agents(self, new_session: NewSession) -> None:
        """The state of a graph or swarm, where a repository stores it: create, read and update give back what was
        written, reading what is not there gives None, updating it raises SessionException.
        """
        place = Place(new_session())
        writer = place.created()
        try:
            expect_none(writer.read_multi_agent(place.id, "graph"), "a graph that is not there")
        except NotImplementedError as error:
            raise NotApplicable("it does not store the state of graphs and swarms") from error
        expect_refused(
            lambda: writer.raw.update_multi_agent(place.id, _Orchestrator("graph", {})),
            "updating a graph that is not there",
        )
        expect_none(place.open().read_multi_agent(place.id, "graph"), "a graph whose update was refused")
        states: dict[str, dict[str, Any]] = {
            "graph": {"type": "graph", "nodes": ["a", "ü"], "results": {}, "next": None, "time": 1.5},
            "graph2": {"type": "swarm", "nodes": []},
        }
        for id, state in states.items():
            writer.create_multi_agent(place.id, _Orchestrator(id, state))
        expect_states(place, writer, states)
        states["graph"] = {"type": "graph", "nodes": [], "status": "completed"}
        writer.update_multi_agent(place.id, _Orchestrator("graph", states["graph"]))
        expect_states(place, writer, states)

    @requirement("REP-08", source="B: harness-sdk #680, #728, #3283", needs=REPOSITORY)
    def hostile_ids(self, new_session: NewSession, tmp_path: Path) -> None:
        """A session or agent id with a path separator, .., ., empty, blank or NUL never reads or writes what belongs
        to others: it works as any id does, or is refused with ValueError or an SDK exception.
        """
        outside = tmp_path / "outside"
        folder = outside / "deep" / "workspace"
        folder.mkdir(parents=True)
        workspace = replace(new_session().workspace, folder=folder)
        victim = Place(new_session("victim", workspace=workspace))
        victim.with_agent("victim").create_message("victim", "victim", stored_message("I am the victim", 0))
        for id in (*HOSTILE_IDS, str(outside / "absolute")):
            for place, agent_id in ((victim, id), (Place(new_session(id, workspace=workspace)), "victim")):
                what = f"the agent id {id!r}" if place is victim else f"the session id {id!r}"
                if not refused(partial(_say, place, agent_id, "someone else"), what):
                    expect_numbers(place.open(), place, None, 0, [0], agent=agent_id, texts=["someone else"])
                beside = looked_at(partial(_beside, folder, outside))
                if beside != [str(outside / "deep")]:
                    violated(f"{what} writes nothing outside the workspace", f"there is {', '.join(beside)}")
                expect_numbers(victim.open(), victim, None, 0, [0], agent="victim", texts=["I am the victim"])

    @requirement("REP-09", source="F: what is stored changes when it is written, and not otherwise", needs=REPOSITORY)
    def no_shared_objects(self, new_session: NewSession) -> None:
        """What was written does not change when the caller changes the object it gave, or one that it was given."""
        place = Place(new_session())
        writer = place.created()
        agent, message = agent_of("agent", list=["kept"]), stored_message("kept", 0)
        writer.create_agent(place.id, agent)
        writer.create_message(place.id, "agent", message)
        agent.state["list"].append("given")
        message.message["content"].append({"text": "given"})
        for what in ("the objects that were given", "the objects that were read", "those that were read again"):
            kept = writer.read_agent(place.id, "agent")
            listed = writer.list_messages(place.id, "agent")
            found = writer.read_message(place.id, "agent", 0)
            if kept is None or found is None or len(listed) != 1:
                violated("one agent and one message are stored", f"{kept}, {found}, {listed}")
            if not same(kept.state, {"list": ["kept"]}):
                violated(f"the state stays {{'list': ['kept']}} after {what} were changed", f"it is {kept.state}")
            for one in (found, listed[0]):
                expect_message(text_message("kept"), one, f"after {what} were changed", 0)
                one.to_message()["content"].append({"text": "read"})
            kept.state["list"].append("read")


class _Orchestrator(MultiAgentBase):
    """Has the part of a graph or swarm that a repository sees: its id and its state."""

    def __init__(self, id: str, state: dict[str, Any]) -> None:
        self.id = id
        self._state = state

    async def invoke_async(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def serialize_state(self) -> dict[str, Any]:
        return copy.deepcopy(self._state)

    def deserialize_state(self, payload: dict[str, Any]) -> None:
        raise NotImplementedError


def _beside(folder: Path, outside: Path) -> list[str]:
    """Return what lies around the workspace's folder."""
    return sorted(str(path) for path in outside.rglob("*") if folder not in (path, *path.parents))


def _long_history(new_session: Callable[[], Session]) -> Place:
    place = Place(new_session())
    writer = place.with_agent()
    for number in range(MANY):
        text = f"message {number}" if number not in UPDATED else "not said in full yet"
        writer.create_message(place.id, "agent", stored_message(text, number))
    for number in UPDATED:
        writer.update_message(place.id, "agent", stored_message(f"message {number}", number))
    return place


def _with_gaps(new_session: Callable[[], Session]) -> Place:
    place = Place(new_session())
    writer = place.with_agent()
    for number in GAPS:
        writer.create_message(place.id, "agent", stored_message(f"message {number}", number))
    return place


def _expect_offsets_count_messages(place: Place) -> None:
    for limit, offset in ((None, 1), (2, 1), (None, 4), (3, 2), (None, 5), (0, 1)):
        wanted = list(GAPS)[offset:][:limit]
        expect_numbers(place.open(), place, limit, offset, wanted, texts=[f"message {n}" for n in wanted])


def _say(place: Place, agent_id: str, text: str) -> None:
    repository = place.session.backend.repository_for(place.id, place.session.workspace)
    assert repository is not None
    if repository.read_session(place.id) is None:
        repository.create_session(StoredSession(place.id, SessionType.AGENT))
    repository.create_agent(place.id, agent_of(agent_id))
    repository.create_message(place.id, agent_id, stored_message(text, 0))
