"""A whole record that no restore can use is an error of the SDK's that names it and says what to do, on both stores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from session_conformance.reference_impl.log.codec import encode
from session_conformance.reference_impl.log.commit_lines import commit_label
from session_conformance.reference_impl.log.history import agent_set, message_added, multi_agent_set
from strands.session import FileSessionManager as SdkFileSessionManager
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


AT = "2026-01-01T00:00:00+00:00"
NOTE: Any = {
    "op": "redacted",
    "agent_id": "default",
    "tracking_id": "hello",
    "ids": [0],
    "message": HELLO,
    "blocks": 1,
    "unnamed": False,
}
UNREADABLE: dict[str, Any] = {
    "a fractional id": message_added("default", HELLO, AT, 2.5),  # type: ignore[arg-type]
    "a fraction that is whole": message_added("default", HELLO, AT, 7.0),  # type: ignore[arg-type]
    "a truth for an id": message_added("default", HELLO, AT, True),
    "an id that is a list": {**message_added("default", HELLO, AT), "op": "update", "id": []},
    "a note without a message": without(NOTE, "message"),
    "a note of no blocks": {**NOTE, "blocks": None},
    "a note of texts for ids": {**NOTE, "ids": ["0"]},
    "a note without whether it was named": without(NOTE, "unnamed"),
    "a replacement without an id": without({**message_added("default", HELLO, AT), "op": "update"}, "id"),
    "a message without an agent": without(message_added("default", HELLO, AT), "agent_id"),
    "a team without a state": {"op": "multi_agent", "id": "team"},
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_told_apart_is_told_and_left_out_by_a_repair(place: Place, change: Any) -> None:
    manager = place.manager()
    manager.append_message(text_message("first"), open_agent(Path(), manager=manager))
    stored_beside(manager, change)
    with pytest.raises(SessionException, match=r"'s'.*repair\(\)"):
        open_agent(Path(), manager=place.manager())
    assert not place.verify().ok
    assert place.repair().lost
    assert texts(place.manager()) == ["first"]


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_told_apart_is_told_to_those_who_have_the_session_open(place: Place, change: Any) -> None:
    manager = place.manager()
    agent = open_agent(Path(), manager=manager)
    manager.append_message(text_message("first"), agent)
    stored_beside(place.manager(), change)
    for _ in range(2):
        with pytest.raises(SessionException, match=r"'s'.*repair\(\)"):
            manager.append_message(text_message("second"), agent)


def test_a_running_agent_stores_its_record_in_place_of_one_that_nobody_could_use(place: Place) -> None:
    manager = place.manager()
    agent = open_agent(Path(), manager=manager)
    manager.append_message(text_message("first"), agent)
    record = manager.history().agents["default"].record
    stored_beside(place.manager(), agent_set({**record, "_internal_state": 5}))
    manager.append_message(text_message("second"), agent)
    manager.sync_agent(agent)
    assert texts(place.manager()) == ["first", "second"]


def test_a_session_without_its_type_is_told(place: Place) -> None:
    manager = place.manager()
    open_agent(Path(), manager=manager)
    stored_beside(manager, {"op": "session", "session": without(manager.history().session, "session_type")})
    with pytest.raises(SessionException, match=r"session_type.*repair\(\)"):
        place.manager()


@pytest.mark.parametrize(
    "mark",
    [5, {"state": 5}, {"agents": 5}, {"agents": {"default": 5}}, {"numbers": {"default": "1"}}, {"teams": [1]}],
)
def test_what_another_release_notes_of_an_import_is_no_damage(tmp_path: Path, mark: Any) -> None:
    place = Place(FileSessionManager, str(tmp_path))
    agent = open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    agent._session_manager.sync_agent(agent)  # type: ignore[union-attr]
    manager = place.manager()
    manager.append_message(text_message("first"), open_agent(Path(), manager=manager))
    running = place.manager()
    agent = open_agent(Path(), manager=running)
    stored_beside(manager, {"op": "session", "session": {**manager.history().session, "imported": mark}})
    with pytest.raises(SessionException, match="another release"):
        place.manager()
    with pytest.raises(SessionException, match="another release"):
        running.append_message(text_message("second"), agent)
    assert place.verify().ok


def test_a_message_without_a_time_is_told_by_what_rewrites_the_session(place: Place) -> None:
    manager = place.manager()
    agent = open_agent(Path(), manager=manager)
    manager.append_message(text_message("first"), agent)
    stored_beside(place.manager(), without(message_added("default", HELLO, ""), "at"))
    with pytest.raises(SessionException, match=r"'s'.*repair\(\)"):
        manager.redact_latest_message(text_message("nothing"), agent)


@pytest.mark.parametrize(
    "change",
    [
        message_added("default", {**HELLO, "role": 5}, AT),
        without(message_added("default", HELLO, AT), "at"),
        agent_set({"agent_id": "default", "state": {}}),
        multi_agent_set("team", []),  # type: ignore[arg-type]
    ],
    ids=["role", "time", "agent", "team"],
)
def test_nothing_is_handed_back_that_nobody_could_restore(tmp_path: Path, change: Any) -> None:
    sdk = open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    sdk._session_manager.append_message(text_message("first"), sdk)  # type: ignore[union-attr]
    place = Place(FileSessionManager, str(tmp_path))
    manager = place.manager()
    manager.append_message(text_message("second"), open_agent(Path(), manager=manager))
    before = {path: path.read_bytes() for path in tmp_path.rglob("session_s/**/*.json")}
    stored_beside(manager, change)
    with pytest.raises(SessionException, match="no manager could restore it"):
        place.manager().hand_back()
    assert {path: path.read_bytes() for path in tmp_path.rglob("session_s/**/*.json")} == before
