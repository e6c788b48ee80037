"""The SDK's names that all supported releases share, and those that an older one lacks (None, or a stand-in)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .release import insist

insist()  # before the first name that an older release lacks

# ruff: noqa: E402
from strands import Agent
from strands.agent.conversation_manager import SlidingWindowConversationManager, SummarizingConversationManager
from strands.agent.state import AgentState
from strands.hooks import (
    AfterInvocationEvent,
    AfterMultiAgentInvocationEvent,
    AfterNodeCallEvent,
    AfterToolCallEvent,
    AgentInitializedEvent,
    BeforeMultiAgentInvocationEvent,
    BeforeNodeCallEvent,
    BeforeToolCallEvent,
    HookOrder,
    HookProvider,
    HookRegistry,
    MessageAddedEvent,
    MultiAgentInitializedEvent,
)
from strands.models import Model
from strands.multiagent import GraphBuilder, Swarm
from strands.multiagent.base import MultiAgentBase
from strands.multiagent.graph import Graph
from strands.session import RepositorySessionManager, SessionManager, SessionRepository
from strands.storage import LocalFileStorage, Storage
from strands.tools.decorator import tool as sdk_tool
from strands.tools.tools import PythonAgentTool
from strands.types.content import Message, Messages
from strands.types.exceptions import (
    ContextWindowOverflowException,
    SessionException,
    SnapshotException,
    StorageError,
)
from strands.types.media import DocumentFormat, ImageFormat, VideoFormat
from strands.types.session import Session as StoredSession
from strands.types.session import SessionAgent, SessionMessage, SessionType
from strands.types.streaming import StreamEvent
from strands.types.tools import AgentTool, ToolContext, ToolResult, ToolSpec, ToolUse

if TYPE_CHECKING:
    from strands.hooks import MessageUpdatedEvent
    from strands.session import SnapshotSessionManager
    from strands.types.media import AudioFormat
else:
    try:
        from strands.hooks import MessageUpdatedEvent
    except ImportError:  # until 1.57.1 a message in the history never changes
        MessageUpdatedEvent = None
    try:
        from strands.session import SnapshotSessionManager
    except ImportError:  # until 1.50
        SnapshotSessionManager = None
    try:
        from strands.types.media import AudioFormat
    except ImportError:  # until 1.54: the formats of audio in a message
        AudioFormat = Literal["mp3", "wav", "flac", "ogg", "webm"]

SDK_EXCEPTIONS: tuple[type[Exception], ...] = (SessionException, SnapshotException, StorageError)
"""What a session manager may raise when storage cannot be read or written (``strands.types.exceptions``)."""

ERROR_LOGGERS = ("strands.tools.executors._executor", "strands.multiagent.graph", "strands.multiagent.swarm")
"""The loggers to which the SDK writes the tracebacks of tools and nodes that raise."""

__all__ = [
    "ERROR_LOGGERS",
    "SDK_EXCEPTIONS",
    "AfterInvocationEvent",
    "AfterMultiAgentInvocationEvent",
    "AfterNodeCallEvent",
    "AfterToolCallEvent",
    "Agent",
    "AgentInitializedEvent",
    "AgentState",
    "AgentTool",
    "AudioFormat",
    "BeforeMultiAgentInvocationEvent",
    "BeforeNodeCallEvent",
    "BeforeToolCallEvent",
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
    "ToolContext",
    "ToolResult",
    "ToolSpec",
    "ToolUse",
    "VideoFormat",
    "sdk_tool",
]
