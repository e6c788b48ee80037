"""For all tests: runs of pytest inside of tests see this project's own backends and nothing of its configuration."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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
