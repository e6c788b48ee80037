"""Mutants: a correct manager, each time with one thing broken on purpose."""

import base64
import contextlib
import copy
import itertools
import json
import locale
import os
import re
import shutil
import signal
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.file_session_manager import delete_session
from session_conformance.reference_impl.log.codec import decode, encode
from strands.bidi.hooks import BidiAfterConnectionRestartEvent, BidiAgentStopEvent, BidiBargeInEvent
from strands.hooks import HookOrder, HookRegistry, MessageAddedEvent
from strands.types.exceptions import SessionException
from strands.types.session import decode_bytes_values

from tests.conforming.chained_journal_manager import ChainedJournalManager
from tests.conforming.snapshot_manager import SnapshotFileManager


def bidi_of(message: Any) -> dict[str, Any]:
    return ((message.get("metadata") or {}).get("custom") or {}).get("bidi") or {}


def has(message: Any, *kinds: str) -> bool:
    return any(kind in block for block in message["content"] for kind in kinds)


def anybodys(*_: Any) -> None:
    """Take what lies there, whoever's it is."""


# -- life of a session -------------------------------------------------------------------------------------


class StoresNothingAtStart(SnapshotFileManager):
    """A session is in storage only with its first message."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if self.load(agent) is None:
            self.claim(agent)
        else:
            super().initialize(agent)


class DropsMetadata(SnapshotFileManager):
    """Metadata is not stored."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [{key: value for key, value in m.items() if key != "metadata"} for m in agent.messages]


class KeepsHistoryInAClassAttribute(SnapshotFileManager):
    """Everything is found again, but in this process only."""

    kept: dict[Path, bytes] = {}  # noqa: RUF012 - sharing it is the fault

    def load(self, agent: Any) -> bytes | None:
        return self.kept.get(self.path(agent.agent_id))

    def write(self, path: Path, data: bytes) -> None:
        self.kept[path] = data
        path.write_bytes(b"looks like something")


class SavesStateWithMessagesOnly(SnapshotFileManager):
    """State that changed after the last message is lost."""

    def on_stop(self, event: Any) -> None:
        pass


class DoublesTheLastMessageAtStop(SnapshotFileManager):
    """Each stop stores the last message once more."""

    def on_stop(self, event: Any) -> None:
        event.agent.messages += copy.deepcopy(event.agent.messages[-1:])
        super().on_stop(event)


class LogsEachRestore(SnapshotFileManager):
    """Storage grows with each restore."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        with (self._folder / "restores.log").open("a") as log:
            log.write("restored\n")


class ForgetsConstructorMessages(SnapshotFileManager):
    """What the constructor was given is not stored for a new session."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if self.load(agent) is None:
            agent.messages = []
        super().initialize(agent)


class PrefersConstructorMessages(SnapshotFileManager):
    """What the constructor was given hides what is stored."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        given = agent.messages
        super().initialize(agent)
        agent.messages = given or agent.messages


class PrefersConstructorState(SnapshotFileManager):
    """The state that the constructor was given hides what is stored."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        given = dict(agent.state.get())
        super().initialize(agent)
        for key, value in given.items():
            agent.state.set(key, value)


class MergesStates(SnapshotFileManager):
    """What is stored of a state is laid over the constructor's: a key that was deleted comes back."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        given = dict(agent.state.get())
        super().initialize(agent)
        for key in given.keys() - dict(agent.state.get()).keys():
            agent.state.set(key, given[key])


class OneFileForAllAgents(SnapshotFileManager):
    """The agents of a session overwrite each other."""

    check_whose = anybodys

    def path(self, agent_id: str) -> Path:
        return self._folder / "agent"


class AcceptsAnAgentTwice(SnapshotFileManager):
    """Two agents with one id write one history."""

    def claim(self, agent: Any) -> None:
        pass


class GivesNewAgentsTheOldHistory(SnapshotFileManager):
    """An agent added to a session begins with what another said."""

    check_whose = anybodys

    def load(self, agent: Any) -> bytes | None:
        mine = super().load(agent)
        others = sorted(self._folder.glob("*")) if self._folder.exists() else []
        return mine if mine is not None or not others else self.unseal(others[0].read_bytes())


class SavesAtStopOnly(SnapshotFileManager):
    """A process that ends without stop() loses all."""

    def on_added(self, event: Any) -> None:
        pass

    on_updated = on_restart = on_added


class CannotRestoreAnEmptySession(SnapshotFileManager):
    """A session without a message is taken for a damaged one."""

    def restored(self, messages: list[Any]) -> list[Any]:
        if not messages:
            raise SessionException("no message is stored")
        return super().restored(messages)


class CountsItsReaders(SnapshotFileManager):
    """Opening a session writes how often it was opened."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        counter = self._folder / "opened"
        counter.write_text(f"{(int(counter.read_text()) if counter.exists() else 0) + 1:08d}")


class NotesWhoReads(SnapshotFileManager):
    """Opening a session writes which process has it open."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        (self._folder / "reader").write_text(f"{os.getpid():08d}")


# -- persistence before hooks ------------------------------------------------------------------------------


class PersistsAfterUserHooks(SnapshotFileManager):
    """Messages are stored in the order in which hooks were registered: after the user's."""

    added_order = HookOrder.DEFAULT


