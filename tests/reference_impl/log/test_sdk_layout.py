"""The import of sessions that the SDK's managers wrote: all of a session, or an error that names the file."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl.log import sdk_layout
from session_conformance.reference_impl.log.history import SessionHistory
from session_conformance.reference_impl.log.sdk_layout import SdkFolder, read_sdk_session
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message, texts_of


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Return the folder of a session with three messages."""
    agent = open_agent(tmp_path, manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    asyncio.run(add(agent, *(text_message(str(number)) for number in range(3))))
    return tmp_path / "session_s"


def imported(session: Path) -> SessionHistory | None:
    return read_sdk_session(SdkFolder(session.parent, "s"), "s")


AGENT, MESSAGES = "agents/agent_default/agent.json", "agents/agent_default/messages"


def holding(value: Any) -> Callable[[Path], object]:
    return lambda path: path.write_text(value if isinstance(value, str) else json.dumps(value))


def replacing(name: str, value: Any) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))


def nested(levels: int) -> Any:
    value: Any = "the innermost"
    for _ in range(levels):
        value = [value]
    return value


def saying(**more: Any) -> Callable[[Path], object]:
    return replacing("message", {"role": "user", "content": [{"text": "x"}], **more})


@pytest.mark.parametrize(
    ("path", "harm", "says"),
    [
        *(
            (f"{MESSAGES}/message_1.json", saying(**{name: value}), name)
            for name, value in [
                ("role", None),
                ("content", None),
                ("tracking_id", ["x"]),
                ("metadata", "x"),
            ]
        ),
        *(
            (f"{MESSAGES}/message_1.json", saying(content=[{kind: value}]), rf"content\[0\]\.{kind}")
            for kind in ("toolUse", "toolResult")
            for value in (None, 7, {}, {"toolUseId": {}})
        ),
        (f"{MESSAGES}/message_1.json", replacing("created_at", 7), "a text in ISO 8601"),
        (f"{MESSAGES}/message_1.json", holding({}), "a message that is a NoneType"),
        (f"{MESSAGES}/message_1.json", holding({"message": "x", "message_id": 1}), "a message that is a str"),
        (f"{MESSAGES}/message_1.json", saying(content="x"), "whose content is"),
        (f"{MESSAGES}/message_1.json", saying(content=["x"]), r"whose content\[0\] is"),
        (f"{MESSAGES}/message_1.json", holding({"x": {"__bytes_encoded__": True, "data": "A"}}), "base64"),
        (f"{MESSAGES}/message_1.json", holding({"x": {"__bytes_encoded__": True, "data": 1}}), "bytes-like"),
        (f"{MESSAGES}/message_1.json", holding("[]"), "no JSON object"),
        (f"{MESSAGES}/message_1.json", saying(content=[{"text": "half an emoji: \ud83d"}]), "surrogates not allowed"),
        (f"{MESSAGES}/message_1.json", saying(content=[{"json": nested(250)}]), "nested more than 200 levels"),
        (AGENT, replacing("state", {"key": nested(250)}), "nested more than 200 levels"),
        (f"{MESSAGES}/message_1.json", holding('{"x":' * 200_000), "nested too deeply"),
        (f"{MESSAGES}/message_0.json", Path.unlink, "missing before others"),
        (f"{MESSAGES}/message_1.json", Path.unlink, "missing between others"),
        (f"{MESSAGES}/message_-1.json", holding({}), "no message number"),
        (f"{MESSAGES}/message_01.json", holding({}), "no message number"),
        (MESSAGES, shutil.rmtree, "messages is missing"),
        (MESSAGES, lambda path: (path.rename(f"{path}-2"), path.symlink_to(f"{path}-2")), "symbolic link"),
        (AGENT, holding({}), "agent_id=None"),
        (AGENT, holding({"agent_id": "another"}), "agent_id='another'"),
        (AGENT, holding({"agent_id": "default"}), "no state"),
        (AGENT, Path.unlink, "it is missing"),
        *((AGENT, replacing(name, value), name) for name, value in [("_internal_state", None), ("created_at", 7)]),
        ("session.json", holding({}), "session_id=None"),
        ("session.json", holding({"session_id": "s"}), "session_type"),
        ("session.json", holding({"session_id": "s", "session_type": "?"}), "session_type"),
        ("session.json", holding({"session_id": "another", "session_type": "AGENT"}), "session_id='another'"),
    ],
)
def test_what_is_not_as_the_sdk_writes_it_is_an_error(
    session: Path, path: str, harm: Callable[[Path], object], says: str
) -> None:
    harm(session / path)
    with pytest.raises(SessionException, match=says) as caught:
        imported(session)
    assert str(session) in str(caught.value)
    assert path.removesuffix("/messages") in str(caught.value)
    with pytest.raises(SessionException):
        open_agent(session.parent)
    assert not (session.parent / "journal_s").exists()


