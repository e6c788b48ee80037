"""The dialect of ``strands.experimental.bidi``: what a voice agent was made of until 1.57.1.

There, only what was said in full reaches the history, one message a transcript, and text that a model streams is one;
nobody is told what it reasons; each tool call is a use and a result of its own. A script says the same in both.
"""

from __future__ import annotations

import base64
import importlib
from importlib.util import find_spec
from typing import Any, get_args

import strands.hooks
from strands.types._events import ToolResultEvent, ToolUseStreamEvent

from .features import SdkFeature, SdkLacks


def _module(name: str) -> Any:
    full = f"strands.experimental.{name}"
    return importlib.import_module(full) if find_spec(full) is not None else None


# Two names of every class were in use: those of the first releases, and those that 1.56 and 1.57.0 gave them.
_agent = _module("bidi.agent")
_models = _module("bidi.models")
_types = _module("bidi.types")
_hooks = _module("bidi.hooks") if find_spec("strands.experimental.bidi.hooks") else _module("hooks")


def _first(module: Any, *names: str) -> Any:
    return next((getattr(module, name) for name in names if hasattr(module, name)), None)


BidiMessageAddedEvent: Any = _first(_hooks, "BidiMessageAddedEvent") or strands.hooks.MessageAddedEvent
BidiAgentStopEvent: Any = _first(_hooks, "BidiAgentStopEvent", "BidiAfterInvocationEvent")
BidiBargeInEvent: Any = _first(_hooks, "BidiInterruptionEvent")
BidiResponseStopEvent: Any = _first(_hooks, "BidiResponseCompleteEvent")
BidiBeforeConnectionRestartEvent: Any = _hooks.BidiBeforeConnectionRestartEvent
BidiAfterConnectionRestartEvent: Any = _hooks.BidiAfterConnectionRestartEvent
ConnectionTimeoutError: Any = _first(_models, "ConnectionTimeoutError", "BidiModelTimeoutError")
Restartable: Any = _first(_models, "Restartable")
BidiOutputEvent = Any

HOOKS = _hooks
OUTPUT_EVENTS = tuple(kind.__name__ for kind in get_args(_types.BidiOutputEvent))

_TEXT_EVENTS = hasattr(_types, "BidiTextInputEvent")
"""Whether the user's input is an event of its own kind (until 1.56), or a content block."""


class BidiAgent(_agent.BidiAgent):  # type: ignore[misc, name-defined]
    """A voice agent of its time that takes what scripts send to one of today."""

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            super().__init__(*args, **options)
        except NotImplementedError:  # what SessionManager says of voice agents where a manager says nothing else
            raise SdkLacks(SdkFeature.VOICE_FOR_ALL) from None

    def add_hook(self, callback: Any, event_type: Any = None, *, order: float = 0, **_: Any) -> None:
        """Register a callback, as later releases let applications do."""
        self.hooks.add_callback(event_type, callback, order=order)

    async def send(self, input_data: Any) -> None:
        """Send what the user says and shows. Several blocks are several inputs; no picture is remembered."""
        for block in input_data if isinstance(input_data, list) else [input_data]:
            if isinstance(block, dict) and set(block) == {"text"}:
                await super().send(block["text"])
            elif isinstance(block, dict) and set(block) == {"image"} and _TEXT_EVENTS:
                image = block["image"]
                data = base64.b64encode(image["source"]["bytes"]).decode()
                await super().send(_types.BidiImageInputEvent(data, f"image/{image['format']}"))
            else:
                await super().send(block)

    def cancel(self, *_: Any, **__: Any) -> None:
        """Refuse: there is nothing like it."""
        raise SdkLacks(SdkFeature.CANCELLING)


class BidiModel(_models.BidiModel):  # type: ignore[misc, name-defined]
    """The base of models: it declares its connection where each of these releases looks for that."""

    def get_connection_config(self) -> dict[str, Any]:
        """Return the configuration of the connection, under the names that it had then."""
        declared: dict[str, Any] = dict(self.get_config().get("connection", {}))
        if "auto_restart" in declared:
            declared["auto_reconnect"] = declared.pop("auto_restart")
        return declared

    @property
    def connection_config(self) -> dict[str, Any]:
        """The same, for 1.53 to 1.56."""
        return self.get_connection_config()

    @property
    def model_id(self) -> str:
        """What the model is called."""
        return "scripted"


