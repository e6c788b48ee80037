"""A restore brings back the history as it was in memory, whoever changed it there."""

import asyncio
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import ScriptedTextModel, Timeline
from session_conformance.harness.models import text_answer
from session_conformance.harness.timeline import difference
from session_conformance.reference_impl import FileSessionManager
from strands import Agent
from strands.agent.conversation_manager import (
    ConversationManager,
    NullConversationManager,
    SlidingWindowConversationManager,
    SummarizingConversationManager,
)
from strands.hooks import AfterInvocationEvent
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.types.exceptions import SessionException
from strands.types.session import SessionMessage

from tests.reference_impl.agents import open_agent, text_message


def agent(folder: Path, manager: ConversationManager | None = None, **arguments: Any) -> Agent:
    if "session_manager" not in arguments:
        arguments["session_manager"] = FileSessionManager("s", storage_dir=str(folder))
    return Agent(
        model=ScriptedTextModel(Timeline(), answer=lambda _: text_answer("yes")),
        agent_id="a",
        conversation_manager=manager,
        callback_handler=None,
        **arguments,
    )


def plain(text: str, role: str = "user") -> Any:
    """A message as releases of the SDK up to 1.46 stored them, and as applications write them by hand."""
    return {"role": role, "content": [{"text": text}]}


def turns(count: int) -> list[Any]:
    return [plain(f"{role} {turn}", role) for turn in range(count) for role in ("user", "assistant")]


# -- messages without tracking ids -------------------------------------------------------------------------


@pytest.mark.parametrize("restarts", [1, 3])
def test_given_messages_without_ids_survive_a_window(tmp_path: Path, restarts: int) -> None:
    first = agent(tmp_path, SlidingWindowConversationManager(window_size=6), messages=turns(4))
    first("new")
    for _ in range(restarts):
        second = agent(tmp_path, SlidingWindowConversationManager(window_size=6))
        assert difference(first.messages, second.messages) is None
        second("and on")
        first = second
    assert len(first.messages) == 6


