"""Progress: a bar for long work on a terminal, and nothing where there is none."""

import os
import pty
import subprocess
import sys

import pytest

TEST = """
from session_conformance.fixtures.progress import progress_of

def test_work(request):
    print("printed by the test")
    with progress_of(request.config, "some work", {total}) as advance:
        for _ in range({total}):
            advance()
"""


def on_a_terminal(pytester: pytest.Pytester, *arguments: str) -> str:
    """Run pytest with a terminal as its output, and return what it wrote there."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "pytest", "--session-manager=reference-file", "-p", "no:cacheprovider", *arguments]
    process = subprocess.Popen(
        words, cwd=pytester.path, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    )
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert process.wait() == 0, written.decode()
    return written.decode()


@pytest.mark.parametrize(
    ("total", "arguments", "shown"),
    [(150, [], True), (150, ["-v"], True), (150, ["-q"], False), (150, ["-n1"], False), (20, [], False)],
)
def test_a_bar_is_shown_for_long_work(pytester: pytest.Pytester, total: int, arguments: list[str], shown: bool) -> None:
    pytester.makepyfile(test_own=TEST.format(total=total))
    written = on_a_terminal(pytester, "test_own.py", "-k", "test_work", *arguments)
    assert ("some work" in written) is shown
    assert "printed by the test" not in written


def test_nothing_is_shown_where_there_is_no_terminal(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own=TEST.format(total=150))
    run = pytester.runpytest_subprocess("--session-manager=reference-file", "test_own.py", "-k", "test_work")
    run.assert_outcomes(passed=1)
    assert "some work" not in run.stdout.str() + run.stderr.str()
