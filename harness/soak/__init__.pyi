from .anomaly import Anomaly as Anomaly
from .checkers import anomalies as anomalies
from .history import FAILED as FAILED
from .history import INVOKED as INVOKED
from .history import LIFE as LIFE
from .history import OK as OK
from .history import History as History
from .history import Operation as Operation
from .history import Record as Record
from .plan import Life as Life
from .plan import life as life
from .run import Soak as Soak
from .run import SoakSettings as SoakSettings
from .run import soak as soak

__all__ = [
    "FAILED",
    "INVOKED",
    "LIFE",
    "OK",
    "Anomaly",
    "History",
    "Life",
    "Operation",
    "Record",
    "Soak",
    "SoakSettings",
    "anomalies",
    "life",
    "soak",
]
