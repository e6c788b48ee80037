"""Mutants: a correct manager, each time with one thing broken: updates and redaction."""

import copy
from pathlib import Path
from typing import Any

from session_conformance.reference_impl import FileSessionManager
from strands.bidi.hooks import BidiAgentStopEvent
from strands.hooks import HookOrder, HookRegistry

from tests.conforming.snapshot_manager import SnapshotFileManager
from tests.conforming.sqlite_manager import SqliteManager

from .messages import bidi_of


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


class UpdatesOnce(SqliteManager):
    """A message is replaced when its stream has ended, and is final from then on."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._final: set[tuple[str, str]] = set()

    def _update(self, agent_id: str, message: Any) -> None:
        if (agent_id, message["tracking_id"]) not in self._final:
            super()._update(agent_id, message)
        self._final.add((agent_id, message["tracking_id"]))


class TakesTheSameWordsForStored(SqliteManager):
    """What is stored already is no update, whichever message it is stored in."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        self._words: set[str] = set()

    def _update(self, agent_id: str, message: Any) -> None:
        words = f"{agent_id}: {message['content']}"
        if words not in self._words:
            super()._update(agent_id, message)
        self._words.add(words)
