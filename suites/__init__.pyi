from .agt import TextAgents as TextAgents
from .cln import CleanUp as CleanUp
from .cnt import Content as Content
from .con import Concurrency as Concurrency
from .cor import Corruption as Corruption
from .dur import CrashesAndFullDisks as CrashesAndFullDisks
from .ids import IdentityAndIsolation as IdentityAndIsolation
from .lif import LifeOfASession as LifeOfASession
from .mag import SeveralAgents as SeveralAgents
from .net import StorageBehindANetwork as StorageBehindANetwork
from .ord import PersistenceBeforeHooks as PersistenceBeforeHooks
from .rep import RepositoryApi as RepositoryApi
from .rpl import RestartAndReplay as RestartAndReplay
from .s3a import StorageOnS3 as StorageOnS3
from .snp import SnapshotsAndStorage as SnapshotsAndStorage
from .sta import AnyConversationAtAll as AnyConversationAtAll
from .tol import Tools as Tools
from .upd import UpdatesAndRedaction as UpdatesAndRedaction

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
    "StorageBehindANetwork",
    "StorageOnS3",
    "TextAgents",
    "Tools",
    "UpdatesAndRedaction",
]
