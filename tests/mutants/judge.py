"""Judges one requirement for one backend, without a pytest run around it."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from session_conformance.fixtures.suite import ConformanceSuite
from session_conformance.harness import Backend, BackendSpec, Requirement, ScenarioRuns, Session, Workspace
from session_conformance.suites import (
    CleanUp,
    Concurrency,
    Content,
    Corruption,
    CrashesAndFullDisks,
    IdentityAndIsolation,
    LifeOfASession,
    PersistenceBeforeHooks,
    RestartAndReplay,
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
    Corruption,
    CrashesAndFullDisks,
    Concurrency,
    CleanUp,
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


def judge(manager: type, id: str, folder: Path) -> None:
    """Run a requirement's check; it raises what it raises."""
    backend = backend_of(manager)
    workspaces = iter(range(1000))

    def new_workspace() -> Workspace:
        place = folder / f"workspace-{next(workspaces)}"
        place.mkdir()
        return Workspace(place)

    def new_session(id: str = "conversation", *, workspace: Any = None, agent_id: str = "default") -> Session:
        return Session(backend, workspace or new_workspace(), id, agent_id)

    given = {"run": ScenarioRuns(backend, new_workspace), "new_session": new_session, "tmp_path": folder}
    CHECKS[id](**{name: given[name] for name in inspect.signature(CHECKS[id]).parameters})
