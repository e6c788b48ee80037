"""Mutants: a correct manager, each time with one thing broken: what is stored before hooks hear of it."""

import contextlib
from pathlib import Path
from typing import Any

from strands.hooks import HookOrder, HookRegistry, MessageAddedEvent
from strands.types.exceptions import SessionException

from tests.conforming.snapshot_manager import SnapshotFileManager

from .messages import has


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
