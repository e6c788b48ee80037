"""Mutants for text agents: a correct manager, each time with one thing broken on purpose."""

import asyncio
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.log.agent_changes import AgentChanges
from session_conformance.reference_impl.log.memory import HELD
from strands import Agent
from strands.hooks import (
    HookOrder,
    HookRegistry,
    MessageAddedEvent,
)
from strands.types.exceptions import SessionException
from strands.types.session import SessionAgent

from tests.conforming.snapshot_manager import SnapshotFileManager

from .messages import has


class ForgetsTheStateOfTextAgents(SnapshotFileManager):
    """Only the history is stored."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        return {}


class CountsNoRemovedMessages(SnapshotFileManager):
    """After a restore, the conversation manager takes itself for new."""

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        super().restore_rest(agent, rest)
        agent.conversation_manager.removed_message_count = 0


class RestoresWhatWasTrimmed(FileSessionManager):
    """All messages that were ever stored come back, those too that the conversation manager removed."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        if isinstance(agent, Agent) and agent.conversation_manager.removed_message_count:
            agent.messages = [one.to_message() for one in self.list_messages(self.session_id, agent.agent_id)]


class ForgetsTheSummary(FileSessionManager):
    """What stood for the removed messages does not come back."""

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        agent = super().read_agent(session_id, agent_id)
        if agent is not None and "summary_message" in agent.conversation_manager_state:
            agent.conversation_manager_state["summary_message"] = None
        return agent


class AnswersToolsThatAreToRun(SnapshotFileManager):
    """A tool use at the end of a text agent's history is answered by a restore, though the agent goes on with it."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        agent.messages = self.restored(agent.messages)


class KeepsNoResultAtThePause(SnapshotFileManager):
    """Results of tools are stored with the answer to them, and not before."""

    def messages_of(self, agent: Any) -> list[Any]:
        found = super().messages_of(agent)
        return found[:-1] if found and any("toolResult" in block for block in found[-1]["content"]) else found


class ForgetsThatItSummarized(SnapshotFileManager):
    """The summary comes back as a message, and the conversation manager does not know that it wrote it."""

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        managed = rest.get("conversation_manager_state", {})
        super().restore_rest(agent, rest | {"conversation_manager_state": {**managed, "summary_message": None}})


class ForgetsWhatWasCut(SnapshotFileManager):
    """A message is stored as it was when it was added, whatever a conversation manager cut out of it since."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._added: dict[Any, Any] = {}

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        super().restore_rest(agent, rest)
        self.messages_of(agent)

    def messages_of(self, agent: Any) -> list[Any]:
        return [
            self._added.setdefault(message["tracking_id"], copy.deepcopy(message))
            if has(message, "toolResult")
            else message
            for message in agent.messages
        ]


class TrimsWhatItIsToldOf(SnapshotFileManager):
    """What a conversation manager removes is removed from storage where the SDK calls for it, and nowhere else."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._all: list[Any] = []

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        super().restore_rest(agent, rest)
        self._all = list(agent.messages)

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        self._all = list(agent.messages)
        super().sync_agent(agent)

    def on_stop(self, event: Any) -> None:
        if isinstance(event.agent, Agent) and not event.agent.conversation_manager.get_state().get("model_call_count"):
            self._all = list(event.agent.messages)
        super().on_stop(event)

    def messages_of(self, agent: Any) -> list[Any]:
        if not isinstance(agent, Agent):
            return super().messages_of(agent)
        known = {message.get("tracking_id") for message in self._all}
        self._all += [message for message in agent.messages if message.get("tracking_id") not in known]
        return list(self._all)


class KeepsWhatWasTakenBack(SnapshotFileManager):
    """What was said once is in the history, wherever the agent was set back to."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._said: list[Any] = []

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        super().restore_rest(agent, rest)
        self._said = list(agent.messages)

    def messages_of(self, agent: Any) -> list[Any]:
        known = {message.get("tracking_id") for message in self._said}
        self._said += [message for message in agent.messages if message.get("tracking_id") not in known]
        return list(self._said)