class PersistsUpdatesAfterUserHooks(SnapshotFileManager):
    """Updates are stored after the user's hooks."""

    updated_order = HookOrder.DEFAULT


class LeavesTranscriptsOfUsersToTheNextSave(SnapshotFileManager):
    """What the user said is replaced in storage with the next message, since it is the answer that streams."""

    def on_updated(self, event: Any) -> None:
        if event.message["role"] == "assistant":
            super().on_updated(event)


class PersistsToolsAfterUserHooks(SnapshotFileManager):
    """Tool uses and results are stored after the user's hooks."""

    def on_added(self, event: Any) -> None:
        if not has(event.message, "toolUse", "toolResult"):
            super().on_added(event)

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry)
        registry.add_callback(MessageAddedEvent, lambda event: self.save(event.agent), order=HookOrder.SDK_LAST)


class WaitsForTheAnswer(SnapshotFileManager):
    """A user's message is stored with the answer to it."""

    def on_added(self, event: Any) -> None:
        if event.message["role"] == "assistant":
            super().on_added(event)


class SortsByTrackingId(SnapshotFileManager):
    """Storage has an order of its own."""

    def restored(self, messages: list[Any]) -> list[Any]:
        return sorted(messages, key=lambda message: str(message.get("tracking_id")))


class HoldsTheLastMessageBack(SnapshotFileManager):
    """The latest message is stored with the next one."""

    def messages_of(self, agent: Any) -> list[Any]:
        return list(agent.messages[:-1])

    def on_stop(self, event: Any) -> None:
        pass


class StopsBeforeStopHooks(SnapshotFileManager):
    """What a stop hook changes is not stored."""

    stop_orders = (HookOrder.SDK_FIRST,)


class SwallowsStorageErrors(SnapshotFileManager):
    """A full disk is nobody's business."""

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        with contextlib.suppress(SessionException):
            super()._write_for_good(agent_id, path, data)


class TellsOfLostMessagesOnly(SnapshotFileManager):
    """A full disk matters where a message is added: what else has changed is written with the next one."""

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        before = len(self.unpack(self._saved[agent_id])["messages"]) if agent_id in self._saved else -1
        more = len(self.unpack(data)["messages"]) > before
        with contextlib.nullcontext() if more else contextlib.suppress(SessionException):
            super()._write_for_good(agent_id, path, data)


class StopsInSilence(TellsOfLostMessagesOnly):
    """Only a redaction is as serious as a message."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        super().redact_latest_message(redact_message, agent)
        if agent.agent_id not in self._saved or "[redacted]" not in str(self.unpack(self._saved[agent.agent_id])):
            raise SessionException("the redaction is not stored")


# -- updates and redaction ---------------------------------------------------------------------------------


class OwnHistory(SnapshotFileManager):
    """Keeps a list of its own, as managers of single messages do, instead of the agent's."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._own: dict[str, list[Any]] = {}

    def own(self, event: Any) -> list[Any]:
        return self._own[event.agent.agent_id]

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        self._own[agent.agent_id] = copy.deepcopy(agent.messages)

    def on_added(self, event: Any) -> None:
        self.own(event).append(copy.deepcopy(event.message))
        super().on_added(event)

    def messages_of(self, agent: Any) -> list[Any]:
        return self._own.get(agent.agent_id) or list(agent.messages)


class IgnoresUpdates(OwnHistory):
    """What replaces a message is not stored."""


class AppendsUpdates(OwnHistory):
    """What replaces a message is stored as one more."""

    def on_updated(self, event: Any) -> None:
        self.own(event).append(copy.deepcopy(event.message))
        super().on_updated(event)


class UpdatesTheLatestMessage(OwnHistory):
    """What replaces a message is stored in place of the latest."""

    def on_updated(self, event: Any) -> None:
        self.own(event)[-1] = copy.deepcopy(event.message)
        super().on_updated(event)


class ForgetsWhatFollowsAnUpdate(OwnHistory):
    """A late update cuts off the messages that came after it."""

    def on_updated(self, event: Any) -> None:
        place = [message["tracking_id"] for message in self.own(event)].index(event.message["tracking_id"])
        self.own(event)[place:] = [copy.deepcopy(event.message)]
        super().on_updated(event)


class LeavesIncompleteStreamsPending(SnapshotFileManager):
    """A stream that never completed is stored as if it were under way."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return super().pack(content).replace(b'"incomplete"', b'"pending"')


class KeepsTheOriginalOfARedaction(SnapshotFileManager):
    """The redacted message is what a restore returns, unredacted."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._first: dict[str, Any] = {}

    def messages_of(self, agent: Any) -> list[Any]:
        return [
            message if bidi_of(message) else self._first.setdefault(message["tracking_id"], copy.deepcopy(message))
            for message in agent.messages
        ]


class KeepsBackups(SnapshotFileManager):
    """Each earlier state stays in a file beside."""

    def write(self, path: Path, data: bytes) -> None:
        if path.exists():
            path.with_suffix(f".{len(list(path.parent.iterdir()))}.backup").write_bytes(path.read_bytes())
        super().write(path, data)


