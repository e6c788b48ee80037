"""Mutants: a correct manager, each time with one thing broken: restarts and replays."""

import copy
from typing import Any

from strands.bidi.hooks import BidiAfterConnectionRestartEvent, BidiBargeInEvent
from strands.hooks import HookOrder, HookRegistry

from tests.conforming.snapshot_manager import SnapshotFileManager

from .broken_updates import OwnHistory
from .messages import bidi_of, has


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
