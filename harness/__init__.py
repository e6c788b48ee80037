"""Drives a session manager through scripted conversations, observes it, and judges what was seen."""

from .backend import Backend
from .backend_spec import BackendError, BackendSpec, try_out
from .capability import Capability
from .conversation import Conversation, Session
from .detection import detect
from .fresh_process import read_in_fresh_process
from .hang import Hang
from .history import difference, unpaired_tools
from .kind import Kind
from .play import play
from .requirement import Level, Requirement, requirement, requirements
from .scenario import Run, Scenario, ScenarioRuns
from .script import Script, ScriptError, ToolCall
from .scripted_model import RestartableScriptedBidiModel, ScriptedBidiModel, ScriptedFailure
from .scripted_text_model import ScriptedTextModel
from .team import Team
from .team_conversation import TeamConversation
from .text_agent import TextAgent
from .text_conversation import TextConversation
from .timeline import Reading, Timeline
from .verdict import Outcome, Result, Verdict
from .violation import NotApplicable, Violation, drawn, expect_no_failure, expect_same, violated
from .workspace import Workspace

__all__ = [
    "Backend",
    "BackendError",
    "BackendSpec",
    "Capability",
    "Conversation",
    "Hang",
    "Kind",
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
