"""The oracle knows, by the SDK's contract alone, what an agent that has no session manager has in memory."""

import pytest
from session_conformance.harness import Script, ToolCall
from session_conformance.harness.process import clock as clocks
from session_conformance.harness.scripts import (
    DirectToolCall,
    EndStream,
    Expected,
    HookRaises,
    Oracle,
    Send,
    mismatch,
    stream,
)
from session_conformance.harness.sdk import Message

OPEN = stream("open", "transcript", "never heard in full", role="user")

SCRIPTS = {
    "turns": Script().user("one").assistant("two").hears("three").says("four").reasons("five").barges_in("six seven"),
    "an image": Script().user([{"text": "look"}, {"image": {"format": "png", "source": {"bytes": b"\x89"}}}]),
    "streams": Script().emits(*OPEN[:-1]).user("meanwhile").emits(*OPEN[-1:]).emits(*stream("x", "text", "cut")[:-1]),
    "tools": Script().calls("weather", city="Paris").calls("weather", raises="no"),
    "a group": Script().calls_together(ToolCall("a", {}, "1", result=[{"json": {"x": 1}}]), ToolCall("b", {}, "2")),
    "a held tool": Script().calls_together(ToolCall("a", {}, "1", held=True)).timeout().releases("1").user("done"),
    "a tool that never ends": Script().calls_together(ToolCall("a", {}, "1", held=True)),
    "timeouts": Script().user("one").emits(*OPEN[:-1]).timeout(Send("two")).timeout(),
    "a lost connection": Script().user("one").fails("restart").timeout().stops().starts().user("two"),
    "a start that fails": Script().fails("start").starts().starts().user("one"),
    "no restart": Script().settings(auto_restart=False).user("one").timeout(),
    "a schedule": Script().settings(restart_after_s=20).user("one").emits(*OPEN[:-1]).scheduled_restart().user("two"),
    "cancelled": Script().user("one").cancels().calls("weather"),
    "silence": Script().assistant("one").then(EndStream()).user("two"),
    "hooks that raise": Script().then(HookRaises("message_added")).user("one").emits(*OPEN[:-1])
    .then(HookRaises("message_updated")).emits(*OPEN[-1:]),
    "sent in vain": Script().fails("send").user("one"),
    "a redaction": Script().user("secret").redacts("[redacted]"),
    "a direct call": Script().then(DirectToolCall("note", {"text": "x"})).starts(),
}  # fmt: skip


def memory_of(script: Script) -> list[Message]:
    """Return what an agent without a session manager has in memory when the script is over."""
    from session_conformance.harness import Backend, Session, Workspace
    from session_conformance.harness.conversations import Conversation
    from session_conformance.harness.sdk import SessionManager

    class Nothing(SessionManager):  # type: ignore[type-arg]
        def initialize(self, agent: object, **_: object) -> None: ...
        def append_message(self, message: object, agent: object, **_: object) -> None: ...
        def sync_agent(self, agent: object, **_: object) -> None: ...
        def redact_latest_message(self, message: object, agent: object, **_: object) -> None: ...

    backend = Backend("nothing", lambda id, workspace: Nothing())
    memory: list[Message] = []

    async def main() -> None:
        from pathlib import Path

        conversation = Conversation(Session(backend, Workspace(Path())), script, observing=False)
        await conversation.play()
        memory.extend(conversation.agent.messages)

    clocks.run(main())
    return memory


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_knows_what_an_agent_has_in_memory(name: str) -> None:
    script = SCRIPTS[name]
    found = memory_of(script)
    assert found
    assert mismatch(Oracle.of(script).stored((None, None)), found) is None


def message(text: str) -> Message:
    return {"role": "user", "content": [{"text": text}]}


def expected(text: str, *, optional: bool = False) -> Expected:
    return Expected(dict(message(text)), optional)


def test_a_mismatch_is_told_in_words() -> None:
    history = [expected("one"), expected("two")]
    assert mismatch(history, [message("one"), message("two")]) is None
    assert mismatch(history, [message("one"), message("2")]) == 'message 1 is user ["2"] instead of user ["two"]'
    assert mismatch(history, [message("one")]) == '1 message instead of 2: message 1 is missing, user ["two"]'
    three = [message("one"), message("two"), message("two")]
    assert mismatch(history, three) == '3 messages instead of 2: message 2 is too many, user ["two"]'


def test_what_was_not_acknowledged_may_be_missing_and_nothing_else() -> None:
    history = [expected("one"), expected("two", optional=True), expected("two")]
    assert mismatch(history, [message("one"), message("two")]) is None
    assert mismatch(history, [message("one"), message("two"), message("two")]) is None
    assert mismatch(history, [message("two"), message("two")]) is not None
    assert mismatch(history, [message("one")]) is not None


def test_sessions_and_agents_have_histories_of_their_own() -> None:
    script = (
        Script()
        .user("mine")
        .elsewhere(Send("yours"), agent_id="second")
        .elsewhere(Send("theirs"), session_id="other")
        .restarts_process()
        .user("mine again")
    )
    oracle = Oracle.of(script)
    assert oracle.places == {(None, None), (None, "second"), ("other", None)}
    assert mismatch(oracle.stored((None, None)), [message("mine"), message("mine again")]) is None
    assert mismatch(oracle.stored((None, "second")), [message("yours")]) is None
    assert mismatch(oracle.stored(("other", None)), [message("theirs")]) is None
