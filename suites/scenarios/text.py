"""The scenarios of text agents: what people and models do in conversations with ``Agent``."""

from __future__ import annotations

from typing import Any

from session_conformance.harness import Scenario, Script, TextAgent, ToolCall
from session_conformance.harness.models import chunk, fails_here
from session_conformance.harness.scripts import (
    Cancel,
    DirectToolCall,
    EndStream,
    HookRaises,
    Merge,
    StorageFails,
    StorageFailsBehind,
    StorageWorks,
)

from .bidi import CONSTRUCTOR_MESSAGES
from .content import BLOCKS, BYTES, PIXEL

TEXT_EVERYDAY = Scenario(
    "an everyday conversation in text",
    Script()
    .user("My name is Alice")
    .assistant("Hello Alice")
    .sets_state("plan", {"step": 1})
    .user([{"text": "What is the weather here?"}, {"image": {"format": "png", "source": {"bytes": PIXEL}}}])
    .reasons("The user asks for the weather, so I call the tools.")
    .calls_together(
        ToolCall("locate", {"image": 1}, "where-1", result=[{"json": {"city": "Lyon", "sure": 0.75}}]),
        ToolCall("weather", {"city": "unknown"}, "weather-2", error="no such city"),
        ToolCall("weather", {"city": "Lyon"}, "weather-3", result="Rain"),
    )
    .reasons("It rains, so I look for a seat inside.")
    .calls_together(ToolCall("seat", {}, "seat-4", result="booked", state={"seat": "12A"}))
    .assistant("It rains in Lyon")
    .user("What is my name?")
    .assistant("Your name is Alice"),
    text_agent=TextAgent(),
)
"""Text, reasoning, an image, tools that pass, fail and set state, two answers of the model in one invocation."""

TEXT_GIVEN_MESSAGES = Scenario(
    "messages given to the constructor of a text agent",
    Script().user("And now this").assistant("Noted").restarts_process().user("And this").assistant("Noted too"),
    messages=CONSTRUCTOR_MESSAGES,
    observing=False,
    text_agent=TextAgent(),
)

TEXT_PROCESSES = Scenario(
    "a text conversation in several processes",
    Script()
    .user("remember the milk")
    .assistant("I will")
    .restarts_process()
    .user("and the bread")
    .calls("note", text="bread", returns="noted")
    .assistant("I noted it")
    .user("weather?")
    .calls_together(
        ToolCall("weather", {"city": "Paris"}, "done-1"),
        ToolCall("weather", {"city": "Rome"}, "never-2", held=True),
    )
    .restarts_process("killed")
    .user("and now?")
    .assistant("I lost the tool")
    .user("and the eggs")
    .restarts_process("killed")
    .user("what shall I remember?")
    .assistant("milk, bread and eggs"),
    fresh_processes=True,
    observing=False,
    text_agent=TextAgent(),
)
"""Stopped, killed while a tool runs, and killed while the model thinks."""

TEXT_RAISING_HOOKS = Scenario(
    "hooks of a text agent that raise",
    Script()
    .user("before")
    .assistant("noted")
    .then(HookRaises("message_added"))
    .user("told to a hook that raises")
    .restarts_process()
    .user("once more")
    .then(HookRaises("message_added"))
    .assistant("answered to a hook that raises"),
    observing=False,
    text_agent=TextAgent(),
)

TEXT_CONTENT = Scenario(
    "every kind of content through a text agent",
    Script()
    .user([
        BLOCKS[name]
        for name in ("text", "image", "image by location", "video", "document", "cache point", "guard content")
    ])
    .emits(
        chunk(contentBlockStart={"start": {}}),
        chunk(contentBlockDelta={"delta": {"reasoningContent": {"text": "so it is"}}}),
        chunk(contentBlockDelta={"delta": {"reasoningContent": {"signature": "c2lnbmVk"}}}),
        chunk(contentBlockStop={}),
        chunk(contentBlockStart={"start": {}}),
        chunk(contentBlockDelta={"delta": {"reasoningContent": {"redactedContent": BYTES}}}),
        chunk(contentBlockStop={}),
    )
    .calls_together(
        ToolCall(
            "look",
            {"deep": {"list": [1, 1.5, True, None, "ü🙂", [], {}]}},
            "look-1",
            result=[
                {"text": "seen"},
                {"json": {"number": 10**20, "small": 1e-7, "nothing": None, "nested": [[1], {"a": False}]}},
                BLOCKS["image"],
                BLOCKS["document"],
            ],
        )
    )
    .emits(
        chunk(contentBlockStart={"start": {}}),
        chunk(contentBlockDelta={"delta": {"text": "as the report says"}}),
        chunk(contentBlockDelta={"delta": {"citation": BLOCKS["citations"]["citationsContent"]["citations"][0]}}),
        chunk(contentBlockStop={}),
        {"type": "response_stop"},
    ),
    observing=False,
    text_agent=TextAgent(),
)  # fmt: skip

