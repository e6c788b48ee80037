"""The scenarios that the suites judge: what people and models do in conversations with bidirectional agents."""

from __future__ import annotations

from session_conformance.harness import Scenario, Script, ToolCall
from session_conformance.harness.scripts import (
    CallTools,
    DirectToolCall,
    Emit,
    EndStream,
    HookRaises,
    Redact,
    Send,
    StopHookSetsState,
    StorageFails,
    StorageWorks,
    stream,
)
from session_conformance.harness.sdk import Message

from .content import PIXEL

_LONG = (
    Script()
    .sets_state("name", "Alice")
    .sets_state("order", {"lines": [1, 2]})
    .sets_state("paid", False)
    .sets_state("notes", [])
)
for _number in range(60):
    _LONG = _LONG.user(f"question {_number}").assistant(f"answer {_number}")
STATE_OF_A_LONG_TALK = Scenario("a long talk whose state was set at its beginning", _LONG, observing=False)

SAID_AGAIN = Scenario(
    "a conversation in which the same is said again and again",
    Script().user("Hello?").user("Hello?").assistant("Yes?").user("Hello?").assistant("Yes?").restarts_process()
    .user("Hello?").user("Hello?"),
    observing=False,
)  # fmt: skip

GREETED = Scenario(
    "a conversation that the assistant begins",
    Script().assistant("Welcome").assistant("What can I do for you?").user("Nothing"),
    observing=False,
)

EVERYDAY = Scenario(
    "an everyday conversation",
    Script()
    .user("My name is Alice")
    .assistant("Hello Alice")
    .hears("What is the weather in Paris?")
    .reasons("The user asks for the weather, so I call the tool.")
    .calls("weather", city="Paris", returns="Sunny, 21 degrees")
    .says("It is sunny in Paris")
    .user([{"text": "And here?"}, {"image": {"format": "png", "source": {"bytes": PIXEL}}}])
    .calls_together(
        ToolCall("locate", {"image": 1}, "where-1", result=[{"json": {"city": "Lyon", "sure": 0.75}}]),
        ToolCall("weather", {"city": "unknown"}, "weather-2", error="no such city"),
        ToolCall("weather", {"city": "Lyon"}, "weather-3", result="Rain"),
    )
    .says("It rains in Lyon")
    .sets_state("city", "Lyon")
    .timeout()
    .user("What is my name?")
    .assistant("Your name is Alice"),
)
"""Text, speech, reasoning, an image, tools that pass and fail, a timeout."""

CONSTRUCTOR_MESSAGES: tuple[Message, ...] = (
    {"role": "user", "content": [{"text": "Earlier I said this"}], "tracking_id": f"{0:08d}-0000-4000-8000-{1:012d}"},
    {"role": "assistant", "content": [{"text": "And I said that"}], "tracking_id": f"{0:08d}-0000-4000-8000-{2:012d}"},
)

GIVEN_MESSAGES = Scenario("messages given to the constructor", Script().starts().stops(), messages=CONSTRUCTOR_MESSAGES)

STOP_AND_START = Scenario(
    "stopping and starting again",
    Script().user("one").assistant("two").stops().starts().user("three").assistant("four").stops().starts().stops(),
)

STATE = Scenario(
    "state without a message",
    Script().sets_state("plan", {"step": 1}).user("hello").assistant("hi").sets_state("plan", {"step": 2}),
)

STATE_SET_BY_STOP_HOOK = Scenario(
    "state set by a stop hook",
    Script().user("hello").then(StopHookSetsState("closed", True)).stops(),
)

KILLED = Scenario(
    "a process is killed",
    Script()
    .user("remember the milk")
    .assistant("I will")
    .calls("weather", city="Paris", returns="Sunny")
    .sets_state("list", ["milk"])
    .user("and the bread")
    .restarts_process("killed"),
    fresh_processes=True,
)

SILENT = Scenario("a session without a message", Script().starts().stops().restarts_process().starts().stops())

RAISING_HOOKS = Scenario(
    "hooks that raise",
    Script()
    .user("before")
    .then(HookRaises("message_added"))
    .user("told to a hook that raises")
    .restarts_process("killed")
    .then(HookRaises("message_updated"))
    .assistant("streamed to a hook that raises")
    .restarts_process("killed"),
    fresh_processes=True,
)

TOGETHER = Scenario(
    "many things at once",
    Script()
    .user("begin")
    .together(
        Send("while you speak"),
        Emit(tuple(stream("heard", "transcript", "I say this aloud", role="user"))),
        CallTools((ToolCall("weather", {"city": "Paris"}, "a"), ToolCall("weather", {"city": "Rome"}, "b"))),
        Send("and once more"),
        Emit(tuple(stream("said", "transcript", "and I answer", role="assistant"))),
        CallTools((ToolCall("clock", {}, "c"),)),
    )
    .user("end"),
)

STORAGE_FAULT = Scenario(
    "storage that fails for a while",
    Script()
    .user("before the fault")
    .assistant("noted")
    .then(StorageFails())
    .user("during the fault")
    .then(StorageWorks()),
    fresh_processes=True,
)

