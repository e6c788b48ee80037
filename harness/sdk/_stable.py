"""The dialect of ``strands.bidi``: what a voice agent is made of since 1.57.2."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any, get_args

from strands.bidi import BidiAgent as _BidiAgent
from strands.bidi import hooks as HOOKS
from strands.bidi.hooks import (
    BidiAfterConnectionRestartEvent,
    BidiAgentStopEvent,
    BidiBargeInEvent,
    BidiBeforeConnectionRestartEvent,
    BidiResponseStopEvent,
)
from strands.bidi.models import BidiModel as _BidiModel
from strands.bidi.models import ConnectionTimeoutError, Restartable
from strands.bidi.models.configs import ConnectionConfig
from strands.bidi.types import AudioDelta, BidiMessage, BidiOutputEvent
from strands.bidi.types import events as output_events
from strands.hooks import MessageAddedEvent as BidiMessageAddedEvent

from .features import SdkFeature, SdkLacks

if TYPE_CHECKING or "session_manager" in inspect.signature(_BidiAgent.__init__).parameters:
    BidiAgent = _BidiAgent
else:

    class BidiAgent(_BidiAgent):
        """A voice agent of 1.57.2, which takes no session manager but any provider of hooks: one is both."""

        def __init__(self, *args: Any, session_manager: Any = None, hooks: Any = None, **options: Any) -> None:
            last = [session_manager] if session_manager is not None else []  # where other releases register it
            try:
                super().__init__(*args, hooks=[*(hooks or []), *last], **options)
            except NotImplementedError:  # what a manager says of voice agents that keeps none
                raise SdkLacks(SdkFeature.VOICE_FOR_ALL) from None


if TYPE_CHECKING or "auto_reconnect" not in ConnectionConfig.__annotations__:
    BidiModel = _BidiModel
else:

    class BidiModel(_BidiModel):
        """The base of models of 1.57.2, which asks for ``auto_restart`` under another name."""

        def get_connection_config(self) -> Any:
            """Return the configuration of the connection, under the name that it had then as well."""
            declared = dict(super().get_connection_config())
            if "auto_restart" in declared:
                declared.setdefault("auto_reconnect", declared["auto_restart"])
            return declared


OUTPUT_EVENTS: tuple[str, ...] = tuple(kind.__name__ for kind in get_args(BidiOutputEvent))
"""What a voice agent gives to its application."""


class OutputTranslator:
    """Builds the SDK's output events of one connection from their plain forms."""

    def events(self, data: dict[str, Any]) -> list[BidiOutputEvent]:
        """Return the event of a plain form, ``{"type": "text_delta", "delta": ...}``.

        Raises:
            ValueError: The SDK has no such output event, or it does not take these arguments.
        """
        arguments = {key: value for key, value in data.items() if key != "type"}
        name = "Bidi" + "".join(part.capitalize() for part in str(data.get("type")).split("_")) + "Event"
        kind = getattr(output_events, name, None)
        if kind is None:
            raise ValueError(f"the SDK has no output event {name} (from type {data.get('type')!r})")
        try:
            return [kind(**copy.deepcopy(arguments))]
        except TypeError as error:
            raise ValueError(f"{name} cannot be built from {sorted(arguments)}: {error}") from None


def sync_voice_agent(manager: Any, agent: Any) -> None:
    """Let a manager store what a voice agent has beside its messages, as the agent lets it."""
    manager.sync_agent(agent)


def blocks_received(content: Any) -> list[dict[str, Any]]:
    """Return the content blocks of what the agent sends to its model, as plain data."""
    blocks = content.content if isinstance(content, BidiMessage) else [content]
    return [dict(block.to_dict()) for block in blocks]


def audio_input(data: bytes) -> Any:
    """Return live audio as the agent is sent it."""
    return AudioDelta(format="pcm", source={"bytes": data})


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
