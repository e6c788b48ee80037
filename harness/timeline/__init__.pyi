from .acknowledgement import Acknowledged as Acknowledged
from .acknowledgement import acknowledged_by as acknowledged_by
from .events import REDACTED as REDACTED
from .events import REDACTS as REDACTS
from .events import AgentAtRest as AgentAtRest
from .events import AgentStarted as AgentStarted
from .events import AgentStopped as AgentStopped
from .events import Asked as Asked
from .events import Event as Event
from .events import Failed as Failed
from .events import Happened as Happened
from .events import HappenedElsewhere as HappenedElsewhere
from .events import HookCalled as HookCalled
from .events import ModelEmitted as ModelEmitted
from .events import ModelReceived as ModelReceived
from .events import ModelStarted as ModelStarted
from .events import ModelStopped as ModelStopped
from .events import NodeRan as NodeRan
from .events import ProcessEnded as ProcessEnded
from .events import ProcessStarted as ProcessStarted
from .events import TeamEnded as TeamEnded
from .events import TeamKnows as TeamKnows
from .events import ToolRan as ToolRan
from .events import UserSent as UserSent
from .excerpts import LIFELINES as LIFELINES
from .excerpts import excerpt as excerpt
from .frames import frames_of as frames_of
from .frames import keep_raised as keep_raised
from .frames import kept as kept
from .history import answers as answers
from .history import bidi_metadata as bidi_metadata
from .history import content_of as content_of
from .history import difference as difference
from .history import difference_of_values as difference_of_values
from .history import essence as essence
from .history import is_pending as is_pending
from .history import same as same
from .history import texts as texts
from .history import unpaired_tools as unpaired_tools
from .history import without_made_up_answers as without_made_up_answers
from .plain_data import copied as copied
from .plain_data import from_json as from_json
from .plain_data import to_json as to_json
from .reading import Reading as Reading
from .restoring import restored as restored
from .summaries import one_message as one_message
from .summaries import shape as shape
from .timeline import Timeline as Timeline

__all__ = [
    "LIFELINES",
    "REDACTED",
    "REDACTS",
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
    "TeamKnows",
    "Timeline",
    "ToolRan",
    "UserSent",
    "acknowledged_by",
    "answers",
    "bidi_metadata",
    "content_of",
    "copied",
    "difference",
    "difference_of_values",
    "essence",
    "excerpt",
    "frames_of",
    "from_json",
    "is_pending",
    "keep_raised",
    "kept",
    "one_message",
    "restored",
    "same",
    "shape",
    "texts",
    "to_json",
    "unpaired_tools",
    "without_made_up_answers",
]
