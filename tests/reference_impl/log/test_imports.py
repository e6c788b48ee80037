"""Imports beside others: at each step of one something else happens, and nothing is lost, doubled or leaked."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from session_conformance.reference_impl.log.sdk_layout import SdkFolder
from session_conformance.reference_impl.log.session_store import SessionStore
from session_conformance.reference_impl.s3 import life
from session_conformance.reference_impl.s3.sdk_objects import SdkObjects
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import open_agent

from .import_places import OLD, OnFiles, Steps, opened, say, texts
from .test_migration import Killed

SECRET = b"old "


def imports_with(
    do: Callable[[OnFiles], object], new_place: Callable[[], OnFiles], *, killed_after: int | None = None
) -> Iterator[tuple[OnFiles, Any, str]]:
    """Import a session as often as that has steps, and do something else at another one of them each time.

    Args:
        do: What is done, before the step.
        new_place: Makes places with a session to import.
        killed_after: After how many steps more whoever imports is killed, if at all.

    Yields:
        The place, the agent that said "new" and so had the session imported, and which step it was.
    """
    at = 0
    while True:
        place = new_place()
        killed_at = None if killed_after is None else at + killed_after
        agent, steps = opened(place), Steps(at, partial(do, place), killed_at=killed_at)
        with place.watched(steps), contextlib.suppress(SessionException, Killed):
            say(agent, "new")
        if not steps.is_done:
            break
        yield place, agent, f"at step {at}"
        at += 1
    assert at > 5, "an import has more steps"


@pytest.mark.parametrize("anew", ["", "ours", "sdks"])
def test_a_deletion_at_each_step_of_an_import(new_place: Callable[[], OnFiles], anew: str) -> None:
    """Whoever imports finds the session deleted, or is deleted with it: nothing comes back."""

    def remove(place: OnFiles) -> None:
        place.delete()
        if anew:
            say(open_agent(None, manager=getattr(place, anew)()), "begun anew")  # type: ignore[arg-type]

    for place, agent, when in imports_with(remove, new_place):
        assert place.holding(SECRET) == [], when
        with pytest.raises(SessionException):
            say(agent, "later")
        assert place.holding(SECRET) == [], when
        assert texts(opened(place)) == ["begun anew"] * bool(anew), when


def test_an_import_at_each_step_of_a_deletion(new_place: Callable[[], OnFiles]) -> None:
    at = 0
    while True:
        place = new_place()
        agent = opened(place)

        def speak(place: OnFiles = place, agent: Any = agent) -> None:
            with contextlib.suppress(SessionException):
                say(agent, "new")

        steps = Steps(at, speak)
        with place.watched(steps):
            place.delete()
        if not steps.is_done:
            break
        assert place.holding(SECRET) == [], f"imported at step {at}"
        with pytest.raises(SessionException):
            say(agent, "later")
        assert place.holding(SECRET) == [], f"imported at step {at}"
        assert texts(opened(place)) == [], f"imported at step {at}"
        at += 1
    assert at > 5


@pytest.mark.parametrize("killed_after", [1, 2, 6])
def test_an_import_that_is_killed_beside_a_deletion(new_place: Callable[[], OnFiles], killed_after: int) -> None:
    """Nothing is left by whoever is killed soon after a deletion."""
    for place, _, when in imports_with(lambda place: place.delete(), new_place, killed_after=killed_after):
        assert place.holding(SECRET) == [], when
        assert texts(opened(place)) == [], when


def test_an_import_that_was_killed_goes_on_or_is_deleted(new_place: Callable[[], OnFiles]) -> None:
    at = 0
    while True:
        place, deleted = new_place(), new_place()
        for one in (place, deleted):
            agent, steps = opened(one), Steps(-1, lambda: None, killed_at=at)
            with one.watched(steps), contextlib.suppress(Killed):
                say(agent, "new")
        before = place.holding(SECRET)
        found = texts(opened(place))
        assert found[:3] == OLD, f"killed at step {at}"
        assert place.holding(SECRET) == before, f"killed at step {at}: a look imports nothing"
        say(opened(place, "another"), "and on")
        assert texts(opened(place)) == found, f"killed at step {at}"
        assert texts(opened(place, "another")) == ["and on"], f"killed at step {at}"
        deleted.delete()
        assert deleted.holding(SECRET) == [], f"killed at step {at}"
        assert texts(opened(deleted)) == [], f"killed at step {at}"
        if steps.count <= at:
            break
        at += 1
    assert at > 5


@pytest.mark.parametrize("looked", [False, True])
def test_what_is_gone_before_it_is_taken_in_is_not_begun(new_place: Callable[[], OnFiles], looked: bool) -> None:
    place = new_place()
    manager = place.ours() if looked else None
    place.delete()
    manager = manager or place.ours()
    with pytest.raises(SessionException, match=r"does not exist|was deleted"):
        manager.take_in()
    manager.close()
    assert place.holding(b"") == []


def test_two_imports_at_once(new_place: Callable[[], OnFiles]) -> None:
    """Each message is there once, and what the one stored behind it is not set back by the other."""
    at = 0
    while True:
        place = new_place()

        def speak(place: OnFiles = place) -> None:
            agent = opened(place)
            agent.state.set("set by", "two")
            say(agent, "two")
            agent._session_manager.sync_agent(agent)
            last = {**agent.messages[0], "content": [{"text": "[redacted]"}]}
            agent._session_manager.redact_latest_message(last, agent)

        steps = Steps(at, speak)
        with place.watched(steps):
            say(opened(place, "another"), "one")
        if not steps.is_done:
            break
        at += 1
        if steps.is_blocked:
            continue
        found = opened(place)
        assert texts(found) == ["[redacted]", *OLD[1:], "[redacted]"], f"at step {at}"
        assert found.state.get("set by") == "two", f"at step {at}"
        assert texts(opened(place, "another")) == ["one"], f"at step {at}"
        assert [key for key in place.holding(b"old 0") if "journal_" in key] == [], f"at step {at}"
    assert at > 10


def test_a_redaction_by_the_sdk_at_each_step_of_an_import(new_place: Callable[[], OnFiles]) -> None:
    def redact(place: OnFiles) -> None:
        theirs = place.sdks()
        first = theirs.read_message("s", "default", 0)
        first.redact_message = {**first.message, "content": [{"text": "[redacted]"}]}
        theirs.update_message("s", "default", first)

    for place, _, when in imports_with(redact, new_place):
        assert texts(opened(place)) == ["[redacted]", *OLD[1:], "new"], when
        assert [key for key in place.holding(b"old 0") if "journal_" in key] == [], when


def test_a_deletion_by_the_sdk_at_each_step_of_an_import(new_place: Callable[[], OnFiles]) -> None:
    """The SDK's manager knows nothing of what was imported before. What was not is not there any more."""
    for place, _, when in imports_with(lambda place: place.sdks().delete_session("s"), new_place):
        found = texts(opened(place))
        assert found in ([], [*OLD, "new"]), when
        assert bool(place.holding(SECRET)) == bool(found), when


