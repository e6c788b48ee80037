"""For all tests: runs of pytest inside of tests see this project's own backends and nothing of its configuration."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _inner_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("COLUMNS", "120")


NOT_SETTLED = tuple(
    line
    for line in (ROOT / "tests" / "not_settled.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
"""What the ids of tests begin with that run, and cannot fail a run: see the file."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that are not settled."""
    for item in items:
        if item.nodeid.startswith(NOT_SETTLED):
            item.add_marker(pytest.mark.xfail(reason="not settled: tests/not_settled.txt", strict=False))
