"""Mutants for agents of any kind: a correct manager, each time with one thing broken on purpose."""

import posixpath
from pathlib import Path
from typing import Any

from strands import Agent
from strands.agent.state import AgentState

from tests.conforming.snapshot_manager import SnapshotFileManager


class JoinsAbsoluteIds(SnapshotFileManager):
    """Refuses what leads upwards, and forgets that an absolute path leads out as well."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        if not session_id.strip() or session_id[0] == "." or posixpath.normpath(session_id) != session_id:
            raise ValueError(f"{session_id!r} cannot name a session")
        super().__init__("any", storage_dir)
        self.session_id = session_id
        self._folder = Path(storage_dir) / session_id

    def path(self, agent_id: str) -> Path:
        return super().path(agent_id).with_suffix(".agent")  # what lies below it may be a session


class CannotBeOpened(SnapshotFileManager):
    """There is no such manager today."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        raise RuntimeError("no connection")


class CannotBeOpenedAgain(SnapshotFileManager):
    """A session that is there is taken for an error."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        if self._folder.exists():
            raise RuntimeError("it is there already")


class CannotOpenASecondSession(SnapshotFileManager):
    """What lies beside a new session is taken for an error."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        if not self._folder.exists() and self._folder.parent.is_dir() and any(self._folder.parent.iterdir()):
            raise RuntimeError("somebody else is here")


class CannotBeginAnew(SnapshotFileManager):
    """What was deleted leaves an empty folder, in which nothing can begin."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage_dir)
        if self._folder.is_dir() and not any(self._folder.iterdir()):
            raise RuntimeError("nothing is here")

    def delete_session(self, session_id: str) -> None:
        super().delete_session(session_id)
        self._folder.mkdir()


class RestoresTheStateSavedLast(SnapshotFileManager):
    """A session has one state, that of the agent that was saved last."""

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        super().restore_rest(agent, rest)
        latest = max(self._folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        agent.state = AgentState(self.unpack(self.unseal(latest.read_bytes()))["state"])


class TakesNoStateForUnchanged(SnapshotFileManager):
    """Where an agent has no state any more, what it had before is stored again."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        before: dict[str, dict[str, Any]] = self.__dict__.setdefault("_states", {})
        before[agent.agent_id] = super().state_of(agent) or before.get(agent.agent_id, {})
        return before[agent.agent_id]


class RestoresTheWindowSavedLast(SnapshotFileManager):
    """A session has one conversation manager, that of the agent that was saved last."""

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        latest = max(self._folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        others = self.unpack(self.unseal(latest.read_bytes()))["rest"]
        window = "conversation_manager_state"
        super().restore_rest(agent, {**rest, window: others[window]} if rest and window in others else rest)


class GivesNewAgentsTheOldState(SnapshotFileManager):
    """An agent that is new in its session begins with the state of another."""

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        others = list(self._folder.glob("*"))
        if others and not self.path(agent.agent_id).exists():
            agent.state = AgentState(self.unpack(self.unseal(others[0].read_bytes()))["state"])
        super().initialize(agent, **kwargs)


class AcceptsATextAgentTwice(SnapshotFileManager):
    """Text agents of one id share what is stored."""

    def claim(self, agent: Any) -> None:
        if not isinstance(agent, Agent):
            super().claim(agent)


class CannotRestoreAnEmptyTextSession(SnapshotFileManager):
    """There is no last message to restore by."""

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        if isinstance(agent, Agent) and not agent.messages:
            raise KeyError("no message is stored")
        super().restore_rest(agent, rest)


class LogsEachRestoreOfATextAgent(SnapshotFileManager):
    """Writes down who looked."""

    def restore_rest(self, agent: Any, rest: dict[str, Any]) -> None:
        super().restore_rest(agent, rest)
        if isinstance(agent, Agent):
            with self._folder.with_suffix(".log").open("a") as log:
                log.write("restored\n")
