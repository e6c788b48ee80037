"""What a backend can do is found out by trying it."""

import tempfile
from pathlib import Path
from typing import Any, ClassVar

import pytest
from session_conformance.harness import (
    Backend,
    BackendSpec,
    Capability,
    Interface,
    Script,
    Session,
    Workspace,
    detect,
    play,
)
from session_conformance.harness.conversations import detection
from session_conformance.harness.sdk import SdkFeature, SdkLacks
from strands.session import FileSessionManager, SessionManager
from strands.types.exceptions import SessionException

from tests.conforming.snapshot_manager import SnapshotFileManager

WHOLE_SESSIONS = {Capability.DELETE, Capability.CLEAN_UP, Capability.LISTING, Capability.REPAIR}
INTERFACES = {Capability.MULTI_AGENT, Capability.REPOSITORY, Capability.STORAGE, Capability.SNAPSHOTS}
ON_DISK = set(Capability) - WHOLE_SESSIONS - INTERFACES - {Capability.S3, Capability.SERVER}
TEAMS = {Capability.MULTI_AGENT, Capability.REPOSITORY}
STORES = {Capability.STORAGE, Capability.SNAPSHOTS, Capability.MULTI_AGENT}
PLAIN = "session_conformance.harness.backends.plain_stores"
ELSEWHERE: dict[str, str] = {}


def out_of_reach(session_id: str, workspace: Workspace) -> SessionManager[Any]:
    where = ELSEWHERE.setdefault(str(workspace.folder), tempfile.mkdtemp())
    return SnapshotFileManager(session_id, where)


def one_at_a_time(session_id: str, workspace: Workspace) -> SessionManager[Any]:
    return LockingManager(session_id, str(workspace.folder))


class LockingManager(SnapshotFileManager):
    """Refuses to be opened while another one has written and its agent has not stopped."""

    held: ClassVar[set[Path]] = set()

    def on_added(self, event: Any) -> None:
        self.held.add(self.path(event.agent.agent_id))
        super().on_added(event)

    def on_stop(self, event: Any) -> None:
        super().on_stop(event)
        self.held.discard(self.path(event.agent.agent_id))

    def initialize(self, agent: Any, **kwargs: Any) -> None:
        if self.path(agent.agent_id) in self.held:
            raise SessionException("the session is in use")
        super().initialize(agent, **kwargs)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("session_conformance.reference_impl:FileSessionManager", ON_DISK | WHOLE_SESSIONS | TEAMS),
        ("strands.session:FileSessionManager", ON_DISK | TEAMS | {Capability.DELETE}),
        (
            "strands.session:SnapshotSessionManager",
            ON_DISK | {Capability.DELETE, Capability.SNAPSHOTS, Capability.MULTI_AGENT},
        ),
        ("tests.harness.conversations.test_detection:one_at_a_time", ON_DISK - {Capability.READ_BESIDE_WRITER}),
        (
            "tests.harness.conversations.test_detection:out_of_reach",
            {Capability.FRESH_PROCESS, Capability.READ_BESIDE_WRITER},
        ),
    ],
)
def test_detection(tmp_path: Path, target: str, found: set[Capability]) -> None:
    assert detect(BackendSpec("it", target).resolve(), Workspace(tmp_path)) == found


class AgentsOnly(FileSessionManager):
    """It has the hooks of the SDK's base class, and refuses teams as that does."""

    initialize_multi_agent = SessionManager.initialize_multi_agent
    sync_multi_agent = SessionManager.sync_multi_agent


class RefusesAll(FileSessionManager):
    """Whatever is wrong with it, it is no reason to ask nothing of it."""

    def initialize_multi_agent(self, source: Any, **kwargs: Any) -> None:
        raise SessionException("not today")


@pytest.mark.parametrize(
    ("target", "takes_teams"),
    [
        ("strands.session:SnapshotSessionManager", True),
        ("tests.harness.conversations.test_detection:AgentsOnly", False),
        ("tests.harness.conversations.test_detection:RefusesAll", True),
        ("tests.conforming.snapshot_manager:SnapshotFileManager", False),
    ],
)
def test_whether_it_persists_teams(tmp_path: Path, target: str, takes_teams: bool) -> None:
    found = detect(BackendSpec("it", target).resolve(), Workspace(tmp_path))
    assert (Capability.MULTI_AGENT in found) is takes_teams


@pytest.mark.parametrize(
    ("target", "interface", "found"),
    [
        (f"{PLAIN}:PlainRepository", Interface.REPOSITORY, {*ON_DISK, Capability.DELETE, *TEAMS}),
        (
            f"{PLAIN}:PlainStorage",
            Interface.STORAGE,
            {*ON_DISK, Capability.DELETE, *STORES},
        ),
        (
            "strands.storage:InMemoryStorage",
            Interface.STORAGE,
            {Capability.READ_BESIDE_WRITER, Capability.DELETE, *STORES},
        ),
    ],
)
def test_detection_of_other_kinds(tmp_path: Path, target: str, interface: Interface, found: set[Capability]) -> None:
    assert detect(BackendSpec("it", target, interface=interface).resolve(), Workspace(tmp_path)) == found


@pytest.mark.parametrize("name", ["FileSessionManager", "SnapshotSessionManager"])
def test_each_form_of_delete_session_is_called_as_it_is(tmp_path: Path, name: str) -> None:
    backend = BackendSpec("it", f"strands.session:{name}").resolve()
    session = Session(backend, Workspace(tmp_path), "to-be-deleted")
    play(session, Script().user("one"), observing=False)
    assert session.read().messages
    assert backend.delete is not None
    backend.delete("to-be-deleted", session.workspace)
    assert not session.read().messages


def test_a_callable_that_has_no_name_opens_no_session_in_another_process(tmp_path: Path) -> None:
    backend = Backend(name="it", open=lambda session_id, workspace: SnapshotFileManager(session_id, str(tmp_path)))
    assert Capability.FRESH_PROCESS not in detect(backend, Workspace(tmp_path))


def test_what_is_declared_is_not_tried(tmp_path: Path) -> None:
    def never(session_id: str, workspace: Workspace) -> SessionManager[Any]:
        raise AssertionError("opened")

    declared = frozenset({Capability.ON_DISK})
    assert detect(Backend(name="it", open=never, capabilities=declared), Workspace(tmp_path)) == declared


def test_a_manager_that_may_refuse_voice_agents_is_tried_with_a_text_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing_voices(session: Any, script: Any, **options: Any) -> Any:
        if session.text_agent is None:
            raise SdkLacks(SdkFeature.VOICE_FOR_ALL)
        return play(session, script, **options)

    monkeypatch.setattr(detection, "play", refusing_voices)
    backend = BackendSpec("file", "strands.session:FileSessionManager").resolve()
    found = detection.detect(backend, Workspace(tmp_path))
    assert {Capability.ON_DISK, Capability.READ_BESIDE_WRITER, Capability.MULTI_AGENT} <= found
