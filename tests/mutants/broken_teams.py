"""Mutants for several agents: a correct manager, each time with one thing broken on purpose."""

import contextlib
import copy
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from session_conformance.reference_impl import FileSessionManager
from strands import Agent
from strands.hooks import (
    AfterMultiAgentInvocationEvent,
    AfterNodeCallEvent,
    HookOrder,
    HookRegistry,
)
from strands.multiagent import Swarm
from strands.types.exceptions import SessionException

from tests.conforming.snapshot_manager import SnapshotFileManager


class SwallowsStorageErrorsOfTextAgents(SnapshotFileManager):
    """A text agent talks on, whatever became of what it said."""

    _swallowed: tuple[type[Exception], ...] = ()

    def claim(self, agent: Any) -> None:
        super().claim(agent)
        self._swallowed = (SessionException,) if isinstance(agent, Agent) else ()

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        with contextlib.suppress(*self._swallowed):
            super()._write_for_good(agent_id, path, data)


class InvokesInSilence(SnapshotFileManager):
    """An invocation has ended well when its messages are stored."""

    def on_stop(self, event: Any) -> None:
        super().on_stop(event)
        postponed: Any = self._postponed
        postponed[:] = [partial(_in_silence, write) for write in postponed]


def _in_silence(write: Callable[[], object]) -> None:
    with contextlib.suppress(SessionException):
        write()


class TeamsGoOnWhateverIsStored(FileSessionManager):
    """A team's own errors matter; those of its storage are for the next node."""

    async def _multi_agent_changed(self, event: Any) -> None:
        with contextlib.suppress(SessionException):
            await super()._multi_agent_changed(event)


class TakesUnreadableTeamsForNew(FileSessionManager):
    """A team whose state cannot be read begins anew."""

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        with contextlib.suppress(SessionException):
            return super().read_multi_agent(session_id, multi_agent_id, **kwargs)
        return None


class SwarmsGoOnWhateverIsStored(FileSessionManager):
    """A swarm's own errors matter; those of its storage are for the next node."""

    async def _multi_agent_changed(self, event: Any) -> None:
        with contextlib.suppress(*[SessionException] * isinstance(event.source, Swarm)):
            await super()._multi_agent_changed(event)


class TellsWhenTheTeamEnds(FileSessionManager):
    """A node's error is for the next node: what cannot be stored when all have ended is told."""

    async def _multi_agent_changed(self, event: Any) -> None:
        with contextlib.suppress(*[SessionException] * isinstance(event, AfterNodeCallEvent)):
            await super()._multi_agent_changed(event)


class _SpoilsTeams(FileSessionManager):
    def spoil(self, state: dict[str, Any]) -> None:
        raise NotImplementedError

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        state = super().read_multi_agent(session_id, multi_agent_id)
        if state is not None:
            self.spoil(state)
        return state


class SavesTeamsWhenTheyEnd(FileSessionManager):
    """Nodes that are done are lost with the process."""

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(_WithoutNodes(registry), **kwargs)


class _WithoutNodes(HookRegistry):
    def __init__(self, registry: HookRegistry) -> None:
        self._registry = registry

    def add_callback(self, event_type: Any, callback: Any, **options: Any) -> None:
        kinds = event_type if isinstance(event_type, list) else [event_type]
        others = [kind for kind in kinds if kind is not AfterNodeCallEvent]
        if others:
            self._registry.add_callback(others, callback, **options)


class ForgetsNodeResults(_SpoilsTeams):
    """That a node is done is stored, and not what came of it."""

    def spoil(self, state: dict[str, Any]) -> None:
        state["node_results"] = {}


class ForgetsWhatNodesUsed(_SpoilsTeams):
    """What a node said is stored, and not what its models used for it."""

    def spoil(self, state: dict[str, Any]) -> None:
        for result in state["node_results"].values():
            result.pop("accumulated_usage", None)


