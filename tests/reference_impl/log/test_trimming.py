"""What conversation managers keep, and what agents merge or send twice, comes back as it was."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import ScriptedTextModel, Timeline
from session_conformance.harness.models import text_answer
from session_conformance.harness.timeline import difference
from session_conformance.reference_impl import FileSessionManager
from strands import Agent
from strands.agent.conversation_manager import SlidingWindowConversationManager
from strands.hooks import MessageAddedEvent


def agent(folder: Path, model: ScriptedTextModel | None = None, **window: Any) -> Agent:
    return Agent(
        model=model or ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes")),
        session_manager=FileSessionManager("kept", storage_dir=str(folder)),
        conversation_manager=SlidingWindowConversationManager(**window) if window else None,
        callback_handler=None,
        retry_strategy=None,
    )


def user(text: str, id: str) -> Any:
    return {"role": "user", "content": [{"text": text}], "tracking_id": id}


def test_a_message_that_is_sent_twice_is_stored_twice(tmp_path: Path) -> None:
    model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes"))
    model.fail("stream", 1)
    first = agent(tmp_path, model)
    with pytest.raises(Exception, match="fails"):
        first([user("hello", "retried")])
    first([user("hello", "retried")])
    assert [message.get("tracking_id") for message in first.messages][:2] == ["retried", "retried"]
    assert difference(first.messages, agent(tmp_path).messages) is None


def test_a_message_that_is_pinned_in_the_middle_stays(tmp_path: Path) -> None:
    first = agent(tmp_path, window_size=2)
    first("zero")
    first([{**user("one", "pinned"), "metadata": {"custom": {"pinned": True}}}])
    for number in range(3):
        first(f"later {number}")
        assert "one" in str(first.messages)
        assert difference(first.messages, agent(tmp_path, window_size=2).messages) is None
    again = agent(tmp_path, window_size=2)
    again("and on")
    assert difference(again.messages, agent(tmp_path, window_size=2).messages) is None


def test_a_message_that_is_no_longer_pinned_goes(tmp_path: Path) -> None:
    first = agent(tmp_path, window_size=2, pin_first=1)
    for number in range(3):
        first(f"said {number}")
    pinned = first.messages[0]
    assert pinned["metadata"]["custom"]["pinned"] is True
    pinned["metadata"]["custom"]["pinned"] = False
    second = agent(tmp_path, window_size=2)
    assert difference(first.messages[1:], second.messages[1:]) is None
    first("and on")
    assert pinned not in first.messages
    assert difference(first.messages, agent(tmp_path, window_size=2).messages) is None


def test_messages_that_nobody_was_told_of_do_not_shift_a_window(tmp_path: Path) -> None:
    first = agent(tmp_path, window_size=4)
    first.messages.append(user("an example", "example-1"))
    first.messages.append({**user("of an answer", "example-2"), "role": "assistant"})
    for number in range(5):
        first(f"said {number}")
    assert difference(first.messages, agent(tmp_path, window_size=4).messages) is None


def test_a_message_that_was_merged_before_others_followed_is_stored_once(tmp_path: Path) -> None:
    first = agent(tmp_path)
    first("hello")
    merged = {**first.messages[-1], "content": [*first.messages[-1]["content"], {"text": "and more"}]}
    following = user("and on", "following")
    first.messages[-1:] = [merged, following]  # as background tasks do: all are there before any is told of
    for message in (merged, following):
        asyncio.run(first.hooks.invoke_callbacks_async(MessageAddedEvent(agent=first, message=message)))
    assert difference(first.messages, agent(tmp_path).messages) is None
