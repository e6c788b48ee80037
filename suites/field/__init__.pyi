from .catalogue import Entry as Entry
from .catalogue import chosen as chosen
from .catalogue import read_catalogue as read_catalogue
from .errors import FieldError as FieldError
from .results import FieldResult as FieldResult
from .results import keep as keep
from .results import kept as kept
from .running import FieldSettings as FieldSettings
from .running import as_many_as_sensible as as_many_as_sensible
from .running import run_field as run_field

__all__ = [
    "Entry",
    "FieldError",
    "FieldResult",
    "FieldSettings",
    "as_many_as_sensible",
    "chosen",
    "keep",
    "kept",
    "read_catalogue",
    "run_field",
]