class RedactsWithTheNextMessage(SnapshotFileManager):
    """A redaction is stored with what is said next."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        pass


class ClearsUpWhenOpened(SnapshotFileManager):
    """The state before the last write stays in a file beside, until the session is opened anew."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent, **kwargs)
        for backup in self._folder.glob("*.backup"):
            backup.unlink()

    def write(self, path: Path, data: bytes) -> None:
        if path.exists():
            path.with_suffix(f".{len(list(path.parent.iterdir()))}.backup").write_bytes(path.read_bytes())
        super().write(path, data)


class StopsAsItRemembers(FileSessionManager):
    """When an agent stops, what it has in memory is written over what is stored."""

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry, **kwargs)
        registry.add_callback(BidiAgentStopEvent, self._write_all, order=HookOrder.SDK_LAST)

    def _write_all(self, event: Any) -> None:
        agent = event.agent
        remembered = {message.get("tracking_id"): message for message in agent.messages}
        for stored in self.list_messages(self.session_id, agent.agent_id):
            message = remembered.get(stored.to_message().get("tracking_id"))
            if message is not None and stored.to_message()["content"] != message["content"]:
                stored.message, stored.redact_message = message, None
                self.update_message(self.session_id, agent.agent_id, stored)


# -- restart and replay ------------------------------------------------------------------------------------


class ForgetsReasoning(SnapshotFileManager):
    """Reasoning is replayed and not stored."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [message for message in agent.messages if not has(message, "reasoningContent")]


class LosesTheLastMessageWhereItIsToldHowToResume(SnapshotFileManager):
    """A restart for which the provider says how to resume forgets the last message."""

    def on_restart(self, event: Any) -> None:
        if getattr(event.timeout_error, "restart_config", None) and event.agent.messages:
            event.agent.messages.pop()
        super().on_restart(event)


class LosesTheOldestMessageAtRestarts(SnapshotFileManager):
    """Each restart makes room."""

    def on_restart(self, event: Any) -> None:
        del event.agent.messages[0]
        super().on_restart(event)


class DropsCutStreams(SnapshotFileManager):
    """What was cut off is not worth storing."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [message for message in agent.messages if bidi_of(message).get("status") != "incomplete"]


class StoresToolResultsTwice(SnapshotFileManager):
    """A tool's result is stored two times."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [m for m in agent.messages for _ in range(1 + (bidi_of(m).get("kind") == "tool_result"))]

    def restored(self, messages: list[Any]) -> list[Any]:
        return messages


class GivesUpAfterAFailedRestart(SnapshotFileManager):
    """A restart that fails empties the session."""

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry)
        registry.add_callback(BidiAfterConnectionRestartEvent, self._after_restart, order=HookOrder.SDK_FIRST)

    def _after_restart(self, event: Any) -> None:
        if event.exception is not None:
            event.agent.messages = []
            self.save(event.agent)


class DoublesTheHistoryAtScheduledRestarts(SnapshotFileManager):
    """A scheduled restart restores what is in memory already."""

    def on_restart(self, event: Any) -> None:
        if event.reason == "scheduled":
            event.agent.messages += copy.deepcopy(event.agent.messages)
        super().on_restart(event)


class RestoresTheLastTurn(SnapshotFileManager):
    """A restore brings back the last two messages."""

    def restored(self, messages: list[Any]) -> list[Any]:
        return super().restored(messages)[-2:]


class DoublesTheFirstMessageAfterARestart(OwnHistory):
    """What was sent during a restart is stored at both ends of it."""

    restarted = False

    def on_restart(self, event: Any) -> None:
        self.restarted = True
        super().on_restart(event)

    def on_added(self, event: Any) -> None:
        if self.restarted:
            self.own(event).append(copy.deepcopy(event.message))
            self.restarted = False
        super().on_added(event)

    def on_updated(self, event: Any) -> None:
        place = [message["tracking_id"] for message in self.own(event)].index(event.message["tracking_id"])
        self.own(event)[place] = copy.deepcopy(event.message)
        super().on_updated(event)


class DropsTheLastMessageAtStop(SnapshotFileManager):
    """The end of a conversation is not stored."""

    def on_stop(self, event: Any) -> None:
        kept = event.agent.messages
        event.agent.messages = kept[:-1]
        super().on_stop(event)
        event.agent.messages = kept


class KnowsRestartableModelsOnly(SnapshotFileManager):
    """A model without restart() gets the last message alone."""

    def on_restart(self, event: Any) -> None:
        if not hasattr(event.agent.model, "restart"):
            event.agent.messages = event.agent.messages[-1:]
        super().on_restart(event)


class SortsMessageNumbersAsText(SnapshotFileManager):
    """Message 10 comes before message 2."""

    def restored(self, messages: list[Any]) -> list[Any]:
        return [message for _, message in sorted((str(number), m) for number, m in enumerate(messages))]


class ForgetsWhatWasBargedInOn(SnapshotFileManager):
    """What the assistant was saying when the user spoke is dropped."""

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry)
        registry.add_callback(BidiBargeInEvent, self._barged_in)

    cut: str | None = None

    def _barged_in(self, event: Any) -> None:
        self.cut = event.agent.messages[-1]["tracking_id"]

    def messages_of(self, agent: Any) -> list[Any]:
        return [message for message in agent.messages if message.get("tracking_id") != self.cut]


# -- tools -------------------------------------------------------------------------------------------------


class SplitsToolGroups(SnapshotFileManager):
    """Each result of a group is stored as a message."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [
            {**message, "content": [block]} if has(message, "toolResult") else message
            for message in agent.messages
            for block in (message["content"] if has(message, "toolResult") else [None])
        ]

    def restored(self, messages: list[Any]) -> list[Any]:
        return messages


