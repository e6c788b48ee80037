"""What the installed SDK has that these suites do not know: tolerated, not judged, and counted in each report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import strands.hooks
from strands.hooks import BaseHookEvent, HookEvent
from strands.types.content import ContentBlock
from strands.types.tools import ToolResultContent

from . import bidi

_HOOKS = """
    AgentInitializedEvent BeforeInvocationEvent AfterInvocationEvent MessageAddedEvent MessageUpdatedEvent
    BeforeModelCallEvent AfterModelCallEvent BeforeToolsEvent AfterToolsEvent BeforeToolCallEvent AfterToolCallEvent
    MultiAgentInitializedEvent BeforeMultiAgentInvocationEvent AfterMultiAgentInvocationEvent BeforeNodeCallEvent
    AfterNodeCallEvent BidiAgentInitializedEvent BidiBeforeInvocationEvent BidiAfterInvocationEvent
    BidiMessageAddedEvent BidiBeforeToolCallEvent BidiAfterToolCallEvent BidiAgentStopEvent BidiBargeInEvent
    BidiInterruptionEvent BidiResponseStopEvent BidiResponseCompleteEvent BidiBeforeConnectionRestartEvent
    BidiAfterConnectionRestartEvent BidiHookEvent
""".split()  # noqa: SIM905 - one name a line would be a page
"""The events for which hooks are called, of the releases from 1.48 to 1.62, whether anything is stored at them."""

_BLOCKS = """
    text image audio video document toolUse toolResult reasoningContent citationsContent guardContent cachePoint json
""".split()  # noqa: SIM905 - one name a line would be a page
"""The kinds of content blocks of messages and of tool results."""

_OUTPUT_EVENTS = """
    BidiConnectionStartEvent BidiConnectionRestartEvent BidiConnectionWarningEvent BidiConnectionStopEvent
    BidiConnectionCloseEvent BidiResponseStartEvent BidiResponseStopEvent BidiResponseCompleteEvent BidiAudioStartEvent
    BidiAudioDeltaEvent BidiAudioStopEvent BidiAudioStreamEvent BidiTextStartEvent BidiTextDeltaEvent BidiTextStopEvent
    BidiTextBlockEvent BidiReasoningStartEvent BidiReasoningDeltaEvent BidiReasoningStopEvent BidiReasoningBlockEvent
    BidiTranscriptStartEvent BidiTranscriptDeltaEvent BidiTranscriptStopEvent BidiTranscriptBlockEvent
    BidiTranscriptStreamEvent BidiTranscriptCompleteEvent BidiBargeInEvent BidiInterruptionEvent BidiUsageEvent
    BidiToolUseBlocksEvent ToolUseStreamEvent BidiErrorEvent
""".split()  # noqa: SIM905 - one name a line would be a page
"""The events that a voice agent gives to its application."""


def new_in_sdk() -> tuple[str, ...]:
    """Return what the installed SDK has that the suites do not know: ``hook NAME``, ``block NAME`` or ``event NAME``.

    A verdict says nothing of it: no requirement has a message with such a block, nor looks at what is stored when
    such a hook runs. A manager that meets all requirements may still lose it.
    """
    return (
        *_unknown("hook", _hooks_of(strands.hooks, bidi.HOOKS), _HOOKS),
        *_unknown("block", [*ContentBlock.__annotations__, *ToolResultContent.__annotations__], _BLOCKS),
        *_unknown("event", bidi.OUTPUT_EVENTS, _OUTPUT_EVENTS),
    )


def _hooks_of(*modules: ModuleType) -> Iterator[str]:
    bases: tuple[Any, ...] = (BaseHookEvent, HookEvent)
    for module in modules:
        for name, value in vars(module).items():
            is_hook = isinstance(value, type) and issubclass(value, BaseHookEvent) and value not in bases
            if is_hook and not name.startswith("_"):
                yield name


def _unknown(kind: str, found: Iterable[str], known: Iterable[str]) -> list[str]:
    return [f"{kind} {name}" for name in sorted(set(found) - set(known))]