def test_stored_messages_without_ids_survive_a_window(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    first = agent(tmp_path, SlidingWindowConversationManager(window_size=6), session_manager=manager)
    from strands.types.session import SessionMessage

    for number, message in enumerate(turns(10)):
        manager.create_message("s", "a", SessionMessage.from_message(message, number))
    del first
    for _ in range(3):
        second = agent(tmp_path, SlidingWindowConversationManager(window_size=6))
        second("new")
        assert len(second.messages) == 6
        third = agent(tmp_path, SlidingWindowConversationManager(window_size=6))
        assert difference(second.messages, third.messages) is None


def test_the_mark_that_earlier_releases_wrote_of_messages_without_ids_is_read_right(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    first = agent(tmp_path, SlidingWindowConversationManager(window_size=6), session_manager=manager)
    from strands.types.session import SessionMessage

    for number, message in enumerate(turns(5)):
        if number >= 8:
            message["tracking_id"] = f"named-{number}"
        manager.create_message("s", "a", SessionMessage.from_message(message, number))
    record = manager.read_agent("s", "a")
    assert record is not None
    record.conversation_manager_state["removed_message_count"] = 4
    record._internal_state["kept_messages"] = {"kept": [], "from": 8, "summary_at": 0}  # memory held 4 to 9
    manager.update_agent("s", record)
    del first
    restored = agent(tmp_path, SlidingWindowConversationManager(window_size=6))
    assert [message["content"] for message in restored.messages] == [message["content"] for message in turns(5)[4:]]


# -- histories that are changed ----------------------------------------------------------------------------


def cleared(one: Agent) -> None:
    one.messages.clear()


def replaced_by_a_list_of_its_own(one: Agent) -> None:
    one.messages = [plain("a new beginning"), plain("so be it", "assistant")]


def shortened_at_the_end(one: Agent) -> None:
    del one.messages[-2:]


def shortened_in_the_middle(one: Agent) -> None:
    del one.messages[2:4]


def edited_in_place(one: Agent) -> None:
    one.messages[1]["content"][0]["text"] = "no"


def edited_and_sent_anew(one: Agent) -> None:
    one.messages[2:] = [plain("what I meant to say")]


def given_an_example_at_the_start(one: Agent) -> None:
    one.messages[:0] = [plain("an example"), plain("of an answer", "assistant")]


def reordered(one: Agent) -> None:
    one.messages[:4] = [*one.messages[2:4], *one.messages[:2]]


EDITS: list[Callable[[Agent], None]] = [
    cleared,
    replaced_by_a_list_of_its_own,
    shortened_at_the_end,
    shortened_in_the_middle,
    edited_in_place,
    edited_and_sent_anew,
    given_an_example_at_the_start,
    reordered,
]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("restored", [False, True], ids=["as it ran", "after a restart"])
@pytest.mark.parametrize("window", [None, 4], ids=["no window", "a window"])
def test_a_history_that_was_edited_between_invocations(
    tmp_path: Path, edit: Callable[[Agent], None], restored: bool, window: int | None
) -> None:
    def managed() -> ConversationManager | None:
        return SlidingWindowConversationManager(window_size=window) if window else None

    first = agent(tmp_path, managed())
    for number in range(3):
        first(f"said {number}")
    if restored:
        first = agent(tmp_path, managed())
    edit(first)
    first("and on")
    assert difference(first.messages, agent(tmp_path, managed()).messages) is None
    again = agent(tmp_path, managed())
    again("once more")
    assert difference(again.messages, agent(tmp_path, managed()).messages) is None


def test_a_history_that_a_hook_edits_after_the_invocation(tmp_path: Path) -> None:
    first = agent(tmp_path)
    first.hooks.add_callback(AfterInvocationEvent, lambda event: event.agent.messages.pop())
    first("hello")
    assert difference(first.messages, agent(tmp_path).messages) is None


def test_a_history_that_is_edited_before_a_sync(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    first = agent(tmp_path, session_manager=manager)
    first("hello")
    first.messages.clear()
    manager.sync_agent(first)
    assert agent(tmp_path).messages == []


def test_a_snapshot_that_was_loaded_takes_turns_back(tmp_path: Path) -> None:
    first = agent(tmp_path)
    first("hello")
    snapshot = first.take_snapshot(preset="session")
    first("a wrong way")
    first.load_snapshot(snapshot)
    first("a better one")
    assert difference(first.messages, agent(tmp_path).messages) is None
    assert "a wrong way" not in str(agent(tmp_path).messages)


def test_what_another_agent_stored_is_not_taken_for_removed(tmp_path: Path) -> None:
    first, other = agent(tmp_path), agent(tmp_path)
    other("from the other")
    first("from the one")
    del first.messages[0]
    first("and on")
    restored = str(agent(tmp_path).messages)
    assert "from the other" in restored
    assert "from the one" not in restored


def test_a_voice_agents_history_that_was_shortened(tmp_path: Path) -> None:
    first = open_agent(tmp_path)

    async def talk() -> None:
        await first.start()
        await first.send("hello")
        await first.send("forget that")
        del first.messages[0]
        await first.stop()

    asyncio.run(talk())
    assert difference(first.messages, open_agent(tmp_path).messages) is None


def test_reading_marks_nothing(tmp_path: Path) -> None:
    """A history is the same in bytes after it was looked at, however often."""
    first = agent(tmp_path, SlidingWindowConversationManager(window_size=4))
    for number in range(4):
        first(f"said {number}")
    journal = tmp_path / "journal_s" / "journal"
    before = journal.read_bytes()
    for _ in range(3):
        agent(tmp_path, SlidingWindowConversationManager(window_size=4))
    assert journal.read_bytes() == before


# -- conversation managers and releases --------------------------------------------------------------------

MANAGERS: list[Callable[[], ConversationManager]] = [
    NullConversationManager,
    lambda: SlidingWindowConversationManager(window_size=4),
    SummarizingConversationManager,
]


@pytest.mark.parametrize("after", range(3))
@pytest.mark.parametrize("before", range(3))
def test_a_conversation_manager_of_another_class_goes_on_with_the_history(
    tmp_path: Path, before: int, after: int
) -> None:
    first = agent(tmp_path, MANAGERS[before]())
    for number in range(5):
        first(f"said {number}")
    second = agent(tmp_path, MANAGERS[after]())
    assert difference(first.messages, second.messages) is None
    second("and on")
    assert difference(second.messages, agent(tmp_path, MANAGERS[after]()).messages) is None


def test_a_summary_stays_when_the_conversation_manager_changes(tmp_path: Path) -> None:
    manager = SummarizingConversationManager(summary_ratio=0.5, preserve_recent_messages=2)
    first = agent(tmp_path, manager)
    for number in range(3):
        first(f"said {number}")
    manager.reduce_context(first)
    first("and on")
    assert difference(first.messages, agent(tmp_path, SummarizingConversationManager()).messages) is None
    second = agent(tmp_path, NullConversationManager())
    assert difference(first.messages, second.messages) is None
    second("further")
    assert difference(second.messages, agent(tmp_path, NullConversationManager()).messages) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.conversation_manager_state.pop("removed_message_count"),
        lambda record: record._internal_state.update(interrupt_state={"unheard": "of"}),
    ],
    ids=["conversation manager", "interrupts"],
)
def test_the_record_of_another_release_is_an_error_that_names_both(
    tmp_path: Path, spoil: Callable[[Any], None]
) -> None:
    agent(tmp_path)("hello")
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    record = manager.read_agent("s", "a")
    assert record is not None
    whole = copy.deepcopy(record)
    record._internal_state["strands_agents"] = "9.9.9"
    spoil(record)
    manager.update_agent("s", record)
    for _ in range(2):
        with pytest.raises(SessionException, match=r"strands-agents 9\.9\.9 .* strands-agents 1\."):
            agent(tmp_path)
    manager.update_agent("s", whole)
    assert len(agent(tmp_path).messages) == 2


def test_text_goes_on_where_voice_was(tmp_path: Path) -> None:
    voice = open_agent(tmp_path, agent_id="a")

    async def talk() -> None:
        await voice.start()
        await voice.send("hello")
        await voice.stop()

    asyncio.run(talk())
    text = agent(tmp_path)
    assert difference(voice.messages, text.messages) is None
    text("and on")
    assert difference(text.messages, agent(tmp_path).messages) is None


def test_a_message_without_an_id_that_was_given_twice_is_redacted_in_each_copy(tmp_path: Path) -> None:
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    secret = plain("secret")
    first = agent(tmp_path, session_manager=manager, messages=[secret, secret])
    secret["content"] = [{"text": "[redacted]"}]
    manager.redact_latest_message(first.messages[-1], first)
    assert [message["content"][0]["text"] for message in agent(tmp_path).messages] == ["[redacted]"] * 2
    assert b"secret" not in (tmp_path / "journal_s" / "journal").read_bytes()


@pytest.mark.parametrize("keeps_id", [True, False])
@pytest.mark.parametrize("another", [True, False], ids=["another manager", "the same manager"])
def test_a_redaction_by_number_is_not_undone_by_the_running_agent(
    tmp_path: Path, keeps_id: bool, another: bool
) -> None:
    from strands.types.session import SessionMessage

    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    voice = open_agent(tmp_path, manager=manager, agent_id="a")
    secret = text_message("secret")

    async def redact() -> None:
        await voice.start()
        await voice._append_messages(text_message("hello"), secret)
        by = FileSessionManager("s", storage_dir=str(tmp_path)) if another else manager
        redacted = {**plain("[redacted]"), **({"tracking_id": secret["tracking_id"]} if keeps_id else {})}
        by.update_message("s", "a", SessionMessage(copy.deepcopy(secret), 1, redacted))
        voice.state.set("turn", 1)
        await voice.stop()

    asyncio.run(redact())
    assert [m["content"][0]["text"] for m in open_agent(tmp_path, agent_id="a").messages] == ["hello", "[redacted]"]
    assert b"secret" not in (tmp_path / "journal_s" / "journal").read_bytes()


# -- one after the other -----------------------------------------------------------------------------------


def in_turn(folder: Path, make: Callable[[], ConversationManager | None], *steps: str) -> tuple[list[Any], list[Any]]:
    """Do several things to an agent's history; return it as memory has it, and as a restore does."""
    one, snapshot = agent(folder, make()), None
    for number, step in enumerate(steps):
        manager: Any = one._session_manager
        if step == "say":
            one(f"said {number}")
        elif step == "take a snapshot":
            snapshot = one.take_snapshot(preset="session")
        elif step == "load it":
            one.load_snapshot(snapshot)  # type: ignore[arg-type]
        elif step == "clear":
            one.messages.clear()
        elif step == "add":
            one.messages.append(plain(f"added {number}"))
        elif step == "summarise":
            one.conversation_manager.reduce_context(one)
        elif step == "restart":
            one = agent(folder, make())
        elif step == "redact":
            one.messages[-1]["content"] = [{"text": f"[redacted {number}]"}]
            manager.redact_latest_message(one.messages[-1], one)
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    return one.messages, agent(folder, make()).messages


def window() -> ConversationManager:
    return SlidingWindowConversationManager(window_size=4)


def summary() -> ConversationManager:
    return SummarizingConversationManager(summary_ratio=0.5, preserve_recent_messages=2)


@pytest.mark.parametrize(
    ("make", "steps"),
    [
        (window, ["say", "say", "take a snapshot", "say", "load it", "say", "say"]),
        (summary, ["say", "say", "summarise", "clear", "say"]),
        (lambda: None, ["say", "restart", "clear"]),
        (lambda: None, ["say", "take a snapshot", "say", "load it", "redact", "say"]),
        (lambda: None, ["say", "add", "redact", "say"]),
    ],
    ids=["set back and trimmed", "summary cleared", "cleared at once", "set back and redacted", "added and redacted"],
)
def test_what_is_done_to_a_history_in_turn_is_restored(
    make: Callable[[], ConversationManager | None], steps: list[str], tmp_path: Path
) -> None:
    held, restored = in_turn(tmp_path, make, *steps)
    assert difference(held, restored) is None
    FileSessionManager("s", storage_dir=str(tmp_path)).hand_back()
    sdks = agent(tmp_path, make(), session_manager=SdkFileSessionManager("s", storage_dir=str(tmp_path)))
    assert difference(held, sdks.messages) is None, "handed back"


def test_what_a_snapshot_brings_back_is_not_stored_a_second_time(tmp_path: Path) -> None:
    in_turn(tmp_path, window, "say", "say", "take a snapshot", "say", "load it", "say")
    manager = FileSessionManager("s", storage_dir=str(tmp_path))
    assert len(manager.list_messages("s", "a")) == 2 * 4


def copied(one: Agent) -> None:
    one.messages.append(copy.deepcopy(one.messages[0]))


def copied_and_gone_on_from(one: Agent) -> None:
    copied(one)
    one.messages.append(plain("and on"))


def copied_twice(one: Agent) -> None:
    one.messages += [one.messages[1], one.messages[1]]


def edited_and_copied(one: Agent) -> None:
    one.messages[0]["content"] = [{"text": "edited"}]
    copied(one)


@pytest.mark.parametrize("change", [copied, copied_and_gone_on_from, copied_twice, edited_and_copied])
@pytest.mark.parametrize("goes_on", [False, True])
def test_copies_that_an_application_adds_are_restored(
    tmp_path: Path, change: Callable[[Agent], None], goes_on: bool
) -> None:
    one = agent(tmp_path)
    one("hello")
    change(one)
    if goes_on:
        one("and what now?")
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    assert not difference(one.messages, agent(tmp_path).messages)


def test_copies_that_leave_memory_one_by_one_stay_away(tmp_path: Path) -> None:
    one = agent(tmp_path)
    one("hello")
    copied(one)
    one._session_manager.append_message(one.messages[-1], one)  # type: ignore[union-attr]
    for _ in range(2):
        one("and on")
        one.messages.remove(next(message for message in one.messages if message["content"] == [{"text": "hello"}]))
        one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    assert not difference(one.messages, agent(tmp_path).messages)


# -- copies under one tracking id, with texts of their own -----------------------------------------------------


def copy_edited(one: Agent) -> None:
    one.messages.append({**copy.deepcopy(one.messages[0]), "content": [{"text": "another"}]})


def first_edited(one: Agent) -> None:
    copied(one)
    one.messages[0]["content"] = [{"text": "another"}]


def copy_put_ahead(one: Agent) -> None:
    one.messages.insert(0, {**copy.deepcopy(one.messages[1]), "content": [{"text": "another"}]})


def both_edited(one: Agent) -> None:
    copied(one)
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    for number in (0, -1):
        one.messages[number]["content"] = [{"text": f"another {number}"}]


def turned_round(one: Agent) -> None:
    copy_edited(one)
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    one.messages.reverse()


def one_of_three_left(one: Agent) -> None:
    copy_edited(one)
    copied(one)
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    del one.messages[0]


def all_left_and_two_came_back(one: Agent) -> None:
    copy_edited(one)
    copied(one)
    held = list(one.messages)
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    one.messages[:] = held[:1]
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    one.messages[:] = [held[0], held[2]]


OF_COPIES = [
    copy_edited,
    first_edited,
    copy_put_ahead,
    both_edited,
    turned_round,
    one_of_three_left,
    all_left_and_two_came_back,
]


@pytest.mark.parametrize("change", OF_COPIES)
@pytest.mark.parametrize("goes_on", [False, True])
def test_copies_with_texts_of_their_own_are_restored(
    tmp_path: Path, change: Callable[[Agent], None], goes_on: bool
) -> None:
    one = agent(tmp_path)
    one("hello")
    change(one)
    if goes_on:
        one("and what now?")
    for _ in range(2):
        one._session_manager.sync_agent(one)  # type: ignore[union-attr]
        again = agent(tmp_path)
        assert not difference(one.messages, again.messages)
        one = again


@pytest.mark.parametrize("change", OF_COPIES)
def test_copies_that_are_stored_are_not_stored_again(tmp_path: Path, change: Callable[[Agent], None]) -> None:
    one, journal = agent(tmp_path), tmp_path / "journal_s" / "journal"
    one("hello")
    change(one)
    for _ in range(2):  # then the ids of all of them are known
        one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    stored = journal.read_bytes()
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    assert journal.read_bytes() == stored
    agent(tmp_path)._session_manager.sync_agent(agent(tmp_path))  # type: ignore[union-attr]
    assert journal.read_bytes() == stored


@pytest.mark.parametrize("told", [False, True])
def test_an_edit_of_one_copy_leaves_the_other(tmp_path: Path, told: bool) -> None:
    one = agent(tmp_path)
    one("hello")
    copy_edited(one)
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    one.messages[-1]["content"] = [{"text": "a third"}]
    if told:
        one._session_manager.append_message(one.messages[-1], one)  # type: ignore[union-attr]
    else:
        one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    assert not difference(one.messages, agent(tmp_path).messages)


def test_a_copy_of_a_redacted_message_is_not_stored_as_it_was(tmp_path: Path) -> None:
    one = agent(tmp_path)
    one("secret")
    copy_edited(one)
    manager: Any = one._session_manager
    manager.sync_agent(one)
    by = FileSessionManager("s", storage_dir=str(tmp_path))
    redacted = {**plain("[redacted]"), "tracking_id": one.messages[0]["tracking_id"]}
    by.update_message("s", "a", SessionMessage(copy.deepcopy(one.messages[0]), 0, redacted))
    one.messages[-1]["content"] = [{"text": "secret, once more"}]
    manager.sync_agent(one)
    stored = (tmp_path / "journal_s" / "journal").read_bytes()
    assert b"secret" not in stored
    assert b"another" not in stored
    assert [m["content"][0]["text"] for m in agent(tmp_path).messages] == ["[redacted]", "yes", "[redacted]"]


def test_copies_edited_while_one_waits_to_be_stored_are_stored_with_the_next_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = agent(tmp_path)
    one("hello")
    copied(one)
    manager: Any = one._session_manager
    with monkeypatch.context() as failing:
        failing.setattr("os.pwrite", refuse)
        failing.setattr("os.pwritev", refuse)
        failing.setattr("os.write", refuse)
        with pytest.raises(SessionException):
            manager.sync_agent(one)
        one.messages[0]["content"] = [{"text": "another"}]
        with pytest.raises(SessionException):
            manager.sync_agent(one)
    manager.sync_agent(one)
    manager.sync_agent(one)
    assert not difference(one.messages, agent(tmp_path).messages)


@pytest.mark.parametrize("number", [2, -1], ids=["copy", "summary"])
def test_copies_of_a_summary_are_restored(tmp_path: Path, number: int) -> None:
    """The conversation manager stores the summary itself, and no copy of it."""
    one = agent(tmp_path, summary())
    for turn in range(3):
        one(f"turn {turn}")
    one.conversation_manager.reduce_context(one)
    copied(one)
    one("and on")
    one.messages.reverse()
    for edit in range(2):
        one.messages[number]["content"] = [{"text": f"edited {edit}"}]
        one._session_manager.sync_agent(one)  # type: ignore[union-attr]
        one._session_manager.sync_agent(one)  # type: ignore[union-attr]
        assert not difference(one.messages, again := agent(tmp_path, summary()).messages), again
    assert len(FileSessionManager("s", storage_dir=str(tmp_path)).list_messages("s", "a")) == 6 + 2 + 1


def test_a_summary_that_was_edited_after_a_snapshot_was_loaded_is_restored(tmp_path: Path) -> None:
    """What is loaded is a copy of what the conversation manager has, and stores."""
    one = agent(tmp_path, summary())
    for turn in range(3):
        one(f"turn {turn}")
    one.conversation_manager.reduce_context(one)
    one.load_snapshot(one.take_snapshot(preset="session"))
    one.messages[0]["content"] = [{"text": "edited"}]
    for _ in range(2):
        one("and on")
        again = agent(tmp_path, summary())
        assert not difference(one.messages, again.messages)
        assert again.messages[0]["content"] == [{"text": "edited"}]
        one = again


def test_what_models_do_not_take_stays_away_however_the_history_is_turned(tmp_path: Path) -> None:
    """Its use said that the tool was interrupted, to the model as well."""
    use = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "1", "name": "look", "input": {}}}]}
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "status": "success", "content": []}}]}
    agent(tmp_path, messages=[result, use, plain("well?"), plain("no", "assistant")])
    one = agent(tmp_path)
    one.messages[-2:] = one.messages[:-3:-1]
    one._session_manager.sync_agent(one)  # type: ignore[union-attr]
    again = agent(tmp_path)
    assert [m["content"] for m in again.messages] == [m["content"] for m in one.messages]
    assert "interrupted" in str(one.messages)
    assert result["content"] in [m.message["content"] for m in again._session_manager.list_messages("s", "a")]  # type: ignore[union-attr]


def test_a_result_that_was_moved_to_its_use_is_moved_again(tmp_path: Path) -> None:
    use = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "1", "name": "look", "input": {}}}]}
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "status": "success", "content": []}}]}
    agent(tmp_path, messages=[use, plain("well?"), result, plain("no", "assistant")])
    for number in range(2):
        one = agent(tmp_path)
        one(f"and on {number}")
        assert result["content"] in [m["content"] for m in agent(tmp_path).messages]


def refuse(*_: Any) -> Any:
    raise OSError(28, "No space left on device")
