from ._operations import delete_session as delete_session
from .backend import Backend as Backend
from .backend import Findable as Findable
from .backend import ListedSession as ListedSession
from .backend import repository_of as repository_of
from .building import BackendError as BackendError
from .capability import Capability as Capability
from .durability import Durability as Durability
from .durability import durability_of as durability_of
from .engine_files import kept as kept
from .factories import Lifespan as Lifespan
from .factories import living as living
from .folder import looked_at as looked_at
from .interface import Interface as Interface
from .plain_stores import PlainRepository as PlainRepository
from .plain_stores import PlainStorage as PlainStorage
from .renewing import renew as renew
from .sdk_manager import under_sdk_manager as under_sdk_manager
from .spec import BackendSpec as BackendSpec
from .spec import try_out as try_out
from .workspace import Workspace as Workspace

__all__ = [
    "Backend",
    "BackendError",
    "BackendSpec",
    "Capability",
    "Durability",
    "Findable",
    "Interface",
    "Lifespan",
    "ListedSession",
    "PlainRepository",
    "PlainStorage",
    "Workspace",
    "delete_session",
    "durability_of",
    "kept",
    "living",
    "looked_at",
    "renew",
    "repository_of",
    "try_out",
    "under_sdk_manager",
]
