"""Subclasses that override public methods go on working: they are called as the SDK's manager calls them."""

import asyncio
import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from strands import Agent
from strands.multiagent import GraphBuilder
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.session import SessionRepository
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import open_agent, text_message

from .test_history_in_memory import agent

CARD = "4111-1111"


def scrubbed(message: Any) -> Any:
    content = [
        {"text": block["text"].replace(CARD, "[card]")} if "text" in block else block for block in message["content"]
    ]
    return {**message, "content": content}


class ScrubsInAppend(FileSessionManager):
    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        super().append_message(scrubbed(message), agent, **kwargs)


class ScrubsInCreate(FileSessionManager):
    def create_message(self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any) -> None:
        copied = copy.deepcopy(session_message)
        copied.message = scrubbed(copied.message)
        super().create_message(session_id, agent_id, copied, **kwargs)


class ScrubsWithoutIds(FileSessionManager):
    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        super().append_message({"role": message["role"], "content": scrubbed(message)["content"]}, agent, **kwargs)


class Drops(FileSessionManager):
    def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
        if CARD not in str(message):
            super().append_message(message, agent, **kwargs)


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", [ScrubsInAppend, ScrubsInCreate])
def test_what_a_subclass_scrubs_is_scrubbed_in_storage(tmp_path: Path, kind: type[FileSessionManager]) -> None:
    first = agent(tmp_path, session_manager=kind("s", storage_dir=str(tmp_path)))
    first(f"my card is {CARD}")
    first(f"once more: {CARD}")
    first.messages.append(text_message(f"nobody was told: {CARD}"))
    first.messages[0]["content"].append({"text": f"edited: {CARD}"})
    first("and on")
    assert CARD.encode() not in bytes_in(tmp_path)
    restored = agent(tmp_path)
    assert [scrubbed(message)["content"] for message in first.messages] == [m["content"] for m in restored.messages]


def test_what_a_voice_agent_says_is_scrubbed(tmp_path: Path) -> None:
    voice = open_agent(tmp_path, manager=ScrubsInAppend("s", storage_dir=str(tmp_path)))
    pending = text_message("", metadata={"custom": {"bidi": {"status": "pending"}}})
    said = {
        **pending,
        "content": [{"text": f"my card is {CARD}"}],
        "metadata": {"custom": {"bidi": {"status": "complete"}}},
    }

    async def talk() -> None:
        await voice.start()
        await voice._append_messages(pending)
        await voice._update_message(said)
        await voice.stop()

    asyncio.run(talk())
    assert CARD.encode() not in bytes_in(tmp_path)
    assert [message["content"] for message in open_agent(tmp_path).messages] == [[{"text": "my card is [card]"}]]


def test_a_message_that_a_subclass_makes_without_its_id_is_the_same_message(tmp_path: Path) -> None:
    first = agent(tmp_path, session_manager=ScrubsWithoutIds("s", storage_dir=str(tmp_path)))
    first(f"my card is {CARD}")
    first("and on")
    restored = agent(tmp_path)
    assert [m["tracking_id"] for m in first.messages] == [m["tracking_id"] for m in restored.messages]


def test_a_message_that_a_subclass_drops_stays_away(tmp_path: Path) -> None:
    first = agent(tmp_path, session_manager=Drops("s", storage_dir=str(tmp_path)))
    first(f"my card is {CARD}")
    first("and on")
    assert [m["content"][0]["text"] for m in agent(tmp_path).messages] == ["yes", "and on", "yes"]


def test_a_limit_of_messages_holds(tmp_path: Path) -> None:
    class LastTwo(FileSessionManager):
        def list_messages(self, session_id: str, agent_id: str, limit: int | None = None, offset: int = 0) -> Any:
            return super().list_messages(session_id, agent_id, None, offset)[-2:]

    first = agent(tmp_path)
    for number in range(3):
        first(f"said {number}")
    second = agent(tmp_path, session_manager=LastTwo("s", storage_dir=str(tmp_path)))
    assert second.messages == first.messages[-2:]
    second("and on")
    assert len(agent(tmp_path).messages) == 8, "what was not restored is not taken for removed"


