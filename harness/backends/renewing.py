"""Renewing a backend: its modules are imported anew, so that what hangs in the old ones is nobody's any more."""

from __future__ import annotations

import logging
import sys
import sysconfig
from dataclasses import fields
from pathlib import Path
from types import ModuleType

from .backend import Backend
from .building import BackendError
from .spec import BackendSpec

logger = logging.getLogger(__name__)

_OURS = frozenset({"session_conformance", "strands"})
_INSTALLED = frozenset(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))


def renew(backend: Backend) -> None:
    """Let a backend open managers of its modules as they are when they are imported again.

    A lock that nobody gives back, or the only thread of an executor, may belong to a module. The sessions that refer to
    the backend go on with what it opens from now on: so it is changed in place. A backend stays as it was where it was
    not found by its name, where its data lies in the memory of this process, and where its import fails now.
    """
    if not isinstance(backend.spec, BackendSpec) or backend.in_process:
        return
    name = backend.spec.target.partition(":")[0]
    if name not in sys.modules or name.partition(".")[0] in _OURS:
        return
    old = _belonging_to(sys.modules[name])
    for one in old:
        del sys.modules[one]
    try:
        found = backend.spec.resolve()
    except BackendError as error:
        logger.warning("backend=<%s> | it cannot be imported again: %s", backend.name, error)
        sys.modules.update(old)
        return
    for field in fields(Backend):
        fresh = getattr(found, field.name)
        if callable(fresh) and callable(getattr(backend, field.name)):
            object.__setattr__(backend, field.name, fresh)


def _belonging_to(module: ModuleType) -> dict[str, ModuleType]:
    """Return a module and those of its project: its whole package, or what lies beside it, but for tests."""
    package, _, inner = module.__name__.partition(".")
    file = getattr(module, "__file__", None)
    folder = Path(file).parent if file is not None and not inner else None
    found = {}
    for name, one in list(sys.modules.items()):
        last = name.rpartition(".")[2]
        of_package = name == package or name.startswith(f"{package}.")
        other = getattr(one, "__file__", None)
        beside = folder is not None and folder not in _INSTALLED and other and Path(other).parent == folder
        if (of_package or (beside and "." not in name)) and last != "conftest" and not last.startswith("test_"):
            found[name] = one
    return found
