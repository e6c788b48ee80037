from .backends import Backend as Backend
from .backends import BackendError as BackendError
from .backends import BackendSpec as BackendSpec
from .backends import Capability as Capability
from .backends import Interface as Interface
from .backends import Workspace as Workspace
from .backends import try_out as try_out
from .conversations import Conversation as Conversation
from .conversations import Run as Run
from .conversations import Scenario as Scenario
from .conversations import ScenarioRuns as ScenarioRuns
from .conversations import Session as Session
from .conversations import Team as Team
from .conversations import TeamConversation as TeamConversation
from .conversations import TextAgent as TextAgent
from .conversations import TextConversation as TextConversation
from .conversations import detect as detect
from .conversations import play as play
from .conversations import read_in_fresh_process as read_in_fresh_process
from .models import RestartableScriptedBidiModel as RestartableScriptedBidiModel
from .models import ScriptedBidiModel as ScriptedBidiModel
from .models import ScriptedFailure as ScriptedFailure
from .models import ScriptedTextModel as ScriptedTextModel
from .process import Hang as Hang
from .scripts import Script as Script
from .scripts import ScriptError as ScriptError
from .scripts import ToolCall as ToolCall
from .timeline import Reading as Reading
from .timeline import Timeline as Timeline
from .timeline import difference as difference
from .timeline import unpaired_tools as unpaired_tools
from .verdicts import Level as Level
from .verdicts import NotApplicable as NotApplicable
from .verdicts import Outcome as Outcome
from .verdicts import Requirement as Requirement
from .verdicts import Result as Result
from .verdicts import Verdict as Verdict
from .verdicts import Violation as Violation
from .verdicts import drawn as drawn
from .verdicts import expect_no_failure as expect_no_failure
from .verdicts import expect_same as expect_same
from .verdicts import requirement as requirement
from .verdicts import requirements as requirements
from .verdicts import violated as violated

__all__ = [
    "Backend",
    "BackendError",
    "BackendSpec",
    "Capability",
    "Conversation",
    "Hang",
    "Interface",
    "Level",
    "NotApplicable",
    "Outcome",
    "Reading",
    "Requirement",
    "RestartableScriptedBidiModel",
    "Result",
    "Run",
    "Scenario",
    "ScenarioRuns",
    "Script",
    "ScriptError",
    "ScriptedBidiModel",
    "ScriptedFailure",
    "ScriptedTextModel",
    "Session",
    "Team",
    "TeamConversation",
    "TextAgent",
    "TextConversation",
    "Timeline",
    "ToolCall",
    "Verdict",
    "Violation",
    "Workspace",
    "detect",
    "difference",
    "drawn",
    "expect_no_failure",
    "expect_same",
    "play",
    "read_in_fresh_process",
    "requirement",
    "requirements",
    "try_out",
    "unpaired_tools",
    "violated",
]
