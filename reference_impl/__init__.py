"""Session managers that lose nothing, with the constructors of the SDK's own.

They are loaded when they are asked for, so that the console command answers at once::

    from session_conformance.reference_impl import FileSessionManager
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .file_session_manager import FileSessionManager
    from .log.at_rest import AtRest
    from .log.inspection import Repair, SessionInfo, Verification
    from .log.snapshots import export_snapshots, import_snapshots
    from .s3_session_manager import S3SessionManager

_MODULES = {
    "AtRest": "log.at_rest",
    "FileSessionManager": "file_session_manager",
    "Repair": "log.inspection",
    "S3SessionManager": "s3_session_manager",
    "SessionInfo": "log.inspection",
    "Verification": "log.inspection",
    "export_snapshots": "log.snapshots",
    "import_snapshots": "log.snapshots",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


__all__ = [
    "AtRest",
    "FileSessionManager",
    "Repair",
    "S3SessionManager",
    "SessionInfo",
    "Verification",
    "export_snapshots",
    "import_snapshots",
]
