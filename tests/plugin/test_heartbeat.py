"""Long work says so, and is not ended by a project's pytest-timeout while it makes progress."""

import sys
import time
from collections.abc import Callable

import pytest
from session_conformance.fixtures.heartbeat import heartbeat, keep_output


class Config:
    """As much of pytest's configuration as is asked."""

    def __init__(self) -> None:
        self.stash = pytest.Stash()
        self.left: list[Callable[[], object]] = []

    def getoption(self, _: str) -> int:
        return 0

    def add_cleanup(self, close: Callable[[], object]) -> None:
        self.left.append(close)


def test_what_goes_on_is_said_again_and_again(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config()
    with open(1, "w", closefd=False) as out:  # what capfd reads
        monkeypatch.setattr(sys, "stdout", out)
        keep_output(config)  # type: ignore[arg-type]
        monkeypatch.undo()
    limit = time.monotonic() + 20
    shown = ""
    with heartbeat(config, "DUR-02 (mine)", 300, pause_s=0.01):  # type: ignore[arg-type]
        while shown.count("goes on") < 2 and time.monotonic() < limit:
            shown += capfd.readouterr().out
    assert "\nDUR-02 (mine) goes on for 0.01 s; it is ended after 300 s without progress\n" in shown
    assert "goes on for 0.02 s" in shown
    for close in config.left:
        close()
    config.stash = pytest.Stash()
    with heartbeat(config, "in a worker", 300, pause_s=0.01):  # type: ignore[arg-type]
        pass


def test_a_benchmark_says_that_it_goes_on(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):  # beside which nothing is measured
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(
        """
        from session_conformance.fixtures import _judging
        from session_conformance.fixtures.heartbeat import heartbeat

        def quickly(config, what, limit_s):
            return heartbeat(config, what, limit_s, pause_s=0.01)

        _judging.heartbeat = quickly
        """
    )
    run = pytester.runpytest_subprocess(
        "--session-manager=reference-file", "--benchmark-only", "-k", "restore", "--conformance-benchmark-sizes=0"
    )
    run.stdout.re_match_lines([r"benchmark \w+\[reference-file.* goes on for 0\.01 s$"])


def test_a_timeout_of_the_projects_is_no_limit_for_requirements(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import types

        def pytest_configure(config):
            config.addinivalue_line("markers", "timeout(seconds): as pytest-timeout has it")
            config.pluginmanager.register(types.SimpleNamespace(), "timeout")

        def pytest_collection_finish(session):
            for item in session.items:
                print("limit", item.name, item.get_closest_marker("timeout").args)
        """
    )
    run = pytester.runpytest_subprocess("--session-manager=reference-file", "-k", "ORD-01", "--collect-only", "-s")
    run.stdout.fnmatch_lines(["*limit ORD-01* (0,)"])
