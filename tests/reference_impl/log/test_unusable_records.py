"""A whole record that no restore can use is an error of the SDK's that names it and says what to do, on both stores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from session_conformance.reference_impl.log.codec import encode
from session_conformance.reference_impl.log.commit_lines import commit_label
from session_conformance.reference_impl.log.history import agent_set, message_added
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import open_agent, text_message
from tests.reference_impl.s3.memory_s3 import Bucket, Client, Session


class Place:
    """Where a session is kept."""

    def __init__(self, manager: type[Any], *where: Any, **more: Any) -> None:
        self.manager = lambda: manager("s", *where, **more)
        self.verify = lambda: manager.verify("s", *where, **more)
        self.repair = lambda: manager.repair("s", *where, **more)


@pytest.fixture(params=["files", "S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "files":
        return Place(FileSessionManager, str(tmp_path))
    return Place(S3SessionManager, "b", boto_session=Session(Client(Bucket())))


def stored_beside(manager: Any, change: Any) -> None:
    """Store what no manager of this package accepts, as another program may."""
    store = manager._store
    with store._lock, store._log.writing():
        body = encode([change])
        store._log.append(body, commit_label(store._writer.next_id(), [body[1:-1]]))
    manager.close()


def texts(manager: Any) -> list[str]:
    return [block["text"] for m in open_agent(Path(), manager=manager).messages for block in m["content"]]


def without(of: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in of.items() if name != key}


HELLO: Any = {"role": "user", "content": [{"text": "hello"}], "tracking_id": "hello"}

MESSAGES: dict[str, Any] = {
    "no content": without(HELLO, "content"),
    "content is None": {**HELLO, "content": None},
    "content is a text": {**HELLO, "content": "hello"},
    "a block is None": {**HELLO, "content": [None]},
    "no role": without(HELLO, "role"),
    "tool use is None": {"role": "assistant", "content": [{"toolUse": None}], "tracking_id": "use"},
    "tool result is a list": {**HELLO, "content": [{"toolResult": []}]},
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_a_message_is_named(place: Place, message: Any) -> None:
    manager = place.manager()
    manager.append_message(text_message("first"), open_agent(Path(), manager=manager))
    stored_beside(manager, message_added("default", message, "2026-01-01T00:00:00+00:00"))
    with pytest.raises(SessionException, match=r"agent 'default' .*message 1.*repair\(\)"):
        open_agent(Path(), manager=place.manager())
    assert not place.verify().ok
    assert place.repair().lost
    assert texts(place.manager()) == ["first"]


@pytest.mark.parametrize(
    "read", [lambda m: m.list_messages("s", "default"), lambda m: m.read_message("s", "default", 0)]
)
def test_a_message_without_a_time_is_named_to_those_who_ask_for_it(place: Place, read: Callable[[Any], Any]) -> None:
    manager = place.manager()
    open_agent(Path(), manager=manager)
    stored_beside(manager, without(message_added("default", HELLO, ""), "at"))
    with pytest.raises(SessionException, match=r"message 0 has no 'at'"):
        read(place.manager())


@pytest.mark.parametrize("key", ["state", "conversation_manager_state"])
def test_the_record_of_an_agent_is_named(place: Place, key: str) -> None:
    manager = place.manager()
    open_agent(Path(), manager=manager)
    record = manager.history().agents["default"].record
    stored_beside(manager, agent_set(without(record, key)))
    with pytest.raises(SessionException, match=r"agent 'default' .*its record.*repair\(\)"):
        open_agent(Path(), manager=place.manager())
    with pytest.raises(SessionException, match="its record"):
        place.manager().read_agent("s", "default")


@pytest.mark.parametrize("record", [None, []])
def test_the_record_of_a_session_is_told(place: Place, record: Any) -> None:
    manager = place.manager()
    open_agent(Path(), manager=manager)
    stored_beside(manager, {"op": "session", "session": record})
    with pytest.raises(SessionException, match=r"repair\(\)"):
        place.manager()


@pytest.mark.parametrize(
    "mark",
    [{"held_messages": {"of": "another form"}}, {"held_messages": {"gone": [], "held": [None]}}, {"kept_messages": {}}],
)
def test_what_another_release_notes_of_a_history_is_no_damage(place: Place, mark: Any) -> None:
    manager = place.manager()
    open_agent(Path(), manager=manager)
    record = manager.history().agents["default"].record
    stored_beside(manager, agent_set({**record, "_internal_state": mark}))
    with pytest.raises(SessionException, match="another release"):
        open_agent(Path(), manager=place.manager())
    assert place.verify().ok


def test_what_a_subclass_raises_is_raised_as_it_is(tmp_path: Path) -> None:
    class Limited(FileSessionManager):
        def list_messages(self, *_: Any, **__: Any) -> Any:
            raise KeyError("its own")

    open_agent(tmp_path)
    with pytest.raises(KeyError, match="its own"):
        open_agent(tmp_path, manager=Limited("s", str(tmp_path)))
