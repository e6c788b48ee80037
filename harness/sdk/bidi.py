"""Voice agents, in the dialect that the installed SDK speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .release import Dialect, dialect, insist

insist()

if TYPE_CHECKING or dialect() is Dialect.STABLE:
    from ._stable import (
        HOOKS,
        OUTPUT_EVENTS,
        BidiAfterConnectionRestartEvent,
        BidiAgent,
        BidiAgentStopEvent,
        BidiBargeInEvent,
        BidiBeforeConnectionRestartEvent,
        BidiMessageAddedEvent,
        BidiModel,
        BidiOutputEvent,
        BidiResponseStopEvent,
        ConnectionTimeoutError,
        OutputTranslator,
        Restartable,
        audio_input,
        blocks_received,
        sync_voice_agent,
    )
else:
    from ._experimental import (
        HOOKS,
        OUTPUT_EVENTS,
        BidiAfterConnectionRestartEvent,
        BidiAgent,
        BidiAgentStopEvent,
        BidiBargeInEvent,
        BidiBeforeConnectionRestartEvent,
        BidiMessageAddedEvent,
        BidiModel,
        BidiOutputEvent,
        BidiResponseStopEvent,
        ConnectionTimeoutError,
        OutputTranslator,
        Restartable,
        audio_input,
        blocks_received,
        sync_voice_agent,
    )

__all__ = [
    "HOOKS",
    "OUTPUT_EVENTS",
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
    "OutputTranslator",
    "Restartable",
    "audio_input",
    "blocks_received",
    "sync_voice_agent",
]