class ForgetsToolStatus(SnapshotFileManager):
    """Every tool succeeded."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return super().pack(content).replace(b'"status":"error"', b'"status":"success"')


class AnswersInTheNextMessage(SnapshotFileManager):
    """A result that is made up lands in the message behind the tool use, whosever that is."""

    def restored(self, messages: list[Any]) -> list[Any]:
        whole = super().restored(messages)
        for place, message in enumerate(whole[:-1]):
            if "Tool was interrupted." in str(message["content"]) and whole[place + 1] in messages:
                merged = {**whole[place + 1], "content": message["content"] + whole[place + 1]["content"]}
                return [*whole[:place], merged, *whole[place + 2 :]]
        return whole


class KeepsSecondResults(SnapshotFileManager):
    """What was answered twice is restored twice."""

    def restored(self, messages: list[Any]) -> list[Any]:
        whole = super().restored(messages)
        answered = {block["toolResult"]["toolUseId"] for m in whole for block in m["content"] if "toolResult" in block}
        return messages if answered and len(whole) < len(messages) else whole


class RestoresWithoutRepair(SnapshotFileManager):
    """A tool use without a result is given to the model as it is."""

    def restored(self, messages: list[Any]) -> list[Any]:
        return messages


class TakesToolsForDone(SnapshotFileManager):
    """A tool use without a result is answered as if its tool had done all that it was asked."""

    def restored(self, messages: list[Any]) -> list[Any]:
        whole = super().restored(messages)
        for message in whole:
            for block in message["content"]:
                if block.get("toolResult", {}).get("content") == [{"text": "Tool was interrupted."}]:
                    block["toolResult"] |= {"status": "success", "content": [{"text": ""}]}
        return whole


class SavesStateAtStop(SnapshotFileManager):
    """State is stored when the agent stops."""

    state: dict[str, Any] = {}  # noqa: RUF012

    def state_of(self, agent: Any) -> dict[str, Any]:
        return self.state

    def on_stop(self, event: Any) -> None:
        self.state = event.agent.state.get()
        super().on_stop(event)


class IgnoresDirectToolCalls(SnapshotFileManager):
    """What is added while the agent is stopped is not stored."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._ignored: set[str] = set()

    def on_added(self, event: Any) -> None:
        if not event.agent._started:
            self._ignored.add(event.message["tracking_id"])
        super().on_added(event)

    def messages_of(self, agent: Any) -> list[Any]:
        return [message for message in agent.messages if message.get("tracking_id") not in self._ignored]


# -- content -----------------------------------------------------------------------------------------------


class StripsNul(SnapshotFileManager):
    """NUL characters are taken out of texts."""

    def messages_of(self, agent: Any) -> list[Any]:
        messages = copy.deepcopy(agent.messages)
        for message in messages:
            for block in message["content"]:
                if "text" in block:
                    block["text"] = block["text"].replace("\0", "")
        return messages


class DropsBytesInToolResults(SnapshotFileManager):
    """Images and documents in tool results are not stored."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            for block in message["content"]:
                for inner in block.get("toolResult", {}).get("content", []):
                    inner.pop("image", None)
        return super().pack(content)


class DropsCachePoints(SnapshotFileManager):
    """A content block that nobody reads is not stored."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            message["content"] = [block for block in message["content"] if "cachePoint" not in block]
        return super().pack(content)


class JoinsTextsOfResults(SnapshotFileManager):
    """What a tool returned is one text, or what it is."""

    def pack(self, content: dict[str, Any]) -> bytes:
        results = [
            block["toolResult"] for one in content["messages"] for block in one["content"] if "toolResult" in block
        ]
        for result in results:
            if len(result["content"]) > 1 and all("text" in part for part in result["content"]):
                result["content"] = [{"text": "".join(part["text"] for part in result["content"])}]
        return super().pack(content)


class CutsNamesOfTools(SnapshotFileManager):
    """The name of a tool is in a column of 50 characters."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            for block in message["content"]:
                if "toolUse" in block:
                    block["toolUse"]["name"] = block["toolUse"]["name"][:50]
        return super().pack(content)


class TakesInputsForObjects(SnapshotFileManager):
    """What a tool is given is an object, or nothing."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            for block in message["content"]:
                if "toolUse" in block and not isinstance(block["toolUse"]["input"], dict):
                    block["toolUse"]["input"] = {}
        return super().pack(content)


