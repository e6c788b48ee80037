"""Mutants: a correct manager, each time with one thing broken: tools."""

from typing import Any

from tests.conforming.snapshot_manager import SnapshotFileManager

from .messages import has


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
