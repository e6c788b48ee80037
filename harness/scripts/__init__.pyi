from .expected import Expected as Expected
from .expected import mismatch as mismatch
from .live_agent import LiveAgent as LiveAgent
from .oracle import OWN as OWN
from .oracle import Checkpoint as Checkpoint
from .oracle import Oracle as Oracle
from .oracle import Place as Place
from .python_code import as_python as as_python
from .script import Add as Add
from .script import Answer as Answer
from .script import CallTools as CallTools
from .script import Cancel as Cancel
from .script import CleanUp as CleanUp
from .script import DeleteSession as DeleteSession
from .script import DeleteState as DeleteState
from .script import DirectToolCall as DirectToolCall
from .script import Elsewhere as Elsewhere
from .script import Emit as Emit
from .script import EndStream as EndStream
from .script import Fail as Fail
from .script import HookRaises as HookRaises
from .script import HookReads as HookReads
from .script import Merge as Merge
from .script import ModelCall as ModelCall
from .script import NodeWill as NodeWill
from .script import ProcessEnd as ProcessEnd
from .script import Redact as Redact
from .script import Release as Release
from .script import RestartProcess as RestartProcess
from .script import ScheduledRestart as ScheduledRestart
from .script import Script as Script
from .script import ScriptError as ScriptError
from .script import Send as Send
from .script import SendAudio as SendAudio
from .script import SetState as SetState
from .script import Start as Start
from .script import Step as Step
from .script import Stop as Stop
from .script import StopHookSetsState as StopHookSetsState
from .script import StorageFails as StorageFails
from .script import StorageFailsBehind as StorageFailsBehind
from .script import StorageWorks as StorageWorks
from .script import Timeout as Timeout
from .script import Together as Together
from .script import ToolCall as ToolCall
from .script import stream as stream
from .steps import WITHOUT_START as WITHOUT_START

__all__ = [
    "OWN",
    "WITHOUT_START",
    "Add",
    "Answer",
    "CallTools",
    "Cancel",
    "Checkpoint",
    "CleanUp",
    "DeleteSession",
    "DeleteState",
    "DirectToolCall",
    "Elsewhere",
    "Emit",
    "EndStream",
    "Expected",
    "Fail",
    "HookRaises",
    "HookReads",
    "LiveAgent",
    "Merge",
    "ModelCall",
    "NodeWill",
    "Oracle",
    "Place",
    "ProcessEnd",
    "Redact",
    "Release",
    "RestartProcess",
    "ScheduledRestart",
    "Script",
    "ScriptError",
    "Send",
    "SendAudio",
    "SetState",
    "Start",
    "Step",
    "Stop",
    "StopHookSetsState",
    "StorageFails",
    "StorageFailsBehind",
    "StorageWorks",
    "Timeout",
    "Together",
    "ToolCall",
    "as_python",
    "mismatch",
    "stream",
]