TEXT_MODEL_ERRORS = Scenario(
    "a text model that fails",
    Script()
    .user("one")
    .assistant("two")
    .fails("stream")
    .user("three, and the model fails at once")
    .user("four, and the model fails in mid-stream")
    .emits({"type": "response_start"}, {"type": "text_start"}, {"type": "text_delta", "delta": "half"}, fails_here())
    .restarts_process()
    .user("five")
    .assistant("six"),
    text_agent=TextAgent(),
)

TEXT_CUT_SHORT = Scenario(
    "answers that are cut short",
    Script()
    .user("tell me a story")
    .emits({"type": "text_start"}, {"type": "text_delta", "delta": "Once upon a time"})
    .then(Cancel(), EndStream())
    .user("go on")
    .calls_together(ToolCall("search", {}, "search-1", held=True))
    .then(Cancel())
    .releases("search-1")
    .user("once more")
    .emits(
        {"type": "text_start"},
        {"type": "text_delta", "delta": "Once upon a time, and then"},
        {"type": "text_stop"},
        chunk(contentBlockStart={"start": {"toolUse": {"name": "search", "toolUseId": "cut-2"}}}),
        chunk(contentBlockDelta={"delta": {"toolUse": {"input": '{"half'}}}),
        chunk(contentBlockStop={}),
        chunk(messageStop={"stopReason": "max_tokens"}),
        {"type": "response_stop"},
    )
    .user("and the end?")
    .emits({"type": "text_start"}, {"type": "text_delta", "delta": "It never"})
    .restarts_process()
    .user("and now?")
    .assistant("The end"),
    text_agent=TextAgent(),
)
"""Cancelled while the model streams and while a tool runs, out of tokens in a tool use, torn down with its task."""


def booking(id: str) -> list[dict[str, object]]:
    """Return the events by which a model gives the structured output that it is asked for."""
    use = {"toolUseId": id, "name": "Booking", "input": {"city": "Paris", "nights": 2}}
    return [{"type": "tool_use_blocks", "tool_uses": [use]}, {"type": "response_stop"}]


TEXT_STRUCTURED = Scenario(
    "structured output",
    Script()
    .user("Book me two nights in Paris", structured=True)
    .emits(*booking("at-once"))
    .user("And once more", structured=True)
    .assistant("Two nights in Paris again, with pleasure.")
    .emits(*booking("when-told"))
    .user("Thank you")
    .assistant("You are welcome"),
    text_agent=TextAgent(),
)
"""The model gives it by itself, and only after the SDK has told it to."""

PASSWORD = "swordfish-4711"
ACCOUNT = "DE89-3704-0044"

_INTERVENES: tuple[Any, ...] = (
    chunk(messageStart={"role": "assistant"}),
    chunk(contentBlockDelta={"delta": {"text": "I know it"}}),
    chunk(contentBlockStop={}),
    chunk(messageStop={"stopReason": "guardrail_intervened"}),
    chunk(redactContent={"redactUserContentMessage": "[input redacted]"}),
    chunk(redactContent={"redactAssistantContentMessage": "[answer redacted]"}),
    {"type": "response_stop"},
)

TEXT_GUARDRAIL_TRIMMED = Scenario(
    "a guardrail intervenes where older messages have been removed",
    Script()
    .user("one")
    .assistant("two")
    .user("three")
    .assistant("four")
    .user("five")
    .assistant("six")
    .user(f"my password is {PASSWORD}")
    .emits(*_INTERVENES)
    .restarts_process()
    .user("seven")
    .assistant("eight")
    .user(f"my password is still {PASSWORD}")
    .emits(*_INTERVENES)
    .restarts_process(),
    observing=False,
    text_agent=TextAgent(window=4),
)
"""A sliding window has removed what was said first: a message's place in memory is not its place in the session."""

TEXT_GUARDRAIL = Scenario(
    "a guardrail intervenes",
    Script()
    .user("good morning")
    .assistant("good morning")
    .user(f"my password is {PASSWORD}")
    .emits(*_INTERVENES)
    .restarts_process()
    .user("what is my account?")
    .calls("account", returns=f"it is {ACCOUNT}")
    .emits(
        chunk(messageStart={"role": "assistant"}),
        chunk(redactContent={"redactUserContentMessage": "[result redacted]"}),
        chunk(messageStop={"stopReason": "guardrail_intervened"}),
        chunk(redactContent={"redactAssistantContentMessage": "[no answer]"}),
        {"type": "response_stop"},
    )
    .user("good night")
    .assistant("sleep well"),
    observing=False,
    text_agent=TextAgent(),
)
"""What the user typed, what a tool gave back, and what the model answered are redacted, in two processes."""

