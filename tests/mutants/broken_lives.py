"""Mutants: a correct manager, each time with one thing broken: the life of a session."""

import copy
import itertools
import os
from pathlib import Path
from typing import Any

from session_conformance.reference_impl import FileSessionManager
from strands.types.exceptions import SessionException

from tests.conforming.snapshot_manager import SnapshotFileManager

from .broken_clean_up import anybodys


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


class BeginsWithTheUser(SnapshotFileManager):
    """What a restore brings back begins with what a user said, as some models ask for."""

    def restored(self, messages: list[Any]) -> list[Any]:
        return list(itertools.dropwhile(lambda message: message["role"] == "assistant", super().restored(messages)))
