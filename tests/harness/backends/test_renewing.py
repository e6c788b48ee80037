"""Renewing: what a module has that hangs is not the next requirement's."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from session_conformance.harness import BackendSpec, Workspace
from session_conformance.harness.backends import renew

MODULE = """
import threading
from tests.conforming.snapshot_manager import SnapshotFileManager
import {name}_lock as beside

class Manager(SnapshotFileManager):
    lock = beside.LOCK
"""


def test_a_lock_that_nobody_gives_back_stays_with_the_old_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "renewed_by_a_test"
    (tmp_path / f"{name}.py").write_text(MODULE.format(name=name))
    (tmp_path / f"{name}_lock.py").write_text("import threading\nLOCK = threading.Lock()\n")
    monkeypatch.syspath_prepend(tmp_path)
    for module in (name, f"{name}_lock"):
        monkeypatch.setitem(sys.modules, module, ModuleType(module))  # so that it is taken out at the end
        del sys.modules[module]
    backend = BackendSpec("here", f"{name}:Manager").resolve()
    workspace = Workspace(tmp_path / "data")
    old = backend.open("s", workspace)
    old.lock.acquire()  # type: ignore[attr-defined]
    renew(backend)
    new = backend.open("s", workspace)
    assert type(new) is not type(old)
    assert new.lock.acquire(timeout=0)  # type: ignore[attr-defined]
    assert backend.delete is not None

    (tmp_path / f"{name}.py").write_text("raise OSError('not again')")
    renew(backend)  # it stays as it is
    assert type(backend.open("s", workspace)) is type(new)
    assert sys.modules[name].Manager is type(new)


def test_what_is_found_by_no_name_stays() -> None:
    backend = BackendSpec("ours", "session_conformance.reference_impl:FileSessionManager").resolve()
    before = backend.open
    renew(backend)
    assert backend.open is before
