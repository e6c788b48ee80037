"""What is accepted can be restored; what could not be is refused before a byte is written, without its content."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager
from session_conformance.reference_impl.log.codec import encode
from session_conformance.reference_impl.log.history import agent_set, message_added, multi_agent_set
from strands.types.exceptions import SessionException
from strands.types.session import SessionAgent, SessionMessage

from tests.reference_impl.agents import open_agent, say, text_message, texts_of

WRONG_MESSAGES: dict[str, Any] = {
    "no dict": ["x"],
    "no content": {"role": "user"},
    "content is None": {"role": "user", "content": None},
    "content is a text": {"role": "user", "content": "hello"},
    "a block is a text": {"role": "user", "content": ["hello"]},
    "no role": {"content": []},
    "role is a list": {"role": ["user"], "content": []},
    "tracking id is a list": text_message("x", tracking_id=["t"]),
    "tracking id is a number": text_message("x", tracking_id=5),
    "metadata is a text": text_message("x", metadata="m"),
    "metadata is a list": text_message("x", metadata=[1]),
    "tool use is None": {"role": "assistant", "content": [{"toolUse": None}]},
    "tool use without an id": {"role": "assistant", "content": [{"toolUse": {"name": "x", "input": {}}}]},
    "tool result with a list as id": {"role": "user", "content": [{"toolResult": {"toolUseId": ["x"]}}]},
}

WRONG_CHANGES: dict[str, Any] = {
    "agent id is a number": message_added(5, text_message("x"), "t"),  # type: ignore[arg-type]
    "agent id is a list": message_added(["a"], text_message("x"), "t"),  # type: ignore[arg-type]
    "agent id is empty": message_added("", text_message("x"), "t"),
    "message id is negative": message_added("default", text_message("x"), "t", -1),
    "message id is true": message_added("default", text_message("x"), "t", True),
    "message id is beyond numbers": message_added("default", text_message("x"), "t", 2**70),
    "time is a number": message_added("default", text_message("x"), 5),  # type: ignore[arg-type]
    "a state is a list": agent_set({"agent_id": "default", "state": [], "conversation_manager_state": {}}),
    "a state has bytes": agent_set({"agent_id": "default", "state": {"b": b"x"}, "conversation_manager_state": {}}),
    "no state": agent_set({"agent_id": "default", "conversation_manager_state": {}}),
    "a count is a text": agent_set(
        {"agent_id": "default", "state": {}, "conversation_manager_state": {"removed_message_count": "x"}}
    ),
    "a team's state is a list": multi_agent_set("team", []),  # type: ignore[arg-type]
    "a team's id is a number": multi_agent_set(7, {}),  # type: ignore[arg-type]
}


def bytes_of(folder: Path) -> bytes:
    return (folder / "journal_s" / "journal").read_bytes()


@pytest.mark.parametrize("what", WRONG_MESSAGES)
@pytest.mark.parametrize("how", ["append_message", "create_message", "update_message", "redact_latest_message"])
def test_a_malformed_message_is_refused_and_changes_not_a_byte(tmp_path: Path, what: str, how: str) -> None:
    say(tmp_path, "good")
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    before, message = bytes_of(tmp_path), WRONG_MESSAGES[what]
    tries: dict[str, Callable[[], object]] = {
        "append_message": lambda: manager.append_message(message, agent),
        "create_message": lambda: manager.create_message("s", "default", SessionMessage(message, 7)),
        "update_message": lambda: manager.update_message("s", "default", SessionMessage(message, 0)),
        "redact_latest_message": lambda: manager.redact_latest_message(message, agent),
    }
    with pytest.raises(SessionException):
        tries[how]()
    assert bytes_of(tmp_path) == before
    manager.append_message(text_message("next"), agent)
    assert texts_of(tmp_path) == ["good", "next"]


@pytest.mark.parametrize("what", WRONG_CHANGES)
def test_a_change_that_no_session_could_be_restored_with_is_refused(tmp_path: Path, what: str) -> None:
    say(tmp_path, "good")
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    agent = open_agent(tmp_path, manager=manager)
    before = bytes_of(tmp_path)
    with pytest.raises(SessionException):
        manager._store.commit([WRONG_CHANGES[what]])
    assert bytes_of(tmp_path) == before
    manager.append_message(text_message("next"), agent)
    assert texts_of(tmp_path) == ["good", "next"]


def test_a_state_that_the_sdk_takes_is_stored(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    manager.create_agent("s", SessionAgent("a", {"$bytes": "x", "n": [1.5, None]}, {"removed_message_count": 2}))
    assert open_agent(tmp_path, agent_id="a").state.get() == {"$bytes": "x", "n": [1.5, None]}


@pytest.mark.parametrize(
    "value",
    [
        {"my card is 4111": {1, 2}},
        {"input": {"4111 1111": 1j}},
        {"text": {"my card is 4111"}},
        {("4111",): "x"},
        {"content": ["4111 \ud800"]},
        {"message": {"metadata": {"4111": object()}}},
        {"x": type("Card", (), {"__repr__": lambda _: "4111"})()},
    ],
)
def test_a_refusal_names_the_place_and_nothing_that_was_said(value: Any) -> None:
    with pytest.raises(SessionException, match="cannot store") as caught:
        encode([value])
    assert "4111" not in str(caught.value)