def test_a_subclass_that_looks_while_it_stores_finds_what_it_stored(tmp_path: Path) -> None:
    counts = []

    class Counts(FileSessionManager):
        def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
            super().append_message(message, agent, **kwargs)
            counts.append(len(self.list_messages(self.session_id, agent.agent_id)))

    agent(tmp_path, session_manager=Counts("s", storage_dir=str(tmp_path)))("hello")
    assert counts == [1, 2]


def test_a_subclass_that_raises_tells_the_caller_and_loses_nothing_else(tmp_path: Path) -> None:
    class Refuses(FileSessionManager):
        def append_message(self, message: Any, agent: Any, **kwargs: Any) -> None:
            super().append_message(message, agent, **kwargs)
            if "stop" in str(message):
                raise SessionException("that is enough")

    first = agent(tmp_path, session_manager=Refuses("s", storage_dir=str(tmp_path)))
    with pytest.raises(SessionException, match="that is enough"):
        first("stop")
    assert [m["content"][0]["text"] for m in agent(tmp_path).messages] == ["stop"]


def test_a_redaction_is_made_by_update_message(tmp_path: Path) -> None:
    class Scrubs(FileSessionManager):
        def update_message(self, session_id: str, agent_id: str, session_message: Any, **kwargs: Any) -> None:
            assert CARD not in str(session_message), "the original is handed to nobody"
            session_message.redact_message = {**session_message.redact_message, "content": [{"text": "[gone]"}]}
            super().update_message(session_id, agent_id, session_message, **kwargs)

    manager = Scrubs("s", storage_dir=str(tmp_path))
    first = agent(tmp_path, session_manager=manager, messages=[text_message(CARD)])
    manager.redact_latest_message({**first.messages[-1], "content": [{"text": "[redacted]"}]}, first)
    assert [m["content"][0]["text"] for m in agent(tmp_path).messages] == ["[gone]"]
    assert CARD.encode() not in bytes_in(tmp_path)


METHODS = sorted(
    {
        "initialize",
        "append_message",
        "sync_agent",
        "redact_latest_message",
        "initialize_multi_agent",
        "sync_multi_agent",
    }
    | {name for name in vars(SessionRepository) if name.split("_")[0] in ("create", "read", "update", "list")}
)
"""What a subclass may override: the public methods of a session manager and of a repository."""


def spying(base: Any, calls: Counter[str]) -> Any:
    def method(name: str) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return getattr(super(spy, self), name)(*args, **kwargs)

        return call

    spy = type("Spy", (base,), {name: method(name) for name in METHODS})
    return spy


def use_of(kind: Any, *where: str) -> None:
    manager = kind("s", *where)
    first = agent(Path(), session_manager=manager)
    first("one")
    first("two")
    manager.redact_latest_message({**first.messages[-1], "content": [{"text": "[redacted]"}]}, first)
    agent(Path(), session_manager=kind("s", *where))("three")
    for _ in range(2):
        graph = GraphBuilder()
        node: Agent = agent(Path(), session_manager=None, name="n")
        graph.add_node(node, "n")
        graph.set_max_node_executions(2)
        graph.set_session_manager(kind("g", *where))
        graph.build()("go")


@pytest.mark.parametrize("base", [FileSessionManager, S3SessionManager])
def test_the_methods_that_the_sdk_calls_are_called(tmp_path: Path, base: Any, request: pytest.FixtureRequest) -> None:
    sdks: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    use_of(spying(SdkFileSessionManager, sdks), str(tmp_path / "sdk"))
    where = str(tmp_path / "ours")
    if base is S3SessionManager:
        request.getfixturevalue("s3")
        where = request.getfixturevalue("bucket")
    use_of(spying(base, ours), where)
    del sdks["read_message"]  # it is what the SDK's update_message() does within
    assert set(sdks) <= set(ours)
    for told in ("initialize", "append_message", "create_message", "create_agent", "create_session", "list_messages"):
        assert (told, ours[told]) == (told, sdks[told])
