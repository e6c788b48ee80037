"""A fault of a repository's own is its own, also where the SDK's manager violates the same requirement otherwise."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.fixtures import BUILT_IN
from session_conformance.fixtures.attribution import SdkViolation, inherited_from, judge, outcome, part_of
from session_conformance.harness import BackendSpec, Interface, Violation, Workspace, violated
from session_conformance.harness.backends import try_out
from session_conformance.harness.backends.plain_managers import MendedRepositoryManager
from session_conformance.harness.backends.plain_stores import PlainRepository, PlainStorage
from session_conformance.suites import CleanUp, Concurrency, Content, PersistenceBeforeHooks, TextAgents, Tools
from strands.session import RepositorySessionManager, SnapshotSessionManager


class RefusesUnclearly(PlainRepository):
    """What JSON has no form for is refused with an exception of its own."""

    def create_message(self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any) -> None:
        try:
            json.dumps(session_message.message)
        except TypeError as error:
            raise RuntimeError(f"not stored: {error}") from error
        super().create_message(session_id, agent_id, session_message, **kwargs)


class RefusesSecond(PlainRepository):
    """A message id that another process has taken is refused with the exception of the database."""

    def create_message(self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any) -> None:
        if self.read_message(session_id, agent_id, session_message.message_id) is not None:
            raise sqlite3.IntegrityError("UNIQUE constraint failed")
        super().create_message(session_id, agent_id, session_message, **kwargs)


def under_the_sdks(session_id: str, workspace: Workspace) -> RepositorySessionManager:
    return RepositorySessionManager(session_id, RefusesSecond(str(workspace.folder)))


@pytest.fixture
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: tmp_path_factory.mktemp("place")


CHECKS: dict[str, Any] = {"CNT-06": getattr(Content(), "CNT-06"), "CON-01": getattr(Concurrency(), "CON-01")}


@pytest.mark.parametrize(
    ("id", "kind", "what"),
    [
        ("CNT-06", "RefusesUnclearly", "is refused with ValueError, TypeError or an SDK exception"),
        ("CON-01", "RefusesSecond", "a conflict is refused with an SDK exception"),
    ],
)
def test_a_repository_is_blamed_for_what_the_plain_one_does_not_show(
    request: pytest.FixtureRequest, new_folder: Callable[[], Path], id: str, kind: str, what: str
) -> None:
    def found_of(target: str) -> Exception | None:
        spec = BackendSpec(target.partition(":")[2], target, interface=Interface.REPOSITORY)
        backend = try_out(spec.resolve(), Workspace(new_folder()))
        return outcome(CHECKS[id].requirement, CHECKS[id], backend, request.config, new_folder)

    found = found_of(f"{__name__}:{kind}")
    assert isinstance(found, Violation)
    assert what in found.expected
    plain = found_of("session_conformance.harness.backends.plain_stores:PlainRepository")
    assert isinstance(plain, SdkViolation)


def test_a_manager_over_it_inherits_nothing_of_that(
    request: pytest.FixtureRequest, new_folder: Callable[[], Path]
) -> None:
    check = CHECKS["CON-01"]
    spec = BackendSpec("under-the-sdks", f"{__name__}:under_the_sdks")
    backend = try_out(spec.resolve(), Workspace(new_folder()))
    with pytest.raises(Violation, match="raises IntegrityError") as caught:
        judge(check, backend, request.config, new_folder)
    assert inherited_from(caught.value, check.requirement, check, backend, request.config, new_folder) == ""


class InOrder(MendedRepositoryManager):
    """What it does with messages is right; what it restores is what the SDK's class restores."""


class RepairsNothing(MendedRepositoryManager):
    """What restores is its own, and leaves each tool use as it is."""

    def _fix_broken_tool_use(self, messages: Any) -> Any:
        return messages


class OverAStorage(SnapshotSessionManager):
    """The SDK's manager of snapshots, made for a storage."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        super().__init__(session_id, storage=PlainStorage(storage_dir), save_latest_on="message")


class SavesSeldom(OverAStorage):
    """It has chosen to save a text agent when its invocation has ended, and says that each message is kept."""

    def __init__(self, session_id: str, storage_dir: str) -> None:
        SnapshotSessionManager.__init__(self, session_id, storage=PlainStorage(storage_dir))


@pytest.mark.parametrize(
    ("kind", "id", "inherited"),
    [
        (InOrder, "TOL-04", "RepositorySessionManager"),
        (RepairsNothing, "TOL-04", ""),
        (OverAStorage, "ORD-01", "SnapshotSessionManager"),
        (OverAStorage, "CLN-04", "SnapshotSessionManager"),
        (SavesSeldom, "AGT-08", ""),
        (SnapshotSessionManager, "ORD-01", ""),
    ],
)
def test_what_the_sdks_class_does_is_the_sdks_whatever_else_was_mended(
    request: pytest.FixtureRequest, new_folder: Callable[[], Path], kind: type, id: str, inherited: str
) -> None:
    checks = {"TOL-04": getattr(Tools(), "TOL-04"), "ORD-01": getattr(PersistenceBeforeHooks(), "ORD-01")}
    checks |= {"AGT-08": getattr(TextAgents(), "AGT-08"), "CLN-04": getattr(CleanUp(), "CLN-04")}
    check: Any = checks[id]
    target = BUILT_IN["strands-snapshot"] if kind is SnapshotSessionManager else f"{__name__}:{kind.__name__}"
    backend = try_out(BackendSpec(kind.__name__, target).resolve(), Workspace(new_folder()))
    with pytest.raises(Violation) as caught:
        judge(check, backend, request.config, new_folder)
    assert inherited_from(caught.value, check.requirement, check, backend, request.config, new_folder) == inherited


@pytest.mark.parametrize(("asked", "expected"), [(True, None), (False, 2)])
def test_what_is_asked_under_a_condition_may_not_have_been_asked_of_others(asked: bool, expected: int | None) -> None:
    def check() -> None:
        """A docstring is the first statement."""
        if asked:
            violated("this", "that")
        for _ in range(2):
            violated("this", "that")

    with pytest.raises(Violation) as caught:
        check()
    assert part_of(caught.value, check) == expected
