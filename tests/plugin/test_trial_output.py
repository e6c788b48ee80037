"""What a backend prints while it is tried does not stand before the tests, and is shown where it cannot be used."""

import pytest

TALKS = """
import sys
from strands.session import FileSessionManager

class Talks(FileSessionManager):
    def __init__(self, session_id, storage_dir=None, broken=""):
        print("connecting")
        print("no password given", file=sys.stderr)
        if broken:
            raise ValueError(broken)
        super().__init__(session_id, storage_dir=storage_dir)
"""


@pytest.fixture
def judged(pytester: pytest.Pytester) -> list[str]:
    pytester.makepyfile(talks=TALKS)
    pytester.syspathinsert()
    return ["--session-manager=talks:Talks", "--co", "-q", "-k", "LIF-01"]


def test_it_is_captured(pytester: pytest.Pytester, judged: list[str]) -> None:
    run = pytester.runpytest_subprocess(*judged)
    assert run.outlines[0] == "LIF::LIF-01[talks]"
    assert not run.errlines


def test_it_is_shown_where_pytest_does_not_capture(pytester: pytest.Pytester, judged: list[str]) -> None:
    assert pytester.runpytest_subprocess(*judged, "-s").outlines[0] == "connecting"


def test_it_is_shown_where_the_backend_cannot_be_used(pytester: pytest.Pytester, judged: list[str]) -> None:
    run = pytester.runpytest_subprocess(*judged, "--session-manager-arg=broken=no server")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert "connecting" in run.outlines
    first, last = (line for line in run.errlines if line)
    assert first == "no password given"
    assert last.startswith("ERROR: --session-manager: ")