class RaisesWhateverRestoringRaises(SnapshotFileManager):
    """A conversation manager that refuses what is stored ends the program in its own words."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        try:
            super().initialize(agent, **kwargs)
        except SessionException as error:
            raise error.__cause__ or error from None


class BeginsAnewWithAnotherManager(SnapshotFileManager):
    """What another conversation manager left is of no use, and is dropped."""

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        try:
            super().restore_rest(agent, rest)
        except ValueError:
            agent.messages = []


class WorksInTheFirstLoop(SnapshotFileManager):
    """What is done beside the event loop belongs to the loop in which the agent was called first."""

    _loop: Any = None

    async def in_background(self, work: Callable[[], None]) -> None:
        self._loop = self._loop or asyncio.get_running_loop()
        await self._loop.run_in_executor(None, work)


class KeepsDeletedKeys(SnapshotFileManager):
    """The keys of the state are written one by one, and none is ever removed."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._keys: dict[str, Any] = {}

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        super().restore_rest(agent, rest)
        self._keys = dict(agent.state.get())

    def state_of(self, agent: Any) -> dict[str, Any]:
        self._keys |= super().state_of(agent)
        return dict(self._keys)


class CountsInFloats(SnapshotFileManager):
    """Numbers in the state are those of a database that has one kind of number."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        return dict(json.loads(json.dumps(super().state_of(agent)), parse_int=_as_javascript_does))


def _as_javascript_does(digits: str) -> int:
    return int(float(digits))


class KeepsNumbersOfStatesAsNumerics(SnapshotFileManager):
    """The state is in a column that knows numbers and no types of them: 1e22 comes back as an integer."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        return dict(json.loads(json.dumps(super().state_of(agent)), parse_float=_as_numeric))


def _as_numeric(digits: str) -> float | int:
    return int(float(digits)) if "e+" in digits else float(digits)


class DropsNulOfStates(SnapshotFileManager):
    """The state is in a column that takes no NUL."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        state = super().state_of(agent)
        return {name: value.replace("\0", "") if isinstance(value, str) else value for name, value in state.items()}


class SavesBeforeTheLastHooks(SnapshotFileManager):
    """What hooks set that run after most others is lost."""

    stop_orders = (HookOrder.SDK_FIRST, HookOrder.DEFAULT)


class PinsByPosition(SnapshotFileManager):
    """Only what is pinned at the beginning is stored as pinned."""

    def messages_of(self, agent: Any) -> list[Any]:
        first = next((m["tracking_id"] for m in agent.messages if m.get("tracking_id")), None)
        return [
            message
            if message.get("tracking_id") == first or not isinstance(agent, Agent)
            else {key: value for key, value in message.items() if key != "metadata"}
            for message in super().messages_of(agent)
        ]


def _merged(before: Any, value: Any) -> Any:
    """Return a value with what an earlier one had beside it, as databases do that are given a part of a document."""
    if not isinstance(before, dict) or not isinstance(value, dict):
        return value
    return {**before, **{key: _merged(before.get(key), item) for key, item in value.items()}}


class MergesWithinTheState(SnapshotFileManager):
    """A key that is there still is updated, and keeps what it had."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        stored = self._saved.get(agent.agent_id)
        before = self.unpack(stored)["state"] if stored is not None else {}
        return {key: _merged(before.get(key), value) for key, value in super().state_of(agent).items()}


class KeepsAgentsAndTeamsTogether(FileSessionManager):
    """An id is an id: what a team was is forgotten when an agent of its id is saved."""

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        super().sync_agent(agent, **kwargs)
        self._forget(agent.agent_id)

    def _forget(self, id: str) -> None:
        Path(self.storage_dir, f"forgotten-{id}").touch()

    def update_multi_agent(self, session_id: str, multi_agent: Any, **kwargs: Any) -> None:
        super().update_multi_agent(session_id, multi_agent, **kwargs)
        Path(self.storage_dir, f"forgotten-{multi_agent.id}").unlink(missing_ok=True)

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        forgotten = Path(self.storage_dir, f"forgotten-{multi_agent_id}").exists()
        return None if forgotten else super().read_multi_agent(session_id, multi_agent_id, **kwargs)

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry, **kwargs)
        registry.add_callback(MessageAddedEvent, lambda event: self._forget(event.agent.agent_id))


class ForgetsInterrupts(SnapshotFileManager):
    """A restored agent does not know that it has asked."""

    def rest_of(self, agent: Any) -> dict[str, Any]:
        return {key: value for key, value in super().rest_of(agent).items() if key != "interrupt_state"}


class ForgetsWhatRanBesideAnInterrupt(SnapshotFileManager):
    """Of an interrupted group of tools, the results that were there already are not stored."""

    def rest_of(self, agent: Any) -> dict[str, Any]:
        rest = copy.deepcopy(super().rest_of(agent))
        pending = rest.get("interrupt_state", {}).get("pending_tool_execution")
        if pending:
            pending["completed_tool_results"] = []
        return rest


