from .catalogue import Entry as Entry
from .catalogue import chosen as chosen
from .catalogue import read_catalogue as read_catalogue
from .errors import FieldError as FieldError
from .explanations import Explanation as Explanation
from .explanations import read_explanations as read_explanations
from .readme import has_place as has_place
from .readme import write_table as write_table
from .results import RUN_HERE as RUN_HERE
from .results import SUBMITTED as SUBMITTED
from .results import FieldResult as FieldResult
from .results import keep as keep
from .results import kept as kept
from .running import FieldSettings as FieldSettings
from .running import as_many_as_sensible as as_many_as_sensible
from .running import run_field as run_field
from .site import build_field as build_field
from .site import pages_of as pages_of

__all__ = [
    "RUN_HERE",
    "SUBMITTED",
    "Entry",
    "Explanation",
    "FieldError",
    "FieldResult",
    "FieldSettings",
    "as_many_as_sensible",
    "build_field",
    "chosen",
    "has_place",
    "keep",
    "kept",
    "pages_of",
    "read_catalogue",
    "read_explanations",
    "run_field",
    "write_table",
]
