"""What the SDK's manager does and says, the reference does and says: users change the import alone."""

import copy
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException
from strands.types.session import Session, SessionAgent, SessionMessage, SessionType

from tests.reference_impl.agents import text_message

from .test_history_in_memory import agent

LONG_AGO = "2020-01-01T00:00:00+00:00"
LATER = "2021-01-01T00:00:00+00:00"
BOTH = pytest.mark.parametrize("kind", [SdkFileSessionManager, FileSessionManager])


@BOTH
def test_times_are_kept_as_they_are_given(kind: Any, tmp_path: Path) -> None:
    manager = kind("s", storage_dir=str(tmp_path))
    manager.create_session(Session("other", SessionType.AGENT, LONG_AGO, LATER))
    manager.create_agent("s", SessionAgent("a", {}, {}, created_at=LONG_AGO, updated_at=LATER))
    manager.create_message("s", "a", SessionMessage(text_message("x"), 0, None, LONG_AGO, LATER))
    manager = kind("s", storage_dir=str(tmp_path))
    found = manager.read_session("other"), manager.read_agent("s", "a"), manager.read_message("s", "a", 0)
    assert [(one.created_at, one.updated_at) for one in found] == [(LONG_AGO, LATER)] * 3
    changed = copy.deepcopy(found[2])
    changed.updated_at = "2022-01-01T00:00:00+00:00"
    manager.update_message("s", "a", changed)
    [listed] = kind("s", storage_dir=str(tmp_path)).list_messages("s", "a")
    assert (listed.created_at, listed.updated_at) == (LONG_AGO, "2022-01-01T00:00:00+00:00")


def test_a_storage_that_is_not_used_is_warned_of_in_the_same_words(tmp_path: Path) -> None:
    from strands.storage import LocalFileStorage

    said = []
    for kind in (SdkFileSessionManager, FileSessionManager):
        manager = kind("s", storage_dir=str(tmp_path / kind.__module__))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            agent(tmp_path, session_manager=manager, storage=LocalFileStorage(str(tmp_path / "storage")))
        said.append([str(one.message) for one in caught if "Agent-level storage" in str(one.message)])
    assert said[0] == said[1]
    assert len(said[1]) == 1


def test_what_is_not_there_is_named_in_the_same_words(tmp_path: Path) -> None:
    def said(kind: Any) -> list[str]:
        manager = kind("s", storage_dir=str(tmp_path / kind.__module__))
        manager.create_agent("s", SessionAgent("a", {}, {}))
        calls = [
            lambda: manager.update_agent("s", SessionAgent("unknown", {}, {})),
            lambda: manager.list_messages("s", "unknown"),
            lambda: manager.update_message("s", "a", SessionMessage(text_message("x"), 7)),
            lambda: manager.delete_session("unknown"),
            lambda: manager.create_session(Session("s", SessionType.AGENT)),
        ]
        words = []
        for call in calls:
            with pytest.raises(SessionException) as raised:
                call()
            words.append(str(raised.value))
        return words

    assert said(FileSessionManager) == said(SdkFileSessionManager)


@BOTH
def test_a_storage_dir_is_as_it_was_given(kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert kind("s", storage_dir="sessions").storage_dir == "sessions"
    assert kind("s").storage_dir == str(tmp_path / ".strands" / "sessions")


COPIES = pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda manager: pickle.loads(pickle.dumps(manager))]
)


@BOTH
@COPIES
def test_a_copy_serves_the_same_session(kind: Any, copied: Any, tmp_path: Path) -> None:
    """A manager lies in configurations, which are copied, and sent to workers."""
    manager = kind("s", storage_dir=str(tmp_path))
    agent(tmp_path, session_manager=manager)("said")
    other = copied(manager)
    assert (other.session_id, other.storage_dir) == ("s", str(tmp_path))
    assert len(other.list_messages("s", "a")) == 2
    other.create_agent("s", SessionAgent("b", {}, {}))
    assert manager.read_agent("s", "b") is not None


@COPIES
def test_a_copy_opens_the_session_anew(copied: Any, tmp_path: Path) -> None:
    """It shares nothing that is open with the one it was made of, and knows none of its agents."""
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    first = agent(tmp_path, session_manager=manager)
    first("one")
    other = copied(manager)
    manager.close()
    second = agent(tmp_path, session_manager=other)
    assert second.messages == first.messages
    second("two")
    assert other.session_repository is other
    other.initialize_multi_agent(Team())
    other.close()
    assert FileSessionManager("s", str(tmp_path)).read_multi_agent("s", "team") == {"a": 1}
    assert not manager._stores
    assert len(agent(tmp_path).messages) == 4


class Team:
    id = "team"

    def serialize_state(self) -> dict[str, int]:
        return {"a": 1}


def test_a_copy_of_a_session_that_was_deleted_stores_nothing(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent(tmp_path, session_manager=manager)("one")
    other = copy.deepcopy(manager)
    manager.delete_session("s")
    with pytest.raises(SessionException):
        agent(tmp_path, session_manager=other)
    assert FileSessionManager.list_sessions(str(tmp_path)) == []


def test_a_copy_goes_on_in_another_process(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent(tmp_path, session_manager=manager)("one")
    (tmp_path / "manager").write_bytes(pickle.dumps(manager))
    program = """
import pickle, sys
from pathlib import Path
from tests.reference_impl.log.test_history_in_memory import agent

folder = Path(sys.argv[1])
agent(folder, session_manager=pickle.loads((folder / "manager").read_bytes()))("two")
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert len(agent(tmp_path).messages) == 4
