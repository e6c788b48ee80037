"""Sessions go over from the SDK's managers and back, whatever wrote them, and whenever the process is killed."""

import asyncio
import copy
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_conformance.harness.timeline import difference
from session_conformance.reference_impl import (
    FileSessionManager,
    S3SessionManager,
    export_snapshots,
    import_snapshots,
)
from session_conformance.reference_impl.log import sdk_layout
from strands import Agent
from strands.agent.conversation_manager import SlidingWindowConversationManager, SummarizingConversationManager
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.session import S3SessionManager as SdkS3SessionManager
from strands.session import SnapshotSessionManager
from strands.storage import LocalFileStorage
from strands.types.exceptions import SessionException
from strands.types.session import decode_bytes_values

from tests.reference_impl.agents import add, open_agent, text_message
from tests.reference_impl.s3.memory_s3 import Bucket, ListingClient, Session

from .test_history_in_memory import EDITS
from .test_history_in_memory import agent as made_agent
from .test_takeover import Place, agent, place, said

__all__ = ["place"]

SESSIONS = Path(__file__).parent / "sdk_sessions"
RELEASES = sorted(path.name for path in SESSIONS.iterdir() if (path / "held.json").exists())


# -- sessions that releases of the SDK wrote ---------------------------------------------------------------


def copied(release: str, folder: Path) -> str:
    for source in (SESSIONS / release).rglob("*.json"):
        target = folder / source.relative_to(SESSIONS / release)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return str(folder)


def held(release: str, agent_id: str) -> Any:
    return decode_bytes_values(json.loads((SESSIONS / release / "held.json").read_text("utf-8")))[agent_id]


def restored(manager: Any, agent_id: str) -> Agent:
    window = SlidingWindowConversationManager(window_size=4) if agent_id == "window" else None
    return (
        made_agent(Path(), window, session_manager=manager)
        if agent_id == "a"
        else Agent(
            model=made_agent(Path(), session_manager=None).model,
            agent_id=agent_id,
            session_manager=manager,
            conversation_manager=window,
            callback_handler=None,
        )
    )


def unnamed(messages: list[Any]) -> list[Any]:
    return [{key: value for key, value in message.items() if key != "tracking_id"} for message in messages]


def test_there_are_sessions_of_four_releases() -> None:
    assert RELEASES == ["1.20.0", "1.40.0", "1.55.0", "1.62.0"]


@pytest.mark.parametrize("agent_id", ["window", "given"])
@pytest.mark.parametrize("release", RELEASES)
def test_a_session_of_a_release_goes_on(release: str, agent_id: str, tmp_path: Path) -> None:
    folder = copied(release, tmp_path)
    was = held(release, agent_id)
    first = restored(FileSessionManager("kept", folder), agent_id)
    assert unnamed(first.messages) == unnamed(was["messages"])
    assert first.state.get() == was["state"]
    for number in range(3):
        first(f"and on {number}")
        again = restored(FileSessionManager("kept", folder), agent_id)
        assert difference(first.messages, again.messages) is None
        first = again
    team = FileSessionManager("kept", folder).read_multi_agent("kept", team_id(folder))
    assert team is not None
    assert team["completed_nodes"] == ["node"]


def team_id(folder: str) -> str:
    [found] = (Path(folder) / "session_kept" / "multi_agents").iterdir()
    return found.name.removeprefix("multi_agent_")


@pytest.mark.parametrize("release", RELEASES)
def test_a_session_of_a_release_goes_back(release: str, tmp_path: Path) -> None:
    folder = copied(release, tmp_path)
    first = restored(FileSessionManager("kept", folder), "window")
    first("and on")
    FileSessionManager("kept", folder).hand_back()
    theirs = restored(SdkFileSessionManager("kept", storage_dir=folder), "window")
    assert theirs.messages == first.messages
    given = restored(SdkFileSessionManager("kept", storage_dir=folder), "given")
    assert unnamed(given.messages) == unnamed(held(release, "given")["messages"])


# -- there and back ----------------------------------------------------------------------------------------


def test_the_sdk_goes_on_with_what_is_handed_back(place: Place) -> None:
    agent(place.sdks())("old 1")
    agent(place.ours())("new 1")
    place.ours().hand_back()
    old = agent(place.sdks())
    assert said(old) == ["old 1", "new 1"]
    old("old 2")
    assert said(agent(place.ours())) == ["old 1", "new 1", "old 2"]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_history_is_handed_back_as_memory_holds_it(place: Place, edit: Callable[[Agent], None]) -> None:
    first = agent(place.ours())
    for number in range(3):
        first(f"said {number}")
    edit(first)
    first("and on")
    place.ours().hand_back()
    assert agent(place.sdks()).messages == first.messages
    assert difference(first.messages, agent(place.ours()).messages) is None


