"""Backends whose managers are made by generators, and that have something for as long as a process judges them."""

import pytest

BACKEND = """
import contextlib
from pathlib import Path
from session_conformance.harness import Backend
from session_conformance.reference_impl import FileSessionManager

LOG = Path(__file__).with_name("log.txt")
POOL = []

def note(what):
    with LOG.open("a") as log:
        log.write(what + "\\n")

def by_generator(session_id, workspace):
    note("opened")
    yield FileSessionManager(session_id, storage_dir=str(workspace.folder))
    note("closed")

async def by_async_generator(session_id, workspace):
    note("opened")
    yield FileSessionManager(session_id, storage_dir=str(workspace.folder))
    note("closed")

@contextlib.contextmanager
def life():
    note("begun")
    POOL.append("a connection")
    yield
    POOL.clear()
    note("over")

@contextlib.asynccontextmanager
async def async_life():
    with life():
        yield

async def from_pool(session_id, workspace):
    assert POOL == ["a connection"]
    return FileSessionManager(session_id, storage_dir=str(workspace.folder))

SYNC = Backend(name="sync", open=from_pool, lifespan=life)
ASYNC = Backend(name="async", open=from_pool, lifespan=async_life)

def broken():
    raise ConnectionError("no database\\nthere")

BROKEN = Backend(name="broken", open=from_pool, lifespan=broken)
"""


@pytest.mark.parametrize("factory", ["by_generator", "by_async_generator"])
def test_what_a_generator_opens_it_closes(factory: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(mine=BACKEND)
    run = pytester.runpytest_subprocess(f"--session-manager=mine:{factory}", "-k", "LIF-02 or LIF-03")
    run.assert_outcomes(passed=2)
    log = (pytester.path / "log.txt").read_text().splitlines()
    assert log.count("opened") == log.count("closed") > 2


@pytest.mark.parametrize("name", ["SYNC", "ASYNC"])
def test_a_lifespan_is_entered_once_a_process_and_left_at_the_end(name: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(mine=BACKEND)
    run = pytester.runpytest_subprocess(f"--session-manager=mine:{name}", "-k", "LIF-02 or LIF-09")
    run.assert_outcomes(passed=2)
    assert (pytester.path / "log.txt").read_text().splitlines() == ["begun", "over"]


def test_another_process_has_a_lifespan_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(mine=BACKEND)
    run = pytester.runpytest_subprocess("--session-manager=mine:SYNC", "-k", "LIF-03")
    run.assert_outcomes(passed=1)
    log = (pytester.path / "log.txt").read_text().splitlines()
    assert log[0] == "begun"
    assert log[-1] == "over"
    assert log.count("begun") == log.count("over") > 1


def test_a_lifespan_that_raises_is_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(mine=BACKEND)
    run = pytester.runpytest_subprocess("--session-manager=mine:BROKEN")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in run.errlines if line.strip()]) == 1
    run.stderr.fnmatch_lines(
        ["ERROR: --session-manager: the lifespan of broken raised ConnectionError: no database there"]
    )