class ReadsOnePage(SnapshotFileManager):
    """Restores what the first page of an answer has room for, which is 1 MB."""

    def restored(self, messages: list[Any]) -> list[Any]:
        lengths = itertools.accumulate(len(repr(message)) for message in messages)
        return super().restored([one for one, length in zip(messages, lengths, strict=True) if length < 1_000_000])


class DropsWhatIsNull(SnapshotFileManager):
    """What a tool was not given is not stored."""

    def pack(self, content: dict[str, Any]) -> bytes:
        uses = [block["toolUse"] for one in content["messages"] for block in one["content"] if "toolUse" in block]
        for use in uses:
            use["input"] = {name: value for name, value in use["input"].items() if value is not None}
        return super().pack(content)


class CutsLongStates(SnapshotFileManager):
    """A column for a state has room for so much."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        state = super().state_of(agent)
        return {name: value[:65_535] if isinstance(value, str) else value for name, value in state.items()}


class DecodesTheSdksMarker(SnapshotFileManager):
    """Content that looks like encoded bytes is decoded."""

    def unpack(self, data: bytes) -> Any:
        return decode_bytes_values(super().unpack(data))


class LeavesItsOwnMarkerAsItIs(SnapshotFileManager):
    """Bytes are marked in a way that nobody else has, and content that has the mark is taken for bytes."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return json.dumps(content, default=lambda data: {"~raw": base64.b64encode(data).decode()}).encode()

    def unpack(self, data: bytes) -> Any:
        return json.loads(data, object_hook=lambda one: base64.b64decode(one["~raw"]) if set(one) == {"~raw"} else one)


class ReadsIntegersAsFloats(SnapshotFileManager):
    """Numbers of tools come back as floats."""

    def unpack(self, data: bytes) -> Any:
        content = super().unpack(data)
        for message in content["messages"]:
            for block in message["content"]:
                if "toolUse" in block:
                    block["toolUse"]["input"] = json.loads(json.dumps(block["toolUse"]["input"]), parse_int=float)
        return content


class StoresWhatItCannot(SnapshotFileManager):
    """What JSON has no form for is stored as its repr."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return encode(_with_reprs(content))


class StoresWhateverComes(SnapshotFileManager):
    """What is no message is stored as one."""

    def check_message(self, message: Any) -> None:
        pass


class CutsLongTexts(SnapshotFileManager):
    """A text has room for so many characters."""

    def messages_of(self, agent: Any) -> list[Any]:
        return [
            {**message, "content": [_cut(block) for block in message["content"]]}
            for message in super().messages_of(agent)
        ]


def _cut(block: Any) -> Any:
    return {**block, "text": block["text"][: 2**22]} if "text" in block else block


class ForgetsTheSignOfZero(SnapshotFileManager):
    """Zero is zero."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return super().pack(_without_minus(content))


