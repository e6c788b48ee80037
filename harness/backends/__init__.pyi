from .backend import Backend as Backend
from .backend import ListedSession as ListedSession
from .backend import repository_of as repository_of
from .capability import Capability as Capability
from .interface import Kind as Kind
from .plain_stores import PlainRepository as PlainRepository
from .plain_stores import PlainStorage as PlainStorage
from .spec import EXPECTED as EXPECTED
from .spec import BackendError as BackendError
from .spec import BackendSpec as BackendSpec
from .spec import is_of as is_of
from .spec import try_out as try_out
from .spec import wrapped as wrapped
from .workspace import Workspace as Workspace

__all__ = [
    "EXPECTED",
    "Backend",
    "BackendError",
    "BackendSpec",
    "Capability",
    "Kind",
    "ListedSession",
    "PlainRepository",
    "PlainStorage",
    "Workspace",
    "is_of",
    "repository_of",
    "try_out",
    "wrapped",
]
