"""For all tests: runs of pytest inside of tests see this project's own backends and nothing of its configuration."""

import gc
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.forked_runs import Server

# How long an example takes, and how long it takes to make one, says how busy the machine is.
settings.register_profile("any load", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any load")

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _inner_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture(autouse=True)
def _logs_are_free() -> Iterator[None]:
    """Give back the locks of logs that a test has kept: one that a signal breaks off at any point may be writing there.

    This thread would not notice, and each other one that has something to say would wait for ever.
    """
    yield
    for handler in logging.getLogger().handlers:
        while handler.lock is not None and handler.lock._is_owned():  # type: ignore[attr-defined]
            handler.lock.release()


@pytest.fixture(scope="module")
def quickly_collected() -> Iterator[None]:
    """Keep what is there before from the collector: it was collected once, and there is more of it than of the rest.

    For tests that ask the collector again and again, or whose managers do.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def _forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("forked-from"))
    yield server
    server.close()


@pytest.fixture
def pytester(pytester: pytest.Pytester, _forking: Server, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """pytest's own, whose runs in another process are forked where nothing can tell."""
    popen = pytester.popen

    def start(command: Sequence[str], stdout: Any, stderr: Any, **more: Any) -> Any:
        if more == {"stdin": pytester.CLOSE_STDIN} and _forking.can_run(command):
            return _forking.start(command, stdout, stderr)
        return popen(command, stdout, stderr, **more)

    monkeypatch.setattr(pytester, "popen", start)
    return pytester
