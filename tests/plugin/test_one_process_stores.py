"""A store that one process alone can have open, as embedded databases are, is not wronged: CON-03, CON-06, LIF-17."""

import fcntl
import os
from pathlib import Path
from weakref import WeakValueDictionary

import pytest
from session_conformance.fixtures.attribution import judge
from session_conformance.harness import NotApplicable, Session, Workspace
from session_conformance.harness.backends import BackendSpec, try_out
from session_conformance.suites.scenarios import shut_out_by
from strands.session import FileSessionManager

from tests.mutants.judge import CHECKS


class Lock:
    """A lock of this process's, let go of with the last manager that has it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError(f"{path} is open in another process") from None

    def __del__(self) -> None:
        os.close(self._file)


LOCKS: WeakValueDictionary[Path, Lock] = WeakValueDictionary()


def open_session(session_id: str, workspace: Workspace) -> object:
    path = workspace.folder / "lock"
    lock = LOCKS.get(path) or Lock(path)
    LOCKS[path] = lock
    manager = FileSessionManager(session_id, storage_dir=str(workspace.folder / "sessions"))
    manager.lock = lock  # type: ignore[attr-defined]
    return manager


def test_it_is_judged_by_what_one_process_after_another_does(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folders = iter(range(100))

    def new_folder() -> Path:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        return folder

    backend = try_out(BackendSpec("locked", f"{__name__}:open_session").resolve(), Workspace(new_folder()))
    for id in ("CON-06", "LIF-13", "LIF-17", "MAG-05", "MAG-09"):
        judge(CHECKS[id], backend, request.config, new_folder, {"request": request})
    with pytest.raises(NotApplicable, match=r"while one process has it open, another one cannot .* in another process"):
        judge(CHECKS["CON-03"], backend, request.config, new_folder, {"request": request})


def test_what_goes_wrong_once_or_stays_wrong_is_no_lock(tmp_path: Path) -> None:
    backend = BackendSpec("file", "strands.session:FileSessionManager").resolve()
    session = Session(backend, Workspace(tmp_path))
    session.open()
    assert shut_out_by(session) == ""
