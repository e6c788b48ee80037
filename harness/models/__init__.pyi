from .bidi import RestartableScriptedBidiModel as RestartableScriptedBidiModel
from .bidi import ScriptedBidiModel as ScriptedBidiModel
from .bidi import ScriptedFailure as ScriptedFailure
from .bidi import output_event as output_event
from .text import Answering as Answering
from .text import ScriptedTextModel as ScriptedTextModel
from .text import chunk as chunk
from .text import fails_here as fails_here
from .text import stream_events as stream_events
from .text import text_answer as text_answer
from .tools import ScriptedTools as ScriptedTools
from .tools import quiet_scripted_errors as quiet_scripted_errors

__all__ = [
    "Answering",
    "RestartableScriptedBidiModel",
    "ScriptedBidiModel",
    "ScriptedFailure",
    "ScriptedTextModel",
    "ScriptedTools",
    "chunk",
    "fails_here",
    "output_event",
    "quiet_scripted_errors",
    "stream_events",
    "text_answer",
]
