"""Judges one requirement for one backend, without a pytest run around it."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from session_conformance.fixtures.s3 import endpoint_of_run, workspace_for
from session_conformance.fixtures.suite import ConformanceSuite
from session_conformance.harness import Backend, BackendSpec, Requirement, ScenarioRuns, Session, Workspace
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
    RestartAndReplay,
    StorageOnS3,
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
    AnyConversationAtAll,
)
CHECKS: dict[str, Callable[..., None]] = {
    id: partial(check, suite())
    for suite in SUITES
    for id, check in vars(suite).items()
    if hasattr(check, "requirement")
}
REQUIREMENTS: dict[str, Requirement] = {id: check.func.requirement for id, check in CHECKS.items()}  # type: ignore[attr-defined]


def backend_of(manager: type) -> Backend:
    return BackendSpec(manager.__name__, f"{manager.__module__}:{manager.__name__}").resolve()


def judge(manager: type, id: str, folder: Path, config: pytest.Config) -> None:
    """Run a requirement's check; it raises what it raises."""
    backend = backend_of(manager)
    numbers = iter(range(1000))

    def new_workspace(**how: bool) -> Workspace:
        place = folder / f"workspace-{next(numbers)}"
        place.mkdir()
        return workspace_for(backend, place, config, **how)

    def new_session(id: str = "conversation", *, workspace: Any = None, agent_id: str = "default") -> Session:
        return Session(backend, workspace or new_workspace(), id, agent_id)

    given = {
        "backend": backend,
        "new_session": new_session,
        "new_workspace": new_workspace,
        "record_property": lambda name, value: None,
        "request": SimpleNamespace(config=config),
        "run": ScenarioRuns(backend, new_workspace),
        "tmp_path": folder,
    }
    needed = inspect.signature(CHECKS[id]).parameters
    if "s3" in needed:
        given["s3"] = endpoint_of_run(config)
    CHECKS[id](**{name: given[name] for name in needed})
