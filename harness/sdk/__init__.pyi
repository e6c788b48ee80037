from .bidi import BidiAfterConnectionRestartEvent as BidiAfterConnectionRestartEvent
from .bidi import BidiAgent as BidiAgent
from .bidi import BidiAgentStopEvent as BidiAgentStopEvent
from .bidi import BidiBargeInEvent as BidiBargeInEvent
from .bidi import BidiBeforeConnectionRestartEvent as BidiBeforeConnectionRestartEvent
from .bidi import BidiMessageAddedEvent as BidiMessageAddedEvent
from .bidi import BidiModel as BidiModel
from .bidi import BidiOutputEvent as BidiOutputEvent
from .bidi import BidiResponseStopEvent as BidiResponseStopEvent
from .bidi import ConnectionTimeoutError as ConnectionTimeoutError
from .bidi import OutputTranslator as OutputTranslator
from .bidi import audio_input as audio_input
from .bidi import blocks_received as blocks_received
from .bidi import sync_voice_agent as sync_voice_agent
from .features import SdkFeature as SdkFeature
from .features import SdkLacks as SdkLacks
from .installed import FEATURES as FEATURES
from .installed import missing_features as missing_features
from .installed import need as need
from .names import ERROR_LOGGERS as ERROR_LOGGERS
from .names import SDK_EXCEPTIONS as SDK_EXCEPTIONS
from .names import AfterInvocationEvent as AfterInvocationEvent
from .names import AfterMultiAgentInvocationEvent as AfterMultiAgentInvocationEvent
from .names import AfterNodeCallEvent as AfterNodeCallEvent
from .names import AfterToolCallEvent as AfterToolCallEvent
from .names import Agent as Agent
from .names import AgentInitializedEvent as AgentInitializedEvent
from .names import AgentState as AgentState
from .names import AgentTool as AgentTool
from .names import AudioFormat as AudioFormat
from .names import BeforeMultiAgentInvocationEvent as BeforeMultiAgentInvocationEvent
from .names import BeforeNodeCallEvent as BeforeNodeCallEvent
from .names import BeforeToolCallEvent as BeforeToolCallEvent
from .names import ContextWindowOverflowException as ContextWindowOverflowException
from .names import DocumentFormat as DocumentFormat
from .names import Graph as Graph
from .names import GraphBuilder as GraphBuilder
from .names import HookOrder as HookOrder
from .names import HookProvider as HookProvider
from .names import HookRegistry as HookRegistry
from .names import ImageFormat as ImageFormat
from .names import LocalFileStorage as LocalFileStorage
from .names import Message as Message
from .names import MessageAddedEvent as MessageAddedEvent
from .names import Messages as Messages
from .names import MessageUpdatedEvent as MessageUpdatedEvent
from .names import Model as Model
from .names import MultiAgentBase as MultiAgentBase
from .names import MultiAgentInitializedEvent as MultiAgentInitializedEvent
from .names import PythonAgentTool as PythonAgentTool
from .names import RepositorySessionManager as RepositorySessionManager
from .names import SessionAgent as SessionAgent
from .names import SessionException as SessionException
from .names import SessionManager as SessionManager
from .names import SessionMessage as SessionMessage
from .names import SessionRepository as SessionRepository
from .names import SessionType as SessionType
from .names import SlidingWindowConversationManager as SlidingWindowConversationManager
from .names import SnapshotException as SnapshotException
from .names import SnapshotSessionManager as SnapshotSessionManager
from .names import Storage as Storage
from .names import StorageError as StorageError
from .names import StoredSession as StoredSession
from .names import StreamEvent as StreamEvent
from .names import SummarizingConversationManager as SummarizingConversationManager
from .names import Swarm as Swarm
from .names import ToolContext as ToolContext
from .names import ToolResult as ToolResult
from .names import ToolSpec as ToolSpec
from .names import ToolUse as ToolUse
from .names import VideoFormat as VideoFormat
from .names import sdk_tool as sdk_tool
from .news import new_in_sdk as new_in_sdk
from .release import SDK_VERSION as SDK_VERSION
from .release import Dialect as Dialect
from .release import dialect as dialect
from .release import unusable_sdk as unusable_sdk

__all__ = [
    "ERROR_LOGGERS",
    "FEATURES",
    "SDK_EXCEPTIONS",
    "SDK_VERSION",
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
    "BidiAfterConnectionRestartEvent",
    "BidiAgent",
    "BidiAgentStopEvent",
    "BidiBargeInEvent",
    "BidiBeforeConnectionRestartEvent",
    "BidiMessageAddedEvent",
    "BidiModel",
    "BidiOutputEvent",
    "BidiResponseStopEvent",
    "ConnectionTimeoutError",
    "ContextWindowOverflowException",
    "Dialect",
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
    "OutputTranslator",
    "PythonAgentTool",
    "RepositorySessionManager",
    "SdkFeature",
    "SdkLacks",
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
    "audio_input",
    "blocks_received",
    "dialect",
    "missing_features",
    "need",
    "new_in_sdk",
    "sdk_tool",
    "sync_voice_agent",
    "unusable_sdk",
]