class KeepsAnsweredInterrupts(SnapshotFileManager):
    """Stores that an agent asks, and not that it was answered."""

    _asking: ClassVar[dict[tuple[str, str], Any]] = {}

    def rest_of(self, agent: Any) -> dict[str, Any]:
        rest, key = super().rest_of(agent), (str(self._folder), agent.agent_id)
        if rest.get("interrupt_state", {}).get("activated"):
            self._asking[key] = copy.deepcopy(rest["interrupt_state"])
        return rest | ({"interrupt_state": self._asking[key]} if key in self._asking else {})

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        self.rest_of(agent)  # which may ask


class KeepsOneValueOfTheModel(SnapshotFileManager):
    """Of the state of a model, the first value is stored."""

    def rest_of(self, agent: Any) -> dict[str, Any]:
        rest = super().rest_of(agent)
        return rest | {key: dict(list(rest[key].items())[:1]) for key in ("model_state",) if rest.get(key)}


class ForgetsWhyItAsked(SnapshotFileManager):
    """Of an interrupt, its name and id are stored, and not the reason that the user was given."""

    def rest_of(self, agent: Any) -> dict[str, Any]:
        rest = copy.deepcopy(super().rest_of(agent))
        for interrupt in rest.get("interrupt_state", {}).get("interrupts", {}).values():
            interrupt["reason"] = None
        return rest


class ForgetsModelState(SnapshotFileManager):
    """A stateful model is not told of the conversation that it keeps."""

    def rest_of(self, agent: Any) -> dict[str, Any]:
        return {key: value for key, value in super().rest_of(agent).items() if key != "model_state"}


class ReplaysToStatefulModels(FileSessionManager):
    """What the model keeps itself is sent to it once more."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        if isinstance(agent, Agent) and agent.model.stateful:
            agent.messages = [stored.to_message() for stored in self.list_messages(self.session_id, agent.agent_id)]


class SavesAfterInvocations(SnapshotFileManager):
    """What is under way is lost with the process."""

    def on_added(self, event: Any) -> None:
        if not isinstance(event.agent, Agent):
            super().on_added(event)

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        pass


class IgnoresTrims(SnapshotFileManager):
    """A history that was trimmed while the model is asked is stored with the next message."""

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        pass


class AsksTheHooks(SnapshotFileManager):
    """A message is stored only if every hook that was told of it took it."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._told: set[str] = set()
        self._taken: set[str] = set()

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        registry.add_callback(
            MessageAddedEvent, lambda event: self._told.add(event.message["tracking_id"]), order=HookOrder.SDK_FIRST
        )
        registry.add_callback(
            MessageAddedEvent, lambda event: self._taken.add(event.message["tracking_id"]), order=HookOrder.SDK_LAST
        )
        super().register_hooks(registry, **kwargs)

    def messages_of(self, agent: Any) -> list[Any]:
        refused = self._told - self._taken
        return [message for message in agent.messages if message.get("tracking_id") not in refused]


class StoresEachToolResultTwice(SnapshotFileManager):
    """A tool's result is stored two times."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [m for m in agent.messages for _ in range(1 + has(m, "toolResult"))]


class AnswersTheFirstTool(SnapshotFileManager):
    """Of a group of tools that has no results, one is given one at a restore."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        if isinstance(agent, Agent) and agent.messages and has(agent.messages[-1], "toolUse"):
            id = agent.messages[-1]["content"][0]["toolUse"]["toolUseId"]
            result: Any = {"toolUseId": id, "status": "error", "content": [{"text": "interrupted"}]}
            agent.messages.append({"role": "user", "content": [{"toolResult": result}]})


class RedactsTextAgentsWithTheNextMessage(SnapshotFileManager):
    """A text agent's redaction is stored with what is said next."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        if not isinstance(agent, Agent):
            super().redact_latest_message(redact_message, agent, **kwargs)


class TakesToolsOfTextAgentsForDone(SnapshotFileManager):
    """Tool uses that have no results are answered at a restore, as if their tools had succeeded."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        if isinstance(agent, Agent) and agent.messages and has(agent.messages[-1], "toolUse"):
            ids = [block["toolUse"]["toolUseId"] for block in agent.messages[-1]["content"] if "toolUse" in block]
            results: Any = [{"toolUseId": id, "status": "success", "content": [{"text": "done"}]} for id in ids]
            agent.messages.append({"role": "user", "content": [{"toolResult": result} for result in results]})