class ForgetsWhatTeamsUsed(_SpoilsTeams):
    """What each node used is stored, and what it comes to is not."""

    def spoil(self, state: dict[str, Any]) -> None:
        state.pop("accumulated_usage", None)


class ForgetsHowOftenTeamsRan(_SpoilsTeams):
    """Which nodes ran is stored, and how many is not."""

    def spoil(self, state: dict[str, Any]) -> None:
        state.pop("execution_count", None)


class DropsBytesOfTasks(_SpoilsTeams):
    """The task's text is stored."""

    def spoil(self, state: dict[str, Any]) -> None:
        if isinstance(state["current_task"], list):
            state["current_task"] = [block for block in state["current_task"] if "text" in block]


class ComposesTasks(_SpoilsTeams):
    """Texts are put into the form in which most of them are."""

    def spoil(self, state: dict[str, Any]) -> None:
        for block in state["current_task"] if isinstance(state["current_task"], list) else ():
            if "text" in block:
                block["text"] = unicodedata.normalize("NFC", block["text"])


class SortsWhatRan(_SpoilsTeams):
    """What ran is a set of nodes."""

    def spoil(self, state: dict[str, Any]) -> None:
        state["execution_order"] = sorted(state["execution_order"])


class DropsBytesOfAnswers(_SpoilsTeams):
    """The text of what the nodes answered is stored."""

    def spoil(self, state: dict[str, Any]) -> None:
        for node in state["node_results"].values():
            if node["result"]["type"] == "agent_result":
                node["result"]["message"] = _without_bytes(node["result"]["message"])


class KeepsTeamsInAClassAttribute(FileSessionManager):
    """Teams live as long as the process."""

    _of_the_process: ClassVar[dict[tuple[str, str, str], Any]] = {}

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry, **kwargs)
        kinds: Any = [AfterNodeCallEvent, AfterMultiAgentInvocationEvent]
        registry.add_callback(kinds, self._keep, order=HookOrder.SDK_LAST)

    def _keep(self, event: Any) -> None:
        team = event.source
        self._of_the_process[self.storage_dir, self.session_id, team.id] = copy.deepcopy(team.serialize_state())

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        kept = self._of_the_process.get((self.storage_dir, session_id, multi_agent_id))
        return copy.deepcopy(kept) if kept else self.on_disk(super().read_multi_agent(session_id, multi_agent_id))

    def on_disk(self, state: dict[str, Any] | None) -> dict[str, Any] | None:
        return None


class CachesTeams(KeepsTeamsInAClassAttribute):
    """A cache of the process hides that bytes are not written."""

    def on_disk(self, state: dict[str, Any] | None) -> dict[str, Any] | None:
        return _without_bytes(state)  # type: ignore[no-any-return]


class CachesTeamsAsTheyWereRead(FileSessionManager):
    """A process reads a team once, and takes what it has read and written since for what is stored."""

    _cached: ClassVar[dict[tuple[str, str, str], Any]] = {}

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        key = (self.storage_dir, session_id, multi_agent_id)
        if self._cached.get(key) is None:
            self._cached[key] = super().read_multi_agent(session_id, multi_agent_id, **kwargs)
        return copy.deepcopy(self._cached[key])

    def update_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        super().update_multi_agent(session_id, multi_agent, **kwargs)
        state = super().read_multi_agent(session_id, multi_agent.id)
        self._cached[self.storage_dir, session_id, multi_agent.id] = state


def _without_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        marked = value.get("__bytes_encoded__")
        return {**value, "data": ""} if marked else {key: _without_bytes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_bytes(item) for item in value]
    return b"" if isinstance(value, bytes) else value


class ResumesWhatIsDone(_SpoilsTeams):
    """A finished run is gone on with."""

    def spoil(self, state: dict[str, Any]) -> None:
        if state["status"] == "completed":
            state["next_nodes_to_execute"] = ["check"]


