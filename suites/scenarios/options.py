"""Options: the backend that is judged, with constructor arguments of a requirement's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from session_conformance.harness import BackendSpec, NotApplicable, Session


def having(session: Session, **options: Any) -> Session:
    """Return a session whose managers are built with some more arguments.

    Raises:
        NotApplicable: The backend is no class, or its constructor does not take them.
    """
    spec = session.backend.spec
    if not isinstance(spec, BackendSpec):
        raise NotApplicable("it was not given by an importable name, so nobody can build it with other arguments")
    for name in options:
        if not spec.takes(name):
            raise NotApplicable(f"its constructor takes no {name}")
    backend = replace(spec, arguments={**spec.arguments, **options}).resolve()
    return replace(session, backend=replace(backend, durability=session.backend.durability))


__all__ = ["having"]
