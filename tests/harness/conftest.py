"""A session to play scripts in: the reference manager's, in a folder of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from session_conformance.harness import BackendSpec, Session, Workspace


@pytest.fixture
def new_session(tmp_path: Path) -> Callable[[], Session]:
    backend = BackendSpec("reference-file", "session_conformance.reference_impl:FileSessionManager").resolve()
    numbers = iter(range(1000))

    def make() -> Session:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return Session(backend, Workspace(folder))

    return make


@pytest.fixture
def session(new_session: Callable[[], Session]) -> Session:
    return new_session()