def _without_minus(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_minus(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_minus(item) for item in value]
    return 0.0 if isinstance(value, float) and value == 0 else value


def _with_reprs(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_reprs(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_reprs(item) for item in value]
    try:
        encode(value)
    except SessionException:
        return ascii(value)
    return value


class NormalisesLineEnds(SnapshotFileManager):
    """A carriage return becomes a line end."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return re.sub(rb"(?<!\\)\\r", rb"\\n", super().pack(content))


class SwallowsErrorsOfOneSync(SnapshotFileManager):
    """A new file takes four syncs, of which each is heard of; an old one takes three, and one is not."""

    def write(self, path: Path, data: bytes) -> None:
        is_new = not path.exists()
        for _ in range(2 if is_new else 1):
            self.sync_folder(path.parent)
        temporary = path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            with contextlib.suppress(*([] if is_new else [OSError])):
                self.sync(file.fileno())
        temporary.replace(path)
        self.sync_folder(path.parent)


class BelievesTheSecondSync(SnapshotFileManager):
    """A sync that fails is tried again: the system has told of the error, and takes what it lost for written."""

    def sync(self, descriptor: int) -> None:
        try:
            super().sync(descriptor)
        except OSError:
            super().sync(descriptor)


class TakesSpacesForOneAnother(SnapshotFileManager):
    """A space that no line is broken at becomes one like any other, as in compatibility forms (NFKC)."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return super().pack(content).replace(rb"\u00a0", b" ").replace("\u00a0".encode(), b" ")


class PutsToolUsesLast(SnapshotFileManager):
    """Tool uses are kept apart from the rest of a message, and put behind it."""

    def pack(self, content: dict[str, Any]) -> bytes:
        for message in content["messages"]:
            message["content"] = sorted(message["content"], key=lambda block: "toolUse" in block)
        return super().pack(content)


class MisreadsEmptyLists(SnapshotFileManager):
    """An empty list comes back as null."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return super().pack(content).replace(b":[]", b":null").replace(b'"messages":null', b'"messages":[]')


# -- identity and isolation --------------------------------------------------------------------------------


class JoinsIdIntoPath(SnapshotFileManager):
    """An id is a path."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__("anything", storage_dir)
        self.session_id = session_id
        self._folder = Path(storage_dir) / f"session_{session_id}".replace("\0", "")


class FoldsCase(SnapshotFileManager):
    """Ids that differ in case are one session."""

    check_whose = anybodys

    def folder_name(self, session_id: str) -> str:
        return super().folder_name(session_id.lower())


class RefusesMailAddresses(SnapshotFileManager):
    """An id that the documentation shows is refused."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        if "@" in session_id:
            raise ValueError("an id has letters and digits")
        super().__init__(session_id, storage_dir)


class BreaksOnSpaces(SnapshotFileManager):
    """An id with a space fails with an error that says nothing."""

    def folder_name(self, session_id: str) -> str:
        return super().folder_name({" ": {}}.get(session_id[:1], session_id)[:200])  # type: ignore[call-overload]


class TakesSessionsForOthers(SnapshotFileManager):
    """Sessions are kept in sixteen places."""

    check_whose = anybodys

    def folder_name(self, session_id: str) -> str:
        return str(sum(session_id.encode()) % 16)

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        pass


# -- corruption --------------------------------------------------------------------------------------------


class RaisesWhateverComes(SnapshotFileManager):
    """What parsing raises is what the application gets."""

    def load(self, agent: Any) -> bytes | None:
        path = self.path(agent.agent_id)
        self._sealed[agent.agent_id] = path.read_bytes() if path.exists() else None  # type: ignore[assignment]
        return self.unseal(path.read_bytes()) if path.exists() else None


class EndsTheProcessAtWhatIsCutShort(SnapshotFileManager):
    """The system ends the process, as it does where an engine has mapped a file that is shorter than it says."""

    def read(self, path: Path) -> bytes | None:
        whole = super().read(path)
        if whole is not None and not whole.endswith(b"}"):
            os.kill(os.getpid(), signal.SIGBUS)
        return whole


class HasNoChecksum(SnapshotFileManager):
    """What can be parsed is right."""

    def unseal(self, sealed: bytes) -> bytes:
        return sealed.partition(b"\n")[2]


class RemovesWhatItCannotRead(SnapshotFileManager):
    """A damaged session is in the way."""

    def load(self, agent: Any) -> bytes | None:
        try:
            return super().load(agent)
        except SessionException:
            with contextlib.suppress(OSError):
                self.path(agent.agent_id).unlink()
                self._folder.rename(self._folder.with_suffix(".damaged"))
            raise


class ReadsAllSessions(SnapshotFileManager):
    """Opening one session looks into every other."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        for path in self._folder.parent.glob("*/*"):
            try:
                self.unseal(path.read_bytes())
            except (ValueError, OSError) as error:
                raise SessionException(f"session {self.session_id!r}: {path}: {error}") from error
        super().initialize(agent)


class RepairsByForgetting(SnapshotFileManager):
    """A repaired session is an empty one."""

    @staticmethod
    def repair(session_id: str, storage_dir: str) -> None:
        SnapshotFileManager(session_id, storage_dir).delete_session(session_id)


class SaysThatSomethingIsWrong(SnapshotFileManager):
    """Its errors name nothing."""

    def load(self, agent: Any) -> bytes | None:
        try:
            return super().load(agent)
        except SessionException:
            raise SessionException("the session cannot be loaded") from None


class TakesWhatLiesThere(SnapshotFileManager):
    """What lies where a session should is the session."""

    check_whose = anybodys


# -- crashes and full disks --------------------------------------------------------------------------------


class WritesInPlace(SnapshotFileManager):
    """The old state is gone before the new one is there."""

    def write(self, path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            self.sync(file.fileno())
        self.sync_folder(path.parent)


class NeverSyncs(SnapshotFileManager):
    """The operating system will see to it."""

    def sync(self, descriptor: int) -> None:
        pass


class NeverSyncsFolders(SnapshotFileManager):
    """A rename without a sync of the folder."""

    def sync_folder(self, folder: Path) -> None:
        pass


class SyncsAfterTheAcknowledgement(SnapshotFileManager):
    """What one write wrote is synced by the next one."""

    unsynced: Path | None = None

    def write(self, path: Path, data: bytes) -> None:
        if self.unsynced is not None and self.unsynced.exists():
            with self.unsynced.open("rb") as file:
                os.fsync(file.fileno())
        self.unsynced = path
        super().write(path, data)

    def sync(self, descriptor: int) -> None:
        pass


class GivesUpAfterAFault(SnapshotFileManager):
    """A manager that could not write once never writes again."""

    broken = False

    def write(self, path: Path, data: bytes) -> None:
        if self.broken:
            raise OSError("it could not be written before")
        try:
            super().write(path, data)
        except OSError:
            self.broken = True
            raise


class StoresAgainWhatFailed(SnapshotFileManager):
    """What was said as a write failed is kept for the next write, though memory has it too."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._failed: list[Any] = []

    def messages_of(self, agent: Any) -> list[Any]:
        return [*super().messages_of(agent), *self._failed]

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        try:
            super()._write_for_good(agent_id, path, data)
        except SessionException:
            self._failed = self.unpack(data)["messages"][-1:]
            raise


class SwallowsErrorsOfSyncs(SnapshotFileManager):
    """What could not be synced can be read all the same."""

    def sync(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            super().sync(descriptor)


class LocksWritersOut(SnapshotFileManager):
    """A lock file that a killed process does not remove, and that readers need not heed."""

    def write(self, path: Path, data: bytes) -> None:
        try:
            lock = (path.parent / "lock").open("x")
        except FileExistsError:
            raise OSError(f"session {self.session_id!r} is locked by {path.parent / 'lock'}") from None
        with lock:
            super().write(path, data)
        (path.parent / "lock").unlink()


class TakesAFolderThatIsThereForStored(SnapshotFileManager):
    """Whoever finds a session's folder need not sync its name: somebody has made it."""

    def sync_name_of_folder(self, folder: Path, *, made: bool) -> None:
        if made:
            super().sync_name_of_folder(folder, made=made)


class SyncsTheNameOfANewFile(SnapshotFileManager):
    """Appends each state to a file, and syncs the file's name when it makes it, whatever comes of that."""

    def write(self, path: Path, data: bytes) -> None:
        is_new = not path.exists()
        with path.open("ab") as file:
            file.write(data + self.end)
            file.flush()
            self.sync(file.fileno())
        if is_new:
            self.sync_folder(path.parent)

    def read(self, path: Path) -> bytes | None:
        for record in reversed((super().read(path) or b"").split(self.end)):
            with contextlib.suppress(ValueError):
                self.unseal(record)
                return record
        return None

    end = b"\0the end\0"


class LeavesTemporaryFiles(SnapshotFileManager):
    """Temporary files with names of their own, which nobody looks for after a crash."""

    def write(self, path: Path, data: bytes) -> None:
        temporary = path.with_suffix(f".{uuid.uuid4().hex}")
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                self.sync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        self.sync_folder(path.parent)


class LeavesNewSessions(LeavesTemporaryFiles):
    """What a session is begun with has a name of its own until it is whole, which nobody looks for after a crash."""

    def write(self, path: Path, data: bytes) -> None:
        (SnapshotFileManager if path.exists() else LeavesTemporaryFiles).write(self, path, data)


class LeavesALock(SnapshotFileManager):
    """A lock file that a killed process does not remove."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if (self._folder / "lock").exists():
            raise SessionException(f"session {self.session_id!r} is locked by {self._folder / 'lock'}")
        super().initialize(agent)

    def write(self, path: Path, data: bytes) -> None:
        lock = path.parent / "lock"
        lock.touch()
        super().write(path, data)
        lock.unlink()


# -- places ------------------------------------------------------------------------------------------------


class LooksForItsFolderLater(SnapshotFileManager):
    """A relative folder is that of wherever the process is by then."""

    def place(self, storage_dir: str) -> Path:
        return Path(storage_dir)


class RefusesLinkedFolders(SnapshotFileManager):
    """A symbolic link may lead anywhere."""

    def place(self, storage_dir: str) -> Path:
        if Path(storage_dir).is_symlink():
            raise SessionException(f"{storage_dir} is a symbolic link")
        return super().place(storage_dir)


class NeverCloses(SnapshotFileManager):
    """Each manager opens a file, and none is closed."""

    opened: list[Any] = []  # noqa: RUF012 - what is in it is never closed

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self.opened.append(Path(os.devnull).open())  # noqa: SIM115 - that is the fault


class KeepsWhatItCouldNotWrite(SnapshotFileManager):
    """What a failed write was to go into stays open, for whoever wants to try again."""

    failed: list[Any] = []  # noqa: RUF012 - what is in it is never closed

    def _write_for_good(self, agent_id: str, path: Path, data: bytes) -> None:
        try:
            super()._write_for_good(agent_id, path, data)
        except SessionException:
            self.failed.append(Path(os.devnull).open())  # noqa: SIM115 - that is the fault
            raise


class ReadsAsTheLocaleSays(SnapshotFileManager):
    """What is stored is text, and text is whatever this process takes it for."""

    def pack(self, content: dict[str, Any]) -> bytes:
        return json.dumps(decode(super().pack(content)), ensure_ascii=False).encode()

    def unpack(self, data: bytes) -> Any:
        return decode(data.decode(locale.getpreferredencoding(False), "replace").encode())


class KeepsEachState(SnapshotFileManager):
    """Each version of the session stays beside the latest."""

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, data)
        (path.parent / f"{uuid.uuid4().hex}.kept").write_bytes(data)


class TakesItsOwnForOthers(SnapshotFileManager):
    """The hundredth write of a state finds what is stored changed, since it was this manager that changed it."""

    synced = 0

    def sync_agent(self, agent: Any, **kwargs: Any) -> None:
        self.synced += 1
        if self.synced == 100:
            raise SessionException(f"session {self.session_id!r} was changed by another writer")
        super().sync_agent(agent)


class LetsOthersRead(SnapshotFileManager):
    """Folders and files are made as the umask leaves them."""

    folder_mode = 0o777


# -- concurrency -------------------------------------------------------------------------------------------


class OverwritesOthers(SnapshotFileManager):
    """The last writer wins."""

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        pass


class WritesWhereTheLatestWas(SnapshotFileManager):
    """The session opened last in this process is taken for the current one."""

    latest = ""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        super().initialize(agent)
        type(self).latest = self.session_id

    def on_added(self, event: Any) -> None:
        mine, self._folder = self._folder, self._folder.parent / self.folder_name(self.latest)
        super().on_added(event)
        self._folder = mine

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        pass


class WritesInTwoHalves(SnapshotFileManager):
    """Whoever reads meanwhile reads a half."""

    def write(self, path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            for part in (data[: len(data) // 2], data[len(data) // 2 :]):
                file.write(part)
                file.flush()
                os.fsync(file.fileno())


class WaitsOnTheLoop(SnapshotFileManager):
    """Another thread writes, and everybody waits for that."""

    async def in_background(self, work: Callable[[], None]) -> None:
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(work).result()


class WritesOnTheLoop(SnapshotFileManager):
    """Everybody waits for the disk."""

    async def in_background(self, work: Callable[[], None]) -> None:
        work()


class TakesBeginningsForCrashes(SnapshotFileManager):
    """What lies there half done is removed, whoever is about to finish it."""

    def write(self, path: Path, data: bytes) -> None:
        for left in self._folder.parent.rglob("*.new"):
            left.unlink(missing_ok=True)
        super().write(path, data)


# -- clean-up ----------------------------------------------------------------------------------------------


class WritesWhateverElseWasWritten(SnapshotFileManager):
    """What it holds in memory is the session, even where that was deleted."""

    def check_nobody_else_wrote(self, path: Path, agent_id: str) -> None:
        pass


class DeletesByPrefix(SnapshotFileManager):
    """user_1 takes user_10 with it."""

    def folder_name(self, session_id: str) -> str:
        return f"session_{session_id}"

    def delete_session(self, session_id: str) -> None:
        for folder in self._folder.parent.glob(f"session_{session_id}*"):
            shutil.rmtree(folder)


class DeletesTheIndexOnly(SnapshotFileManager):
    """What nobody finds is as good as deleted."""

    def delete_session(self, session_id: str) -> None:
        self._folder.rename(self._folder.parent / f"{self._folder.name}.deleted")


class RemovesSessionsInUse(FileSessionManager):
    """What was not written for long is removed under whoever has it open."""

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        assert now is not None
        old = [one for one in FileSessionManager.list_sessions(storage_dir) if one.updated_at < now - older_than]
        for one in old:
            delete_session(one.session_id, storage_dir)
        return [one.session_id for one in old]


class RemovesAllIfOneIsOld(FileSessionManager):
    """Looks at the oldest session only."""

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        assert now is not None
        if any(one.updated_at < now - older_than for one in FileSessionManager.list_sessions(storage_dir)):
            return FileSessionManager.clean_up(timedelta(0), storage_dir, now=now + timedelta(days=1))
        return []


class RemovesNothing(FileSessionManager):
    """Keeps the old ones too."""

    @staticmethod
    def clean_up(older_than: timedelta, storage_dir: str | None = None, *, now: datetime | None = None) -> list[str]:
        return []


class ListsFolders(SnapshotFileManager):
    """Lists what lies there, by the name it has there."""

    @staticmethod
    def list_sessions(storage_dir: str) -> list[Any]:
        found = SnapshotFileManager.list_sessions(storage_dir)
        for one, folder in zip(found, sorted(Path(storage_dir).iterdir()), strict=True):
            one.session_id = folder.name
        return found


class ListsTimesOfOpening(SnapshotFileManager):
    """Says of every session that it was written when it is listed, a day off."""

    @staticmethod
    def list_sessions(storage_dir: str) -> list[Any]:
        found = SnapshotFileManager.list_sessions(storage_dir)
        for one in found:
            one.updated_at += timedelta(days=1)
        return found


class WritesWhatIsTaken(SnapshotFileManager):
    """A write stores all that it is given: it does not look at how much that was."""

    def write(self, path: Path, data: bytes) -> None:
        temporary = path.with_suffix(".new")
        with temporary.open("wb", buffering=0) as file:
            file.write(data)
            self.sync(file.fileno())
        temporary.replace(path)
        self.sync_folder(path.parent)


class TellsOfFailuresLater(ChainedJournalManager):
    """A write that fails is told of with the next one."""

    failure: OSError | None = None

    def write(self, path: Path, data: bytes) -> None:
        if self.failure is not None:
            raise SessionException(f"session {self.session_id!r} could not be stored") from self.failure
        try:
            super().write(path, data)
        except OSError as error:
            self.failure = error


class RemembersOneAgent(SnapshotFileManager):
    """A manager's session has one agent: all but the first that it was given are saved when they begin, and no more."""

    def save(self, agent: Any) -> None:
        self._first = getattr(self, "_first", agent.agent_id)
        if agent.agent_id == self._first or not self.path(agent.agent_id).exists():
            super().save(agent)


class RedactsInWhoeverSpokeLast(FileSessionManager):
    """A redaction goes to the agent that was spoken to last, whichever asks for it."""

    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        self._spoke = agent
        super().append_message(message, agent, **kwargs)

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        super().redact_latest_message(redact_message, getattr(self, "_spoke", agent), **kwargs)