UPDATE_STORAGE_FAULT = Scenario(
    "storage that fails as what an assistant says is complete",
    Script()
    .user("before the fault")
    .assistant("noted")
    .emits(*stream("during", "text", "during the fault")[:-1])
    .then(StorageFails())
    .emits(*stream("during", "text", "during the fault")[-1:])
    .then(StorageWorks()),
    fresh_processes=True,
)

OTHER_STORAGE_FAULTS = Scenario(
    "storage that fails as a message is redacted, and as an agent stops whose state has changed",
    Script()
    .user("before the fault")
    .assistant("noted")
    .user("my password is xylograph")
    .then(StorageFails())
    .then(Redact("[redacted]"))
    .then(StorageWorks())
    .then(StorageFails())
    .sets_state("seat", "12A")
    .stops()
    .then(StorageWorks())
    .starts()
    .stops(),
    fresh_processes=True,
)

INCOMPLETE = Scenario(
    "a stream that never completes",
    Script()
    .user("tell me a story")
    .emits(*stream("story", "text", "Once upon a time")[:-1])
    .emits(*stream("aside", "transcript", "never heard in full", role="user")[:-1]),
)

INTERLEAVED = Scenario(
    "interleaved transcripts",
    Script().emits(
        *(
            {"user": said, "assistant": answered}[speaker][part]
            for said, answered in [
                (
                    stream("u", "transcript", "alpha beta gamma", role="user"),
                    stream("a", "transcript", "one two three", role="assistant"),
                )
            ]
            for speaker, part in [
                ("user", 0), ("user", 1), ("assistant", 0), ("assistant", 1), ("user", 2), ("assistant", 2),
                ("assistant", 3), ("assistant", 4), ("user", 3), ("user", 4),
            ]
        )
    ),
)  # fmt: skip

_LATE = stream("late", "transcript", "what I said first", role="user")

LATE_UPDATE = Scenario(
    "a late update",
    Script()
    .emits(_LATE[0])
    .user("typed meanwhile")
    .assistant("answered meanwhile")
    .calls("weather", city="Paris")
    .emits(*_LATE[1:])
    .user("typed later"),
)

LATE_UPDATE_BEHIND_MANY = Scenario(
    "a late update with many messages behind it",
    Script()
    .emits(_LATE[0])
    .then(*(step for number in range(30) for step in Script().user(f"typed meanwhile, {number}").steps))
    .emits(*_LATE[1:])
    .assistant("I see")
    .assistant("I see"),
    observing=False,
)
"""More than a manager looks through that looks at the latest alone; then two answers with the same words."""

LATE_UPDATE_BEHIND_A_GAP = Scenario(
    "a late update in a session that ended during a tool, and was restored",
    Script()
    .user("weather in Rome?")
    .adds(
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "never-1", "name": "weather", "input": {"city": "Rome"}}}],
            "tracking_id": "00000000-0000-4000-8000-000000000007",
        }
    )
    .restarts_process()
    .then(*LATE_UPDATE.script.steps),
)
"""A restore makes up the result: a message's place in memory may be another one than that in the session."""

SECRET = "tango-4711-private"

REDACTION = Scenario(
    "a redaction",
    Script()
    .user("harmless")
    .assistant("fine")
    .user(f"my password is {SECRET}")
    .redacts("[redacted]")
    .assistant("I did not read that")
    .restarts_process()
    .user("go on"),
)

TWENTY_TIMEOUTS = Scenario(
    "twenty timeouts",
    Script(
        tuple(
            step
            for number in range(20)
            for step in Script()
            .user(f"question {number}")
            .timeout(options={"session_handle": "handle-9"} if number == 9 else None)
            .assistant(f"answer {number}")
            .steps
        )
    ),
)

TIMEOUT_IN_TRANSCRIPT = Scenario(
    "a timeout inside a transcript",
    Script()
    .user("tell me everything")
    .says("First of all")
    .emits(*stream("cut", "text", "then there is")[:-1])
    .timeout()
    .user("go on"),
)

TIMEOUT_IN_TOOL = Scenario(
    "a timeout while a tool runs",
    Script()
    .user("weather?")
    .calls_together(ToolCall("weather", {"city": "Paris"}, "slow", result="Sunny", held=True))
    .timeout()
    .releases("slow")
    .timeout()
    .says("It is sunny"),
)

RESTART_FAILS = Scenario(
    "a restart that fails",
    Script().user("one").assistant("two").fails("restart").timeout().stops().starts().user("three").assistant("four"),
)

SCHEDULED = Scenario(
    "a scheduled restart",
    Script().settings(restart_after_s=480).user("one").assistant("two").scheduled_restart().user("three").assistant("four"),
)  # fmt: skip

NEW_PROCESS = Scenario(
    "a new process",
    Script()
    .user("My name is Alice")
    .assistant("Hello Alice")
    .calls("weather", city="Paris")
    .restarts_process("killed")
    .user("What is my name?")
    .assistant("Alice"),
    fresh_processes=True,
)

SENT_DURING_RESTART = Scenario(
    "a message sent while a restart is under way",
    Script().user("one").assistant("two").timeout(Send("are you still there?")).assistant("yes"),
)