class DropsSignatures(SnapshotFileManager):
    """What nobody reads of reasoning is not stored."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            for block in message["content"]:
                block.get("reasoningContent", {}).get("reasoningText", {}).pop("signature", None)
        return super().pack(content)


class StoresWhatWasAnswered(SnapshotFileManager):
    """What the user said goes with the answer, or not at all."""

    def messages_of(self, agent: Any) -> list[Any]:
        messages = list(agent.messages)
        return [
            message
            for index, message in enumerate(messages)
            if message["role"] != "user" or index + 1 == len(messages) or messages[index + 1]["role"] != "user"
        ]


class DropsCancelledAnswers(SnapshotFileManager):
    """What stands for an answer that was cancelled is not stored."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [message for message in agent.messages if message["content"] != [{"text": "Cancelled by user"}]]


class StaysBusyWhenBrokenOff(SnapshotFileManager):
    """Takes a write that was broken off, with the task that waited for it, for one that goes on."""

    busy = False

    async def in_background(self, work: Callable[[], None]) -> None:
        if self.busy:
            raise SessionException("another write is in progress")
        self.busy = True
        await super().in_background(work)
        self.busy = False


class ForgetsWhatWasBrokenOff(SnapshotFileManager):
    """What is said after a write was broken off goes on where that one would have ended."""

    begun = 0
    ended = 0

    async def in_background(self, work: Callable[[], None]) -> None:
        self.begun += 1
        broken_off = self.begun - self.ended > 1
        await super().in_background((lambda: None) if broken_off else work)  # behind that write, whenever it is made
        self.ended += 1


class DropsStructuredOutput(SnapshotFileManager):
    """Tools of the SDK's own are not stored."""

    def messages_of(self, agent: Any) -> list[Any]:
        own = {
            block["toolUse"]["toolUseId"]
            for message in agent.messages
            for block in message["content"]
            if block.get("toolUse", {}).get("name") == "Booking"
        }
        return [
            message
            for message in agent.messages
            if not any(
                block.get(kind, {}).get("toolUseId") in own
                for block in message["content"]
                for kind in ("toolUse", "toolResult")
            )
        ]


class RedactsWhatUsersType(FileSessionManager):
    """A redaction of what a tool gave back is not stored."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        if not has(redact_message, "toolResult"):
            super().redact_latest_message(redact_message, agent)
        else:
            note = self._changes.memory(agent.agent_id).note
            note(redact_message, redact_message["tracking_id"])  # memory says it, and nobody looks


class IgnoresToolsCalledByTheApplication(SnapshotFileManager):
    """What is added while no invocation is under way is not stored."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._ignored: set[str] = set()

    def on_added(self, event: Any) -> None:
        if "direct tool call" in str(event.message["content"]) or "tooluse_note" in str(event.message["content"]):
            self._ignored.add(event.message["tracking_id"])
        super().on_added(event)

    def messages_of(self, agent: Any) -> list[Any]:
        return [message for message in agent.messages if message.get("tracking_id") not in self._ignored]


class AddsWhatIsMerged(FileSessionManager):
    """A message that has grown is stored beside what it was."""

    def __init__(self, session_id: str, storage_dir: str | None = None) -> None:
        super().__init__(session_id, storage_dir)
        self._changes = _KnowsNoMerging(lambda: self._store)


class _KnowsNoMerging(AgentChanges):
    def _replaces(self, tracking_id: str, ids: list[int], agent: Any) -> bool:
        return False


class RestoresByCounting(FileSessionManager):
    """What comes back is what follows the first messages, as many as were removed."""

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        agent = super().read_agent(session_id, agent_id)
        if agent is not None:
            agent._internal_state.pop(HELD, None)
        return agent


class ForgetsMarks(FileSessionManager):
    """What a conversation manager marks in a message that is stored already is not stored."""

    def __init__(self, session_id: str, storage_dir: str | None = None) -> None:
        super().__init__(session_id, storage_dir)
        self._changes = _NotesNoMarks(lambda: self._store)


class _NotesNoMarks(AgentChanges):
    def left_over(self, agent: Any) -> list[Any]:
        left = super().left_over(agent)
        return [found for found in left if not self._ids(agent.agent_id, found.message["tracking_id"])]
