"""Every name of the Strands Agents SDK that the harness uses, imported in one place.

The SDK renames things between releases (``strands.experimental.bidi`` became ``strands.bidi`` in 1.57.2,
``auto_reconnect`` became ``auto_restart``, usage events changed their fields); a new release is met here.
"""

from importlib.metadata import version

from strands import Agent
from strands.agent.conversation_manager import SlidingWindowConversationManager, SummarizingConversationManager
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
    AfterInvocationEvent,
    AfterNodeCallEvent,
    AfterToolCallEvent,
    AgentInitializedEvent,
    BeforeNodeCallEvent,
    BeforeToolCallEvent,
    HookOrder,
    HookProvider,
    HookRegistry,
    MessageAddedEvent,
    MessageUpdatedEvent,
    MultiAgentInitializedEvent,
)
from strands.models import Model
from strands.multiagent import GraphBuilder, Swarm
from strands.multiagent.base import MultiAgentBase
from strands.multiagent.graph import Graph
from strands.session import RepositorySessionManager, SessionManager, SessionRepository, SnapshotSessionManager
from strands.storage import LocalFileStorage, Storage
from strands.tools.decorator import tool as sdk_tool
from strands.tools.tools import PythonAgentTool
from strands.types.content import Message, Messages, TextBlock
from strands.types.exceptions import (
    ContextWindowOverflowException,
    SessionException,
    SnapshotException,
    StorageError,
)
from strands.types.media import AudioFormat, DocumentFormat, ImageFormat, VideoFormat
from strands.types.session import Session as StoredSession
from strands.types.session import SessionAgent, SessionMessage, SessionType
from strands.types.streaming import StreamEvent
from strands.types.tools import AgentTool, ToolContext, ToolResult, ToolResultBlock, ToolSpec, ToolUse

SDK_EXCEPTIONS: tuple[type[Exception], ...] = (SessionException, SnapshotException, StorageError)
"""What a session manager may raise when storage cannot be read or written (``strands.types.exceptions``)."""

SDK_VERSION: str = version("strands-agents")
"""The installed release of ``strands-agents``."""

ERROR_LOGGERS = ("strands.tools.executors._executor", "strands.multiagent.graph", "strands.multiagent.swarm")
"""The loggers to which the SDK writes the tracebacks of tools and nodes that raise."""

__all__ = [
    "ERROR_LOGGERS",
    "SDK_EXCEPTIONS",
    "SDK_VERSION",
    "AfterInvocationEvent",
    "AfterNodeCallEvent",
    "AfterToolCallEvent",
    "Agent",
    "AgentInitializedEvent",
    "AgentState",
    "AgentTool",
    "AudioDelta",
    "AudioFormat",
    "BeforeNodeCallEvent",
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
    "ContextWindowOverflowException",
    "DocumentFormat",
    "Graph",
    "GraphBuilder",
    "HookOrder",
    "HookProvider",
    "HookRegistry",
    "ImageFormat",
    "LocalFileStorage",
    "Message",
    "MessageAddedEvent",
    "MessageUpdatedEvent",
    "Messages",
    "Model",
    "MultiAgentBase",
    "MultiAgentInitializedEvent",
    "PythonAgentTool",
    "RepositorySessionManager",
    "SessionAgent",
    "SessionException",
    "SessionManager",
    "SessionMessage",
    "SessionRepository",
    "SessionType",
    "SlidingWindowConversationManager",
    "SnapshotException",
    "SnapshotSessionManager",
    "Storage",
    "StorageError",
    "StoredSession",
    "StreamEvent",
    "SummarizingConversationManager",
    "Swarm",
    "TextBlock",
    "ToolContext",
    "ToolResult",
    "ToolResultBlock",
    "ToolSpec",
    "ToolUse",
    "VideoFormat",
    "output_events",
    "sdk_tool",
]