AUTO_RESTART_OFF = Scenario(
    "a timeout with auto_restart off",
    Script().settings(auto_restart=False).user("one").assistant("two").timeout(),
)

_REPLAYED = Script().user("one").assistant("two").calls("weather", city="Paris").timeout().user("three").timeout()

RESTARTED_BY_RESTART = Scenario("a model with restart()", _REPLAYED)
RESTARTED_BY_START = Scenario("a model without restart()", _REPLAYED.settings(restartable=False))

LONG_LIFE = Scenario(
    "timeout, new process, timeout",
    Script()
    .user("one")
    .assistant("two")
    .timeout()
    .says("three")
    .restarts_process("killed")
    .user("four")
    .timeout()
    .assistant("five"),
    fresh_processes=True,
)

LONG_HISTORY_LENGTH = 2000

_SOME_MORE = ", and some more" * 40
"""With which the history is longer than 1 MB, which is a page of what DynamoDB gives (API reference, ``Query``)."""

LONG_HISTORY = Scenario(
    "a history of 2,000 messages",
    Script().starts().timeout().restarts_process().starts().timeout(),
    messages=tuple(
        {
            "role": "user" if number % 2 == 0 else "assistant",
            "content": [{"text": f"message {number}{_SOME_MORE}"}],
            "tracking_id": f"00000000-0000-4000-8000-{number:012d}",
        }
        for number in range(LONG_HISTORY_LENGTH)
    ),
    observing=False,
)

BARGED_IN = Scenario(
    "barge-in, and the end",
    Script().user("tell me a story").says("Once upon a time").barges_in("there was a king").restarts_process("killed"),
    fresh_processes=True,
)

CANCELLED = Scenario(
    "cancelled after a tool",
    Script()
    .user("weather?")
    .cancels()
    .then(EndStream())
    .stops()
    .restarts_process()
    .user("still there?")
    .assistant("yes"),
)

KILLED_IN_TOOL = Scenario(
    "killed while a tool runs",
    Script()
    .user("weather?")
    .calls_together(
        ToolCall("weather", {"city": "Paris"}, "never-1", held=True),
        ToolCall("weather", {"city": "Rome"}, "never-2", held=True),
    )
    .restarts_process("killed")
    .user("and now?")
    .assistant("I lost the tool"),
    fresh_processes=True,
    observing=False,  # what models are started with is judged
)

KILLED_BETWEEN_USE_AND_RESULT = Scenario(
    "killed between a tool use and its result",
    Script()
    .user("weather?")
    .then(HookRaises("message_added"))
    .then(CallTools((ToolCall("weather", {"city": "Paris"}, "orphan"),)))
    .restarts_process("killed")
    .starts()
    .restarts_process("killed")
    .user("and now?")
    .assistant("I lost the tool")
    .restarts_process("killed")
    .starts(),
    fresh_processes=True,
    observing=False,  # what models are started with is judged
)

TOOL_SETS_STATE = Scenario(
    "a tool that sets state",
    Script()
    .user("book it")
    .calls_together(ToolCall("book", {"seat": "12A"}, "book-1", result="booked", state={"seat": "12A"}))
    .assistant("It is booked"),
)

DIRECT_TOOL_CALL = Scenario(
    "a direct tool call",
    Script()
    .then(DirectToolCall("note", {"text": "call back"}))
    .starts()
    .user("what did I note?")
    .assistant("to call back"),
)


def _day_of_talk() -> Script:
    script = Script()
    for day in ("Monday", "Tuesday"):
        script = (
            script.user(f"Good morning, it is {day}")
            .assistant(f"Good morning, {day} it is")
            .hears(f"What is the weather on {day}?")
            .reasons(f"I look up {day}.")
            .calls("weather", day=day, returns=f"{day}: sunny, 21 degrees")
            .says(f"It is sunny on {day}")
            .timeout()
            .user([{"text": "What is this?"}, {"image": {"format": "png", "source": {"bytes": PIXEL}}}])
            .says("A very small picture")
            .sets_state("day", day)
            .calls("note", about=day, raises="the notebook is full")
            .says(f"I could not note {day}")
            .user("A longer thing: " + "on and on, " * 60)
            .assistant("I see. " + "And so forth. " * 60)
            .barges_in("Let me tell you more")
            .user("Stop there")
            .redacts("[redacted]")
            .assistant("As you wish")
        )
        if day == "Monday":
            script = script.restarts_process()
    return script


RECORDED = _day_of_talk()
"""Over thirty messages, one at a time.

There is text, speech, reasoning, tools, images, state, timeouts, two redactions, and a process restart.
"""


def _short_talks() -> Script:
    script = Script()
    for number in range(5):
        script = (
            script.user(f"This is talk {number}")
            .user("Are you there?")
            .assistant(f"Talk {number} it is")
            .calls("note", talk=number)
            .sets_state("talk", number)
            .user(f"Goodbye {number}")
            .restarts_process()
        )
    return script.user("Did you hear me?")


SHORT_TALKS = _short_talks()
"""Five processes that say little, each a new start for what went wrong in the one before, and a last word."""
