from .acknowledgement import Acknowledged as Acknowledged
from .excerpts import LIFELINES as LIFELINES
from .excerpts import LONGEST as LONGEST
from .excerpts import between as between
from .excerpts import excerpt as excerpt
from .history import answers as answers
from .history import bidi_metadata as bidi_metadata
from .history import content_of as content_of
from .history import difference as difference
from .history import essence as essence
from .history import is_pending as is_pending
from .history import same as same
from .history import texts as texts
from .history import unpaired_tools as unpaired_tools
from .history import without_made_up_answers as without_made_up_answers
from .plain_data import from_json as from_json
from .plain_data import to_json as to_json
from .timeline import AgentAtRest as AgentAtRest
from .timeline import AgentStarted as AgentStarted
from .timeline import AgentStopped as AgentStopped
from .timeline import Asked as Asked
from .timeline import Event as Event
from .timeline import Failed as Failed
from .timeline import Happened as Happened
from .timeline import HappenedElsewhere as HappenedElsewhere
from .timeline import HookCalled as HookCalled
from .timeline import ModelEmitted as ModelEmitted
from .timeline import ModelReceived as ModelReceived
from .timeline import ModelStarted as ModelStarted
from .timeline import ModelStopped as ModelStopped
from .timeline import NodeRan as NodeRan
from .timeline import ProcessEnded as ProcessEnded
from .timeline import ProcessStarted as ProcessStarted
from .timeline import Reading as Reading
from .timeline import TeamEnded as TeamEnded
from .timeline import Timeline as Timeline
from .timeline import ToolRan as ToolRan
from .timeline import UserSent as UserSent
from .timeline import one_message as one_message
from .timeline import shape as shape

__all__ = [
    "LIFELINES",
    "LONGEST",
    "Acknowledged",
    "AgentAtRest",
    "AgentStarted",
    "AgentStopped",
    "Asked",
    "Event",
    "Failed",
    "Happened",
    "HappenedElsewhere",
    "HookCalled",
    "ModelEmitted",
    "ModelReceived",
    "ModelStarted",
    "ModelStopped",
    "NodeRan",
    "ProcessEnded",
    "ProcessStarted",
    "Reading",
    "TeamEnded",
    "Timeline",
    "ToolRan",
    "UserSent",
    "answers",
    "between",
    "bidi_metadata",
    "content_of",
    "difference",
    "essence",
    "excerpt",
    "from_json",
    "is_pending",
    "one_message",
    "same",
    "shape",
    "texts",
    "to_json",
    "unpaired_tools",
    "without_made_up_answers",
]
