"""Every name of the Strands Agents SDK that the harness uses, imported in one place.

The SDK renames things between releases (``strands.experimental.bidi`` became ``strands.bidi`` in 1.57.2,
``auto_reconnect`` became ``auto_restart``, usage events changed their fields); a new release is met here.
"""

from importlib.metadata import version

from strands.agent.state import AgentState
from strands.bidi import BidiAgent
from strands.bidi.hooks import (
    BidiAfterConnectionRestartEvent,
    BidiAgentStopEvent,
    BidiBargeInEvent,
    BidiBeforeConnectionRestartEvent,
    BidiResponseStopEvent,
)
from strands.bidi.models import BidiModel, ConnectionTimeoutError
from strands.bidi.types import AudioDelta, BidiMessage, BidiOutputEvent
from strands.bidi.types import events as output_events
from strands.hooks import (
    AfterToolCallEvent,
    AgentInitializedEvent,
    BeforeToolCallEvent,
    HookOrder,
    HookProvider,
    HookRegistry,
    MessageAddedEvent,
    MessageUpdatedEvent,
)
from strands.session import SessionManager, SessionRepository, SnapshotSessionManager
from strands.storage import LocalFileStorage, Storage
from strands.tools.tools import PythonAgentTool
from strands.types.content import Message, Messages, TextBlock
from strands.types.exceptions import SessionException, SnapshotException, StorageError
from strands.types.media import AudioFormat, DocumentFormat, ImageFormat, VideoFormat
from strands.types.tools import AgentTool, ToolResult, ToolResultBlock, ToolSpec, ToolUse

SDK_EXCEPTIONS: tuple[type[Exception], ...] = (SessionException, SnapshotException, StorageError)
"""What a session manager may raise when storage cannot be read or written (``strands.types.exceptions``)."""

SDK_VERSION: str = version("strands-agents")
"""The installed release of ``strands-agents``."""

TOOL_LOGGER = "strands.tools.executors._executor"
"""The logger to which the SDK writes the tracebacks of tools that raise."""

__all__ = [
    "SDK_EXCEPTIONS",
    "SDK_VERSION",
    "TOOL_LOGGER",
    "AfterToolCallEvent",
    "AgentInitializedEvent",
    "AgentState",
    "AgentTool",
    "AudioDelta",
    "AudioFormat",
    "BeforeToolCallEvent",
    "BidiAfterConnectionRestartEvent",
    "BidiAgent",
    "BidiAgentStopEvent",
    "BidiBargeInEvent",
    "BidiBeforeConnectionRestartEvent",
    "BidiMessage",
    "BidiModel",
    "BidiOutputEvent",
    "BidiResponseStopEvent",
    "ConnectionTimeoutError",
    "DocumentFormat",
    "HookOrder",
    "HookProvider",
    "HookRegistry",
    "ImageFormat",
    "LocalFileStorage",
    "Message",
    "MessageAddedEvent",
    "MessageUpdatedEvent",
    "Messages",
    "PythonAgentTool",
    "SessionException",
    "SessionManager",
    "SessionRepository",
    "SnapshotException",
    "SnapshotSessionManager",
    "Storage",
    "StorageError",
    "TextBlock",
    "ToolResult",
    "ToolResultBlock",
    "ToolSpec",
    "ToolUse",
    "VideoFormat",
    "output_events",
]
