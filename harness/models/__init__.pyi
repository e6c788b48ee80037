from .bidi import RestartableScriptedBidiModel as RestartableScriptedBidiModel
from .bidi import ScriptedBidiModel as ScriptedBidiModel
from .bidi import ScriptedFailure as ScriptedFailure
from .text import Answering as Answering
from .text import ScriptedTextModel as ScriptedTextModel
from .text import chunk as chunk
from .text import fails_here as fails_here
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
    "quiet_scripted_errors",
    "text_answer",
]