def test_a_folder_that_cannot_be_listed_is_an_error(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own walks pass over it, and its messages would be missing."""
    scandir = os.scandir

    def refuses(path: Any) -> Any:
        if str(path).endswith("messages"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuses)
    with pytest.raises(SessionException, match="messages: Permission denied"):
        imported(session)


@pytest.mark.parametrize("copies", ["session", "agent"])
def test_who_copied_a_session_or_an_agent_is_told_what_to_write_where(session: Path, copies: str) -> None:
    """The SDK's managers open it; it is an error here, since nobody can say whether it is a copy or a mistake."""
    if copies == "session":
        shutil.copytree(session, session.parent / "session_copy")
        place, id, record, key = "copy", "default", session.parent / "session_copy" / "session.json", "session_id"
    else:
        shutil.copytree(session / "agents" / "agent_default", session / "agents" / "agent_copy")
        place, id, record, key = "s", "copy", session / "agents" / "agent_copy" / "agent.json", "agent_id"

    def opened() -> SessionHistory | None:
        return read_sdk_session(SdkFolder(session.parent, place), place)

    with pytest.raises(SessionException, match=rf"{record.name}: it says {key}=.* write 'copy' there"):
        opened()
    replacing(key, "copy")(record)
    found = opened()
    assert found is not None
    assert len(found.agents[id].messages) == 3


def test_the_folder_of_an_id_that_differs_in_case_is_anothers(session: Path) -> None:
    (session / "session.json").write_text(json.dumps({"session_id": "S", "session_type": "AGENT"}))
    assert imported(session) is None


def test_what_the_sdk_wrote_is_imported(session: Path) -> None:
    assert texts_of(session.parent) == ["0", "1", "2"]


def test_each_message_is_looked_at_once_however_many_agents_there_are(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = SdkFileSessionManager("s", storage_dir=str(session.parent))
    for number in range(20):
        asyncio.run(add(open_agent(session.parent, manager=sdk, agent_id=f"a{number}"), text_message("one")))
    seen = []
    pattern = sdk_layout._MESSAGE

    class Counted:
        def fullmatch(self, path: str) -> Any:
            seen.append(path)
            return pattern.fullmatch(path)

    monkeypatch.setattr(sdk_layout, "_MESSAGE", Counted())
    history = imported(session)
    assert history is not None
    assert sum(len(agent.messages) for agent in history.agents.values()) == 23
    assert len(seen) == len(set(seen))


def test_an_agent_without_a_time_of_its_own_goes_on(session: Path) -> None:
    """The SDK takes the time of the restore for it."""
    record = json.loads((session / AGENT).read_text())
    del record["created_at"]
    (session / AGENT).write_text(json.dumps(record))
    agent = open_agent(session.parent)
    asyncio.run(add(agent, text_message("goes on")))
    agent._session_manager.close()  # type: ignore[union-attr]
    assert texts_of(session.parent)[-1] == "goes on"