def use(*ids: str) -> Any:
    return {"role": "assistant", "content": [{"toolUse": {"toolUseId": id, "name": "t", "input": {}}} for id in ids]}


def results(*ids: str) -> Any:
    found = [{"toolUseId": id, "status": "success", "content": [{"text": f"result of {id}"}]} for id in ids]
    return {"role": "user", "content": [{"toolResult": result} for result in found]}


BROKEN_PAIRS: dict[str, list[Any]] = {
    "a late result": [use("1"), text_message("meanwhile"), results("1")],
    "late results, one by one": [use("1", "2"), text_message("meanwhile"), results("1"), results("2")],
    "one is late, one is lost": [use("1", "2"), text_message("meanwhile"), results("2")],
    "results that nobody asked for": [results("1"), use("2"), results("2", "3")],
    "the other way round": [results("1"), use("1"), text_message("meanwhile")],
}


@pytest.mark.parametrize("broken", BROKEN_PAIRS.values(), ids=BROKEN_PAIRS.keys())
def test_tool_pairs_are_handed_back_as_a_restore_makes_them(place: Place, broken: list[Any]) -> None:
    first = agent(place.ours())
    first("said")
    first.messages += copy.deepcopy(broken)
    first._session_manager.sync_agent(first)  # type: ignore[union-attr]
    contents = [message["content"] for message in agent(place.ours()).messages]
    place.ours().hand_back()
    old = agent(place.sdks())
    assert [message["content"] for message in old.messages] == contents
    old("and on")
    assert [message["content"] for message in agent(place.ours()).messages] == [m["content"] for m in old.messages]


def test_what_a_longer_history_left_is_removed(tmp_path: Path) -> None:
    place = Place(str(tmp_path), on_s3=False)
    for number in range(5):
        agent(place.sdks())(f"old {number}")
    ours = place.ours()
    first = agent(ours)
    first("new")
    messages = tmp_path / "session_s" / "agents" / "agent_a" / "messages"
    (messages / "message_12.json").write_bytes((messages / "message_9.json").read_bytes())
    ours.hand_back()
    assert agent(place.sdks()).messages == first.messages


TEXT = st.text(max_size=12)
BLOCK = st.one_of(
    TEXT.map(lambda text: {"text": text}),
    st.binary(max_size=8).map(lambda data: {"image": {"format": "png", "source": {"bytes": data}}}),
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": st.lists(BLOCK, min_size=1, max_size=3)},
    optional={
        "tracking_id": st.uuids().map(str),
        "metadata": st.fixed_dictionaries({"custom": st.dictionaries(TEXT, st.integers() | TEXT, max_size=2)}),
    },
)
STATE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


class Files:
    """The SDK's layout of files, and a journal beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def sdks(self) -> Any:
        return SdkFileSessionManager("s", storage_dir=self.folder)

    def ours(self) -> Any:
        return FileSessionManager("s", storage_dir=self.folder)

    def go_over(self) -> None:
        self.ours().take_in()

    def come_back(self) -> None:
        self.ours().hand_back()


class Objects(Files):
    """The SDK's layout of objects, and a log of commits beside it."""

    def __init__(self, _: Path) -> None:
        self._s3: Any = Session(ListingClient(Bucket()))

    def sdks(self) -> Any:
        return SdkS3SessionManager("s", bucket="b", boto_session=self._s3)

    def ours(self) -> Any:
        return S3SessionManager("s", bucket="b", boto_session=self._s3)


