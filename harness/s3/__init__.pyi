from .contents import stored_objects as stored_objects
from .data_files import data_files_kept as data_files_kept
from .data_files import parse_data_files as parse_data_files
from .endpoint import REGION as REGION
from .endpoint import NoEndpoint as NoEndpoint
from .endpoint import NoVersioning as NoVersioning
from .endpoint import S3Endpoint as S3Endpoint
from .endpoint import environment as environment
from .endpoint import moto as moto
from .messages import Answer as Answer
from .messages import Request as Request
from .prices import usd as usd
from .retries import without_pauses as without_pauses
from .seam import Fault as Fault
from .seam import Record as Record
from .seam import Seam as Seam
from .seam import changes_made as changes_made

__all__ = [
    "REGION",
    "Answer",
    "Fault",
    "NoEndpoint",
    "NoVersioning",
    "Record",
    "Request",
    "S3Endpoint",
    "Seam",
    "changes_made",
    "data_files_kept",
    "environment",
    "moto",
    "parse_data_files",
    "stored_objects",
    "usd",
    "without_pauses",
]