_ASKING = (
    ToolCall("lookup", {}, "lookup-3", result=[BLOCKS["image"]]),
    ToolCall("transfer", {"sum": 10}, "transfer-1", asks="Transfer it?", result="transferred"),
    ToolCall("delete", {"file": "a"}, "delete-2", asks="Delete it?", asked_by="hook", result="deleted"),
)

TEXT_INTERRUPT = Scenario(
    "interrupts that are answered in another process",
    Script()
    .user("transfer the money, delete the file and look it up")
    .calls_together(*_ASKING)
    .restarts_process("killed")
    .answers("yes", *_ASKING)
    .assistant("All done"),
    fresh_processes=True,
    observing=False,
    text_agent=TextAgent(),
)
"""A tool asks, and a hook ahead of a tool; a third tool of the group asks nobody and has run already."""

TEXT_ANSWERED_AT_ONCE = Scenario(
    "interrupts that are answered by the manager that has asked, before another one goes on",
    Script()
    .user("transfer the money, delete the file and look it up")
    .calls_together(*_ASKING)
    .answers("yes", *_ASKING)
    .assistant("All done")
    .restarts_process()
    .user("thank you")
    .assistant("You are welcome"),
    observing=False,
    text_agent=TextAgent(),
)
"""What was answered is asked no more."""

TEXT_ANSWERED_IN_PARTS = Scenario(
    "interrupts that are answered one by one, each in another process",
    Script()
    .user("transfer the money, delete the file and look it up")
    .calls_together(*_ASKING)
    .restarts_process("killed")
    .answers("yes", *_ASKING, to=("Transfer it?",))
    .restarts_process("killed")
    .answers("yes", *_ASKING)
    .assistant("All done"),
    fresh_processes=True,
    observing=False,
    text_agent=TextAgent(),
)
"""What is not answered with the first is asked again, as it was asked."""

TEXT_STATEFUL = Scenario(
    "a stateful model",
    Script()
    .user("one")
    .assistant("two")
    .user("three")
    .calls("weather", city="Paris")
    .assistant("four")
    .restarts_process()
    .user("five")
    .assistant("six"),
    observing=False,
    text_agent=TextAgent(stateful=True),
)

TEXT_DIRECT_TOOL_CALL = Scenario(
    "a direct tool call of a text agent",
    Script()
    .user("hello")
    .assistant("hello")
    .then(DirectToolCall("note", {"text": "buy milk"}))
    .user("what did I note?")
    .assistant("milk"),
    observing=False,
    text_agent=TextAgent(),
)

TEXT_STORAGE_FAULT = Scenario(
    "storage that fails for a while under a text agent",
    Script()
    .user("before the faults")
    .assistant("noted")
    .then(StorageFails())
    .user("nothing can be stored")
    .then(StorageWorks())
    .stops()
    .user("weather in Paris?")
    .then(StorageFails())
    .calls("weather", city="Paris", returns="Rain")
    .then(StorageWorks())
    .stops()
    .user("weather in Rome?")
    .calls("weather", city="Rome", returns="Sun")
    .then(StorageFails())
    .assistant("It is sunny in Rome")
    .then(StorageWorks())
    .stops()
    .user("a seat, please")
    .then(StorageFailsBehind("seat", "12A"))
    .assistant("It is booked")
    .then(StorageWorks())
    .stops()
    .user("after the faults")
    .assistant("noted again"),
    fresh_processes=True,
    text_agent=TextAgent(),
)
"""Nothing can be stored of what the user says, of a tool use, of an answer, of what changed after the last message.

An invocation that went on is torn down.
"""

TEXT_MERGED = Scenario(
    "input that is merged into the last message",
    Script()
    .user("one")
    .assistant("two")
    .fails("stream")
    .user("three")
    .then(Merge("and four"))
    .user("five")
    .assistant("six")
    .restarts_process()
    .user("seven")
    .assistant("eight"),
    observing=False,
    text_agent=TextAgent(),
)

TEXT_MERGED_TRIMMED = Scenario(
    "input that is merged into the last message, where older messages have been removed",
    Script()
    .user("one")
    .assistant("two")
    .user("three")
    .assistant("four")
    .user("five")
    .assistant("six")
    .fails("stream")
    .user("seven")
    .then(Merge("and eight"))
    .user("nine")
    .assistant("ten")
    .restarts_process()
    .user("eleven")
    .assistant("twelve"),
    observing=False,
    text_agent=TextAgent(window=6),
)