def test_a_clean_up_at_each_step_of_an_import(
    new_place: Callable[[], OnFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "SURE", 0)  # a month goes by at that step
    for place, _, when in imports_with(lambda place: place.clean_up(), new_place):
        found = texts(opened(place))
        assert found in ([], OLD, [*OLD, "new"]), when
        assert bool(place.holding(SECRET)) == bool(found), when


def test_what_was_said_while_an_import_failed_is_stored_with_what_follows(
    new_place: Callable[[], OnFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = new_place()
    agent = opened(place)
    with monkeypatch.context() as patched:
        patched.setattr(SessionStore, "create", lambda *_: (_ for _ in ()).throw(SessionException("full")))
        for text in ("one", "two"):
            with pytest.raises(SessionException, match="full"):
                say(agent, text)
        with pytest.raises(SessionException, match="full"):
            agent._session_manager.sync_agent(agent)
    say(agent, "three")
    assert texts(opened(place)) == [*OLD, "one", "two", "three"]
    say(agent, "four")
    agent._session_manager.sync_agent(agent)
    assert texts(opened(place)) == [*OLD, "one", "two", "three", "four"]


def go_on_elsewhere(place: OnFiles) -> None:
    """Have another of ours import the session, and then the SDK's manager go on in it, and redact."""
    ours = opened(place)
    say(ours, "of another")
    theirs = place.sdks()
    agent = open_agent(None, manager=theirs)  # type: ignore[arg-type]
    say(agent, "of the SDK's")
    first = theirs.read_message("s", "default", 0)
    first.redact_message = {**first.message, "content": [{"text": "[redacted]"}]}
    theirs.update_message("s", "default", first)


def test_others_import_and_go_on_at_each_step_of_a_look(new_place: Callable[[], OnFiles]) -> None:
    """What memory lets go of then is what was meant, though what was looked at had other ids than what is stored."""
    at = 0
    while True:
        place = new_place()
        steps = Steps(at, partial(go_on_elsewhere, place))
        with place.watched(steps):
            agent = opened(place)
        if not steps.is_done:
            break
        at += 1
        if steps.is_blocked:
            continue
        assert texts(agent)[-1] == "of another"
        del agent.messages[-1]
        agent._session_manager.sync_agent(agent)
        assert texts(opened(place)) == ["[redacted]", *OLD[1:], "of the SDK's"], f"at step {at}"
        assert [key for key in place.holding(b"old 0") if "journal_" in key] == [], f"at step {at}"
    assert at > 5


def test_a_redaction_by_the_sdk_after_others_imported(new_place: Callable[[], OnFiles]) -> None:
    place = new_place()
    agent = opened(place)
    go_on_elsewhere(place)
    say(agent, "new")
    assert texts(opened(place)) == ["[redacted]", *OLD[1:], "of another", "of the SDK's", "new"]
    assert [key for key in place.holding(b"old 0") if "journal_" in key] == []


def reading(monkeypatch: pytest.MonkeyPatch, read: Callable[[str], None]) -> None:
    """Have what the SDK's manager keeps be read through a function that is told of each path."""
    for kind in (SdkFolder, SdkObjects):
        whole = kind.read

        def told(self: Any, paths: Any, whole: Any = whole) -> Any:
            for path in paths:
                read(path)
            return whole(self, paths)

        monkeypatch.setattr(kind, "read", told)


def test_messages_of_this_moment_are_read_once_with_the_first_change(
    new_place: Callable[[], OnFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can say whether files that were just written have changed since; they were read twice for that."""
    agent, read = opened(new_place()), Counter[str]()
    reading(monkeypatch, lambda path: read.update([path]))
    say(agent, "new")
    assert {path: count for path, count in read.items() if "message" in path and count != 1} == {}
    assert sum("message_" in path for path in read) == len(OLD)


def test_an_import_that_cannot_be_read_is_made_with_the_next_change(
    new_place: Callable[[], OnFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = new_place()
    agent = opened(place)

    def fails(path: str) -> None:
        if "message_" in path:
            raise SessionException("cannot import it: Input/output error")

    with monkeypatch.context() as failing:
        reading(failing, fails)
        with pytest.raises(SessionException, match="Input/output"):
            say(agent, "new 1")
    say(agent, "new 2")
    assert texts(opened(place)) == [*OLD, "new 1", "new 2"]
