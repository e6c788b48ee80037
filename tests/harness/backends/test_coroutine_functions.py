"""A backend's functions may be coroutine functions: each call is run to its end."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import Backend, BackendSpec, Interface, Script, Session, Workspace, detect, play
from session_conformance.harness.timeline import Failed, texts
from session_conformance.reference_impl import FileSessionManager

NOW = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""When no session was old yet."""


async def open_manager(session_id: str, workspace: Workspace) -> FileSessionManager:
    await asyncio.sleep(0)
    return FileSessionManager(session_id, storage_dir=str(workspace.folder))


async def delete(session_id: str, workspace: Workspace) -> None:
    await asyncio.sleep(0)
    FileSessionManager(session_id, storage_dir=str(workspace.folder)).delete_session(session_id)


async def clean_up(older_than: timedelta, workspace: Workspace, now: datetime) -> list[str]:
    await asyncio.sleep(0)
    return FileSessionManager.clean_up(older_than, str(workspace.folder), now=now)


async def list_sessions(workspace: Workspace) -> Iterable[Any]:
    await asyncio.sleep(0)
    return FileSessionManager.list_sessions(str(workspace.folder))


async def open_another(session_id: str, workspace: Workspace) -> object:
    return object()


async def open_storage(workspace: Workspace) -> Any:
    from strands.storage import LocalFileStorage

    await asyncio.sleep(0)
    return LocalFileStorage(str(workspace.folder))


BACKEND = Backend("coroutines", open=open_manager, delete=delete, clean_up=clean_up, list_sessions=list_sessions)


@pytest.mark.parametrize("backend", [BACKEND, BackendSpec("it", f"{__name__}:open_manager").resolve()])
def test_it_is_opened(backend: Backend, tmp_path: Path) -> None:
    session = Session(backend, Workspace(tmp_path))
    timeline = play(session, Script().user("hello").assistant("Hi").restarts_process().user("still there?"))
    assert timeline.of(Failed) == []
    assert texts(session.read().messages) == ["hello", "Hi", "still there?"]


def test_whole_sessions_are_listed_cleaned_up_and_deleted(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for session_id in ("one", "two"):
        play(Session(BACKEND, workspace, session_id), Script().user("hello").stops())
    assert BACKEND.list_sessions is not None
    assert BACKEND.delete is not None
    assert BACKEND.clean_up is not None
    BACKEND.delete("one", workspace)
    assert [found.session_id for found in BACKEND.list_sessions(workspace)] == ["two"]
    assert BACKEND.clean_up(timedelta(days=1), workspace, NOW) == []


def test_what_it_can_do_is_detected_as_ever(tmp_path: Path) -> None:
    ordinary = Backend(
        "plain",
        open=lambda session_id, workspace: FileSessionManager(session_id, storage_dir=str(workspace.folder)),
        delete=lambda session_id, workspace: None,
        clean_up=lambda older_than, workspace, now: None,
        list_sessions=lambda workspace: [],
    )
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert detect(BACKEND, Workspace(tmp_path / "a")) == detect(ordinary, Workspace(tmp_path / "b"))


@pytest.mark.asyncio
async def test_it_is_opened_where_a_loop_runs_already(tmp_path: Path) -> None:
    assert isinstance(BACKEND.open("conversation", Workspace(tmp_path)), FileSessionManager)


def test_what_is_no_session_manager_is_refused(tmp_path: Path) -> None:
    backend = BackendSpec("it", f"{__name__}:open_another").resolve()
    with pytest.raises(Exception, match=r"returned a object: expected a strands\.session\.SessionManager"):
        backend.open("conversation", Workspace(tmp_path))


def test_a_storage_is_opened(tmp_path: Path) -> None:
    backend = BackendSpec("it", f"{__name__}:open_storage", interface=Interface.STORAGE).resolve()
    session = Session(backend, Workspace(tmp_path))
    assert play(session, Script().user("hello").stops()).of(Failed) == []
    assert texts(session.read().messages) == ["hello"]