class Snapshots(Files):
    """The SDK's snapshots, and a journal elsewhere."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "ours")
        self._storage = LocalFileStorage(str(folder / "theirs"))

    def sdks(self) -> Any:
        return SnapshotSessionManager("s", storage=self._storage)

    def go_over(self) -> None:
        import_snapshots(self.ours(), self._storage)

    def come_back(self) -> None:
        export_snapshots(self.ours(), self._storage)


@pytest.mark.parametrize("layout", [Files, Objects, Snapshots])
@given(
    histories=st.dictionaries(
        st.sampled_from(["a", "Bob", "\u2603"]), st.tuples(st.lists(MESSAGE, max_size=8), STATE), min_size=1, max_size=2
    ),
    window=st.integers(2, 6),
)
@settings(max_examples=int(os.environ.get("MIGRATED_SESSIONS", "5")), deadline=None)
def test_generated_sessions_come_back_equal(
    tmp_path_factory: pytest.TempPathFactory, layout: type[Files], histories: Any, window: int
) -> None:
    """From the SDK's layout to the reference manager, and to the SDK's again: each agent restores the same."""
    place = layout(tmp_path_factory.mktemp("generated"))

    def opened(manager: Any, agent_id: str, **arguments: Any) -> Agent:
        return Agent(
            model=made_agent(Path(), session_manager=None).model,
            agent_id=agent_id,
            session_manager=manager,
            conversation_manager=SlidingWindowConversationManager(window_size=window),
            callback_handler=None,
            **arguments,
        )

    def all_of(make: Callable[[], Any]) -> Any:
        manager = make()
        agents = [opened(manager, id) for id in histories]
        return [
            (one.agent_id, unnamed(one.messages), one.state.get(), one.conversation_manager.get_state())
            for one in agents
        ]

    theirs = place.sdks()
    for agent_id, (messages, state) in histories.items():
        one = opened(theirs, agent_id, messages=copy.deepcopy(messages), state={"state": copy.deepcopy(state)})
        one.conversation_manager.apply_management(one)
        theirs.sync_agent(one)
    at_first = all_of(place.sdks)
    if layout is not Snapshots:
        assert all_of(place.ours) == at_first, "a look"
    place.go_over()
    assert all_of(place.ours) == at_first, "gone over"
    ours = place.ours()
    for agent_id in histories:
        ours.sync_agent(opened(ours, agent_id))
    assert all_of(place.ours) == at_first, "and stored again"
    place.come_back()
    assert all_of(place.sdks) == at_first, "come back"
    assert all_of(place.ours) == at_first, "and on with it"


def test_voices_and_teams_go_over_to_snapshots_and_back(tmp_path: Path) -> None:
    place = Snapshots(tmp_path)
    ours = place.ours()
    voice = open_agent(tmp_path, manager=ours)
    asyncio.run(add(voice, text_message("one"), text_message("two", "assistant")))
    voice.state.set("key", [1, {"two": None}])
    ours.sync_agent(voice)
    team = SimpleNamespace(id="team", serialize_state=lambda: {"status": "executing", "completed_nodes": ["a"]})
    ours.create_multi_agent("s", team)
    ours.close()
    place.come_back()
    restored = open_agent(tmp_path, manager=place.sdks())
    assert (restored.messages, restored.state.get()) == (voice.messages, voice.state.get())

    other = Snapshots(tmp_path)
    other.folder = str(tmp_path / "elsewhere")
    other.go_over()
    again = open_agent(tmp_path, manager=other.ours())
    assert (again.messages, again.state.get()) == (voice.messages, voice.state.get())
    assert other.ours().read_multi_agent("s", "team") == team.serialize_state()
    other.go_over()
    assert open_agent(tmp_path, manager=other.ours()).messages == voice.messages, "and once more"
    asyncio.run(add(again, text_message("three")))
    with pytest.raises(SessionException, match="has messages in session 's' here that its snapshot has not"):
        other.go_over()


def test_an_import_of_snapshots_that_was_broken_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Snapshots(tmp_path)
    for id in ("a", "b"):
        agent(place.sdks(), id)("hello")
    step = 0
    while True:
        place.folder = str(tmp_path / f"ours {step}")
        ended = killed_at(step, monkeypatch, place.go_over)
        place.go_over()
        assert [said(agent(place.ours(), id)) for id in ("a", "b")] == [["hello"], ["hello"]], step
        if not ended:
            break
        step += 1
    assert step > 20


@pytest.mark.parametrize("named", [True, False])
def test_a_summary_goes_over_once(named: bool, tmp_path: Path) -> None:
    place = Snapshots(tmp_path)

    def opened(manager: Any) -> Agent:
        return made_agent(tmp_path, SummarizingConversationManager(), session_manager=manager)

    first = opened(place.sdks())
    texts = ["a summary of four", "and on", "and further"]
    first.messages.extend({"role": "user", "content": [{"text": text}]} for text in texts)
    if named:
        for number, message in enumerate(first.messages):
            message["tracking_id"] = f"id-{number}"
    first.conversation_manager.restore_from_session(
        {
            "__name__": "SummarizingConversationManager",
            "summary_message": first.messages[0],
            "removed_message_count": 4,
        }
    )
    place.sdks().sync_agent(first)
    place.go_over()
    assert said(over := opened(place.ours())) == texts
    assert over.conversation_manager.removed_message_count == 4
    place.come_back()
    assert said(opened(place.sdks())) == texts


def test_what_is_no_snapshot_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    place = Snapshots(tmp_path)
    with pytest.raises(SessionException, match="there are no snapshots of session 's'"):
        place.go_over()
    agent(place.sdks())("hello")
    agent(place.sdks(), "b")("hello")
    [stored] = tmp_path.glob("theirs/**/agent/b/**/snapshot_latest.json")
    whole = stored.read_bytes()
    changed = [{"state": []}, {"messages": ["hello"]}, {"conversation_manager_state": []}]
    changed += [{"interrupt_state": None}, {"messages": [{"role": "user", "content": None}]}]
    parsed = json.loads(whole)
    of_another_form = [json.dumps({**parsed, "data": {**parsed["data"], **change}}).encode() for change in changed]
    others = [whole[:-9], whole.replace(b'"1.0"', b'"2.0"'), b"[]", whole.replace(b'"messages"', b'"massages"')]
    for damaged in others + of_another_form:
        stored.write_bytes(damaged)
        with pytest.raises(SessionException, match=r"agent/b/snapshots/snapshot_latest\.json: it is no snapshot"):
            place.go_over()
        assert not place.ours().history().agents
    stored.write_bytes(whole)
    place.go_over()
    assert [said(agent(place.ours(), id)) for id in ("a", "b")] == [["hello"], ["hello"]]


# -- killed at every file operation ------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> bool:
    """Do something with a process that ends at its n-th operation on files; return whether it had that many."""
    left = step

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left <= 0:
                raise Killed
            left -= 1
            return call(*args, **kwargs)

        return operation

    with monkeypatch.context() as patched:
        for name in ("open", "mkdir", "rename", "replace", "unlink", "pwrite", "write", "fsync", "fdatasync", "chmod"):
            patched.setattr(os, name, counted(getattr(os, name)))
        try:
            do()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("what", ["import", "take over", "hand back"])
def test_killed_at_every_file_operation_it_goes_on_and_nothing_is_lost(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = 0
    while True:
        place = Place(str(tmp_path / str(step)), on_s3=False)
        agent(place.sdks())("old 1")
        expected = ["old 1"]
        if what != "import":
            agent(place.ours())("new 1")
            expected.append("new 1")
        if what == "take over":
            agent(place.sdks())("old 2")
            expected.append("old 2")

        def do(place: Place = place) -> None:
            manager = place.ours()
            if what == "hand back":
                manager.hand_back()
            else:
                one = agent(manager)
                one.state.set("step", 1)
                manager.sync_agent(one)

        killed = killed_at(step, monkeypatch, do)
        assert said(agent(place.ours())) == expected, f"killed at operation {step}"
        agent(place.ours())("and on")
        assert said(agent(place.ours())) == [*expected, "and on"], f"killed at operation {step}"
        if what == "hand back":
            place.ours().hand_back()
            assert said(agent(place.sdks())) == [*expected, "and on"]
        if not killed:
            break
        step += 1
    assert step > 5


def test_what_is_left_of_a_longer_history_is_removed_by_the_way_back(new_place: Any) -> None:
    """The SDK's manager would restore it behind what was handed back."""
    place = new_place()
    agent = open_agent(None, manager=place.ours())  # type: ignore[arg-type]
    asyncio.run(add(agent, text_message("and on")))
    manager: Any = agent._session_manager
    theirs, longer = manager._sdk_session("s"), "agents/agent_default/messages/message_9.json"
    theirs.write(longer, b"{}")
    manager.hand_back()
    assert longer not in theirs.paths()
    assert len(open_agent(None, manager=place.sdks()).messages) == 4  # type: ignore[arg-type]


