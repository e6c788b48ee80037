"""A plugin for pytest that runs the SDK's own tests of its session managers against the reference managers.

In the SDK's modules its two managers are replaced before a test imports them. ``RepositorySessionManager`` over the
tests' repository in memory becomes the manager on files, and that repository becomes another one on the same folder: so
what the tests read there is what another process would read.

Tests that are about how the SDK's managers are made within, and not about what a user can see, are listed with a reason
each in ``private.toml``. They have to fail: one that passes, as any other one that fails, fails the run.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import strands.session
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from session_conformance.reference_impl.log.manager import ChangeLogSessionManager
from strands.session import file_session_manager, repository_session_manager, s3_session_manager

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PRIVATE = Path(__file__).with_name("private.toml")

_SUBSTITUTED = re.compile(r"\b(File|S3|Repository)SessionManager\b")
_SdkRepositorySessionManager = repository_session_manager.RepositorySessionManager

_made_in: set[str] = set()
_running = ""
_places = tempfile.TemporaryDirectory(prefix="sdk-tests-")


class RepositoryInFolder(FileSessionManager):
    """What the tests take for a repository in memory."""

    def __init__(self) -> None:
        super().__init__("of-the-repository-itself", tempfile.mkdtemp(dir=_places.name))


class RepositorySessionManager(_SdkRepositorySessionManager):
    """Makes the manager on files where the repository is one of the tests', and the SDK's where it is a mock."""

    def __new__(cls, session_id: str, session_repository: Any, **kwargs: Any) -> Any:
        """Return the manager that stands for it."""
        if isinstance(session_repository, RepositoryInFolder):
            return FileSessionManager(session_id, session_repository.storage_dir, **kwargs)
        return _SdkRepositorySessionManager(session_id, session_repository, **kwargs)


def pytest_configure(config: pytest.Config) -> None:
    """Put the reference managers in the place of the SDK's."""
    sys.path.insert(0, str(config.rootpath))
    for module in (strands.session, file_session_manager):
        module.FileSessionManager = FileSessionManager
    for module in (strands.session, s3_session_manager):
        module.S3SessionManager = S3SessionManager
    for module in (strands.session, repository_session_manager):
        module.RepositorySessionManager = RepositorySessionManager
    from tests.fixtures import mock_session_repository  # the SDK's

    mock_session_repository.MockedSessionRepository = RepositoryInFolder
    _count_what_is_made()


def _count_what_is_made() -> None:
    begin = ChangeLogSessionManager.__init__

    def counted(self: Any, *args: Any, **kwargs: Any) -> None:
        if type(self) is not RepositoryInFolder:
            _made_in.add(_running)
        begin(self, *args, **kwargs)

    ChangeLogSessionManager.__init__ = counted


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files and folders of tests that name none of the managers, and what those need to be installed."""
    if not collection_path.is_relative_to(config.rootpath / "tests" / "strands"):
        return None
    files = collection_path.rglob("test_*.py") if collection_path.is_dir() else [collection_path]
    if any(_SUBSTITUTED.search(file.read_text("utf-8")) for file in files if file.name.startswith("test_")):
        return None
    return True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expect the listed tests to fail, and refuse a list with a test that is not there."""
    entries = tomllib.loads(PRIVATE.read_text("utf-8"))["private"]
    reasons = {test: entry["reason"] for entry in entries for test in entry["tests"]}
    found = set()
    for item in items:
        test = item.nodeid.removeprefix("tests/strands/").partition("[")[0]
        if test in reasons:
            found.add(test)
            raises = (AssertionError, AttributeError, pytest.fail.Exception)
            item.add_marker(pytest.mark.xfail(reason=reasons[test], strict=True, raises=raises))
    if not config.option.keyword and len(found) < len(reasons):
        raise pytest.UsageError(
            f"{PRIVATE.name} lists tests that this release of the SDK does not have; take them out of it: "
            + ", ".join(sorted(set(reasons) - found))
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note which test is running."""
    global _running
    _running = item.nodeid
    return (yield)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in how many tests a reference manager was made: a run with few of them would show little."""
    terminalreporter.write_line(f"A reference manager was made in {len(_made_in)} of these tests.")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run in which no reference manager was made."""
    if not _made_in and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