class OutputTranslator:
    """Builds the SDK's output events of one connection from the plain forms of today's."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def events(self, data: dict[str, Any]) -> list[Any]:
        """Return the events that say what a plain form says; none where nothing did.

        Raises:
            ValueError: There is no such output event in any release.
        """
        type = str(data.get("type"))
        stream, _, part = type.rpartition("_")
        if stream in ("text", "reasoning", "transcript"):
            return [] if stream == "reasoning" else self._transcript(part, data)
        if type not in _EVENTS:
            raise ValueError(f"the SDK has no output event for the type {type!r}")
        make = _EVENTS[type]
        return list(make(data)) if make is not None else []

    def _transcript(self, part: str, data: dict[str, Any]) -> list[Any]:
        id, role = data["content_id"], data.get("role", "assistant")
        if part == "start":
            self._said[id] = ""
            return []
        if part == "delta":
            self._said[id] = self._said.get(id, "") + data["delta"]
            return [_partly(data["delta"], role, self._said[id])]
        return [_in_full(self._said.pop(id, ""), role)] if part == "stop" else []


def _partly(delta: str, role: str, so_far: str) -> Any:
    if hasattr(_types, "BidiTranscriptCompleteEvent"):
        return _types.BidiTranscriptStreamEvent(delta, role)
    return _types.BidiTranscriptStreamEvent({"text": delta}, delta, role, False, so_far)


def _in_full(text: str, role: str) -> Any:
    if hasattr(_types, "BidiTranscriptCompleteEvent"):
        return _types.BidiTranscriptCompleteEvent(text, role)
    return _types.BidiTranscriptStreamEvent({"text": text}, text, role, True, text)


def _usage(data: dict[str, Any]) -> list[Any]:
    return [_types.BidiUsageEvent(data["input_tokens"], data["output_tokens"], data["total_tokens"])]


def _audio(data: dict[str, Any]) -> list[Any]:
    return [_types.BidiAudioStreamEvent(data["audio"], "pcm", 16000, 1)]


_EVENTS: dict[str, Any] = {
    "tool_use_blocks": lambda data: [ToolUseStreamEvent({}, dict(use)) for use in data["tool_uses"]],
    "barge_in": lambda _: [_types.BidiInterruptionEvent("user_speech")],
    "response_start": lambda data: [_types.BidiResponseStartEvent(data["response_id"])],
    "response_stop": lambda data: [_types.BidiResponseCompleteEvent(data["response_id"], "complete")],
    "usage": _usage,
    "audio_start": None,
    "audio_delta": _audio,
    "audio_stop": None,
    "connection_start": lambda data: [_types.BidiConnectionStartEvent(data["connection_id"], data["model"])],
    "connection_stop": None,
}
"""What says the same then, by today's type; None where nothing did."""


def sync_voice_agent(manager: Any, agent: Any) -> None:
    """Let a manager store what a voice agent has beside its messages, as the agent lets it."""
    getattr(manager, "sync_bidi_agent", manager.sync_agent)(agent)


def blocks_received(content: Any) -> list[dict[str, Any]]:
    """Return the content blocks of what the agent sends to its model, as plain data of today."""
    if isinstance(content, ToolResultEvent):
        return [{"toolResult": dict(content.tool_result)}]
    if hasattr(content, "to_dict"):
        return [dict(content.to_dict())]
    if "text" in content:
        return [{"text": content["text"]}]
    return [{str(content["type"]).removeprefix("bidi_"): dict(content)}]  # live: no part of the history


def audio_input(data: bytes) -> Any:
    """Return live audio as the agent is sent it."""
    if _TEXT_EVENTS:
        return _types.BidiAudioInputEvent(base64.b64encode(data).decode(), "pcm", 16000, 1)
    return _types.AudioDelta(format="pcm", source={"bytes": data})
