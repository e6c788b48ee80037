"""Judges one requirement for one backend, without a pytest run around it."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from session_conformance.fixtures import ConformanceSuite, endpoint_of_run, services_of_run
from session_conformance.fixtures import judge as run_check
from session_conformance.harness import Backend, BackendSpec, Interface, Requirement
from session_conformance.harness.services import NoService
from session_conformance.suites import (
    AnyConversationAtAll,
    CleanUp,
    Concurrency,
    Content,
    Corruption,
    CrashesAndFullDisks,
    IdentityAndIsolation,
    LifeOfASession,
    PersistenceBeforeHooks,
    RepositoryApi,
    RestartAndReplay,
    SeveralAgents,
    SnapshotsAndStorage,
    StorageBehindANetwork,
    StorageOnS3,
    TextAgents,
    Tools,
    UpdatesAndRedaction,
)

SUITES: tuple[type[ConformanceSuite], ...] = (
    LifeOfASession,
    PersistenceBeforeHooks,
    UpdatesAndRedaction,
    RestartAndReplay,
    Tools,
    CleanUp,
    Concurrency,
    Content,
    Corruption,
    CrashesAndFullDisks,
    IdentityAndIsolation,
    StorageOnS3,
    StorageBehindANetwork,
    TextAgents,
    SeveralAgents,
    RepositoryApi,
    SnapshotsAndStorage,
    AnyConversationAtAll,
)
CHECKS: dict[str, Callable[..., None]] = {
    id: partial(check, suite())
    for suite in SUITES
    for id, check in vars(suite).items()
    if hasattr(check, "requirement")
}
REQUIREMENTS: dict[str, Requirement] = {id: check.func.requirement for id, check in CHECKS.items()}  # type: ignore[attr-defined]


def backend_of(broken: type) -> Backend:
    interface = next(interface for interface in Interface if interface.is_met_by(broken))
    arguments = {"table": "{unique}"} if "table" in inspect.signature(broken).parameters else {}
    target = f"{broken.__module__}:{broken.__name__}"
    return BackendSpec(broken.__name__, target, arguments, interface=interface).resolve()


def judge(manager: type, id: str, folder: Path, config: pytest.Config) -> None:
    """Run a requirement's check; it raises what it raises. Without the manager's server, the test is skipped."""
    backend = backend_of(manager)
    for service in backend.services:
        try:
            services_of_run(config)[service]
        except NoService as reason:
            pytest.skip(str(reason))
    numbers = iter(range(1000))

    def new_folder() -> Path:
        place = folder / f"workspace-{next(numbers)}"
        place.mkdir()
        return place

    factory = SimpleNamespace(mktemp=lambda name: new_folder())
    others = {"request": SimpleNamespace(config=config), "tmp_path_factory": factory}
    if "s3" in inspect.signature(CHECKS[id]).parameters:
        others["s3"] = endpoint_of_run(config)
    run_check(CHECKS[id], backend, config, new_folder, others, remember=False)