def test_a_way_back_that_storage_refuses_is_told_as_every_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("one")))
    manager: Any = agent._session_manager

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(sdk_layout.os, "fsync", full)
        with pytest.raises(SessionException, match=r"cannot write .*message_0\.json: No space left"):
            manager.hand_back()
    assert not list((tmp_path / "session_s").rglob("*.tmp"))
    manager.hand_back()
    assert len(open_agent(tmp_path, manager=SdkFileSessionManager("s", str(tmp_path))).messages) == 1


def test_names_that_are_no_text_beside_the_sdks_files_hinder_no_import(tmp_path: Path) -> None:
    open_agent(tmp_path, manager=SdkFileSessionManager("s", str(tmp_path)), messages=[text_message("one")])
    try:
        os.mkdir(os.fsencode(tmp_path / "session_s") + b"/\xff")  # noqa: PTH102 - a name that is no text
    except OSError:
        pytest.skip("the file system takes texts only")
    agent = open_agent(tmp_path)
    asyncio.run(add(agent, text_message("two")))
    assert len(open_agent(tmp_path).messages) == 2


def test_what_an_agent_does_to_its_messages_is_not_what_is_stored_with_the_sdks(new_place: Any) -> None:
    """They are the agent's from the restore on, and whoever asks its manager reads them anew."""
    agent = open_agent(None, manager=new_place().ours())  # type: ignore[arg-type]
    agent.messages[0]["content"][0]["text"] = "edited in memory"
    [first, *_] = agent._session_manager.list_messages("s", agent.agent_id)  # type: ignore[union-attr]
    assert first.message["content"] == [{"text": "old 0"}]
