"""The scripted text model: what it streams, how it fails, and a record of all that it is given."""

import asyncio
from typing import Any

import pytest
from session_conformance.harness import (
    Script,
    ScriptedFailure,
    ScriptedTextModel,
    Session,
    TextAgent,
    Timeline,
    ToolCall,
    play,
)
from session_conformance.harness.models import chunk, fails_here, text_answer
from session_conformance.harness.models.text import stream_events
from session_conformance.harness.timeline import AgentAtRest, ModelEmitted, ModelStarted
from strands import Agent
from strands.models import Model
from strands.types.exceptions import ContextWindowOverflowException

HELLO: Any = [{"role": "user", "content": [{"text": "hello"}]}]


@pytest.fixture
def text_session(session: Session) -> Session:
    return Session(session.backend, session.workspace, "text", text_agent=TextAgent())


def streamed(model: ScriptedTextModel, **given: Any) -> list[Any]:
    async def collect() -> list[Any]:
        return [event async for event in model.stream(HELLO, **given)]

    return asyncio.run(collect())


def last(timeline: Timeline) -> list[Any]:
    return timeline.of(AgentAtRest)[-1].memory[-1]["content"]


def test_it_is_a_model_of_the_sdk() -> None:
    model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("hi"))
    assert isinstance(model, Model)
    result = Agent(model=model, callback_handler=None)("hello")
    assert (str(result), result.stop_reason) == ("hi\n", "end_turn")
    model.update_config(temperature=1)
    config = model.get_config()
    assert (config["model_id"], config["temperature"]) == ("scripted", 1)
    with pytest.raises(NotImplementedError, match="structured_output_model"):
        model.structured_output(dict, HELLO)


def test_an_answer_begins_and_stops_as_a_message() -> None:
    model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("hi")[1:])
    assert streamed(model) == [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockStart": {"start": {}}},
        {"contentBlockDelta": {"delta": {"text": "hi"}}},
        {"contentBlockStop": {}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([], "end_turn"),
        ([{"type": "tool_use_blocks", "tool_uses": [{"toolUseId": "t", "name": "n", "input": {}}]}], "tool_use"),
        ([chunk(messageStop={"stopReason": "max_tokens"})], "max_tokens"),
    ],
)
def test_it_says_why_it_stops_once(events: list[Any], reason: str) -> None:
    model = ScriptedTextModel(Timeline(), answer=lambda _: [*events, {"type": "response_stop"}])
    stops = [event["messageStop"]["stopReason"] for event in streamed(model) if "messageStop" in event]
    assert stops == [reason]


@pytest.mark.parametrize("kind", ["audio_delta", "transcript_start", "barge_in", None])
def test_what_text_models_do_not_have_is_refused_in_words(kind: str | None) -> None:
    with pytest.raises(ValueError, match="a text model emits no"):
        stream_events({"type": kind})


def test_all_that_it_is_given_is_recorded_as_it_was() -> None:
    timeline = Timeline()
    model = ScriptedTextModel(timeline, answer=lambda _: text_answer("hi"), stateful=True, about={"node": "n"})
    state: dict[str, Any] = {}
    given: Any = [{"role": "user", "content": [{"text": "then"}]}]

    async def call() -> None:
        tools: Any = [{"name": "t", "description": "", "inputSchema": {}}]
        async for _ in model.stream(given, tools, "be kind", model_state=state):
            given[0]["content"][0]["text"] = "now"

    asyncio.run(call())
    [started] = timeline.of(ModelStarted)
    assert (started.call, started.system_prompt, started.tools) == ("stream", "be kind", ["t"])
    assert started.messages == [{"role": "user", "content": [{"text": "then"}]}]
    assert started.options == {"node": "n", "model_state": {}}
    assert state == {"turn": 1, "response_id": "response-1"}


def test_a_stateful_model_goes_on_where_it_was() -> None:
    model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("hi"), stateful=True)
    state = {"turn": 7, "response_id": "response-7"}
    streamed(model, model_state=state)
    assert state == {"turn": 8, "response_id": "response-8"}


def test_it_fails_once_or_always_and_is_then_not_asked() -> None:
    model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("hi"))
    model.fail("stream", 1)
    with pytest.raises(ScriptedFailure, match=r"model\.stream\(\) fails"):
        streamed(model)
    assert model.calls == 0
    assert streamed(model)
    model.fail("overflow", None)
    for _ in range(3):
        with pytest.raises(ContextWindowOverflowException):
            streamed(model)
    assert model.calls == 1


def test_it_fails_in_mid_stream(text_session: Session) -> None:
    timeline = play(text_session, Script().user("hi").emits(*text_answer("half")[:3], fails_here()))
    assert [event.type for event in timeline.of(ModelEmitted)][-2:] == ["contentBlockDelta", "error"]
    assert last(timeline) == [{"text": "hi"}]


def test_text_reasoning_and_tools_share_a_message(text_session: Session) -> None:
    use = ToolCall("look", {"at": [1, None]}, "look-1")
    script = Script().user("hi").reasons("so it is").calls_together(use).assistant("done")
    message = play(text_session, script).of(AgentAtRest)[-1].memory[1]
    assert message["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "so it is"}}},
        {"toolUse": {"toolUseId": "look-1", "name": "look", "input": {"at": [1, None]}}},
    ]


def test_usage_and_redaction_reach_the_agent(text_session: Session) -> None:
    usage = {"type": "usage", "input_tokens": 8, "output_tokens": 5, "total_tokens": 13}
    redact = chunk(redactContent={"redactAssistantContentMessage": "[gone]"})
    answer = text_answer("secret")
    timeline = play(text_session, Script().user("hi").emits(*answer[:4], redact, usage, answer[4]))
    message = timeline.of(AgentAtRest)[-1].memory[-1]
    assert message["content"] == [{"text": "[gone]"}]
    assert message["metadata"]["usage"] == {"inputTokens": 8, "outputTokens": 5, "totalTokens": 13}