class ForgetsWhatWasHandedOver(_SpoilsTeams):
    """An agent of a swarm does not hear what the one before it wanted of it."""

    def spoil(self, state: dict[str, Any]) -> None:
        if state["type"] == "swarm":
            state["context"]["handoff_message"] = None


class SkipsFailedNodes(_SpoilsTeams):
    """A graph goes on behind the node that failed."""

    def spoil(self, state: dict[str, Any]) -> None:
        if state["type"] == "graph" and state["failed_nodes"]:
            state["next_nodes_to_execute"] = ["check"]


class JoinsTooEarly(_SpoilsTeams):
    """A node is run as soon as one of those before it is done."""

    def spoil(self, state: dict[str, Any]) -> None:
        if state["next_nodes_to_execute"] == ["right"]:
            state["next_nodes_to_execute"] = ["right", "join"]


class KnowsAgentsOnly(_SpoilsTeams):
    """The results of a node that is a team itself are not stored."""

    def spoil(self, state: dict[str, Any]) -> None:
        for node in state["node_results"].values():
            if node["result"]["type"] == "multiagent_result":
                node["result"]["results"] = {}


class ForgetsWhatTeamsAsked(_SpoilsTeams):
    """A restored team does not know that it has asked."""

    def spoil(self, state: dict[str, Any]) -> None:
        del state["_internal_state"]


class KeepsOneTeamASession(FileSessionManager):
    """Teams overwrite each other."""

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        teams = self._store.view().multi_agents
        return copy.deepcopy(teams[max(teams)]) if teams else None


class ForgetsHistoriesWithinTeams(_SpoilsTeams):
    """An agent that asked within a team goes on with the last thing that was said."""

    def spoil(self, state: dict[str, Any]) -> None:
        for node in state["_internal_state"]["interrupt_state"]["context"].values():
            if isinstance(node, dict) and "messages" in node:
                node["messages"] = node["messages"][-1:]


class ForgetsWhichNodesFailed(_SpoilsTeams):
    """Where a graph goes on is stored, and not why."""

    def spoil(self, state: dict[str, Any]) -> None:
        state["failed_nodes"] = []


class ForgetsMetadataOfAnswers(_SpoilsTeams):
    """Of what a node answered, role and content are stored."""

    def spoil(self, state: dict[str, Any]) -> None:
        for node in state["node_results"].values():
            if node["result"]["type"] == "agent_result":
                node["result"]["message"].pop("metadata", None)


class ForgetsWhatNestedAgentsUsed(_SpoilsTeams):
    """What the agents of a team within a team said is stored, and not what they used."""

    def spoil(self, state: dict[str, Any]) -> None:
        for node in state["node_results"].values():
            if node["result"]["type"] == "multiagent_result":
                for inner in node["result"]["results"].values():
                    inner["accumulated_usage"] = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}


class StoresFactsAsWholeNumbers(_SpoilsTeams):
    """What agents of a swarm tell each other has numbers of one kind."""

    def spoil(self, state: dict[str, Any]) -> None:
        for facts in state.get("context", {}).get("shared_context", {}).values():
            if "counts" in facts:
                facts["counts"] = [int(count) if isinstance(count, float) else count for count in facts["counts"]]


class ForgetsStatesWithinTeams(_SpoilsTeams):
    """An agent that asked within a team goes on with its history alone."""

    def spoil(self, state: dict[str, Any]) -> None:
        for node in state["_internal_state"]["interrupt_state"]["context"].values():
            if isinstance(node, dict) and "state" in node:
                node["state"] = {}


class TakesTeamsIdsInAnyCase(FileSessionManager):
    """A team is found by its id, however it is written."""

    def create_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        super().create_multi_agent(session_id, _lower(multi_agent), **kwargs)

    def update_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        super().update_multi_agent(session_id, _lower(multi_agent), **kwargs)

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        return super().read_multi_agent(session_id, multi_agent_id.lower(), **kwargs)


def _lower(team: Any) -> Any:
    lower = copy.copy(team)
    lower.id = team.id.lower()
    return lower
