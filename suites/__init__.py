"""The conformance requirements, one module a group.

Each group's suite is a class to subclass in a test file; they are loaded when they are asked for::

    from session_conformance.suites import PersistenceBeforeHooks
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agt import TextAgents
    from .cln import CleanUp
    from .cnt import Content
    from .con import Concurrency
    from .cor import Corruption
    from .dur import CrashesAndFullDisks
    from .ids import IdentityAndIsolation
    from .lif import LifeOfASession
    from .mag import SeveralAgents
    from .ord import PersistenceBeforeHooks
    from .rep import RepositoryApi
    from .rpl import RestartAndReplay
    from .s3a import StorageOnS3
    from .snp import SnapshotsAndStorage
    from .sta import AnyConversationAtAll
    from .tol import Tools
    from .upd import UpdatesAndRedaction

_SUITES = {
    "LifeOfASession": "lif",
    "PersistenceBeforeHooks": "ord",
    "UpdatesAndRedaction": "upd",
    "RestartAndReplay": "rpl",
    "Tools": "tol",
    "Content": "cnt",
    "IdentityAndIsolation": "ids",
    "Corruption": "cor",
    "CrashesAndFullDisks": "dur",
    "Concurrency": "con",
    "CleanUp": "cln",
    "StorageOnS3": "s3a",
    "TextAgents": "agt",
    "SeveralAgents": "mag",
    "AnyConversationAtAll": "sta",
    "RepositoryApi": "rep",
    "SnapshotsAndStorage": "snp",
}


def __getattr__(name: str) -> Any:
    if name not in _SUITES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_SUITES[name]}"), name)


__all__ = [
    "AnyConversationAtAll",
    "CleanUp",
    "Concurrency",
    "Content",
    "Corruption",
    "CrashesAndFullDisks",
    "IdentityAndIsolation",
    "LifeOfASession",
    "PersistenceBeforeHooks",
    "RepositoryApi",
    "RestartAndReplay",
    "SeveralAgents",
    "SnapshotsAndStorage",
    "StorageOnS3",
    "TextAgents",
    "Tools",
    "UpdatesAndRedaction",
]
