"""A hundred sessions at once are no question of how few open files a system gives a process that asks for no more."""

import pytest

resource = pytest.importorskip("resource")

LIMITS = """
import resource

resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))
"""

MANAGER = """
from session_conformance.reference_impl import FileSessionManager


class ThreeMoreFiles(FileSessionManager):
    def __init__(self, session_id, storage_dir):
        super().__init__(session_id, storage_dir=storage_dir)
        self.files = [open(__file__) for _ in range(3)]
"""


@pytest.mark.parametrize("hard", ["resource.getrlimit(resource.RLIMIT_NOFILE)[1]", "256"], ids=["asked for", "refused"])
def test_what_the_system_allows_is_asked_for(pytester: pytest.Pytester, hard: str) -> None:
    pytester.makepyfile(conftest=LIMITS.format(hard=hard), manager=MANAGER)
    run = pytester.runpytest_subprocess("--session-manager=manager:ThreeMoreFiles", "-k", "CON-02")
    if hard == "256":
        run.assert_outcomes(failed=1)
        run.stdout.fnmatch_lines(["*Too many open files*"])
    else:
        run.assert_outcomes(passed=1)
