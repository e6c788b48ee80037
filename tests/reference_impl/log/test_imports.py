"""Imports beside others: at each step of one something else happens, and nothing is lost, doubled or leaked."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager, file_session_manager
from session_conformance.reference_impl.file import posix
from session_conformance.reference_impl.log import sdk_layout
from session_conformance.reference_impl.log.session_store import SessionStore
from session_conformance.reference_impl.s3 import life
from session_conformance.reference_impl.s3.deletion import delete
from session_conformance.reference_impl.s3.objects import S3Objects
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.session import S3SessionManager as SdkS3SessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message
from tests.reference_impl.s3.memory_s3 import Bucket, Session

from .test_migration import Killed, ListingClient

OLD = [f"old {number}" for number in range(3)]
SECRET = b"old "

_CALLS = ("open", "mkdir", "rename", "replace", "unlink", "rmdir", "pwrite", "fsync", "fdatasync", "walk", "scandir")


class Blocked(BaseException):
    """Whoever is to do something at this step would wait for a lock of whoever is watched."""


class Steps:
    """Counts the operations of whoever is watched, does something before one of them, and ends them at another."""

    def __init__(self, at: int, do: Callable[[], object], *, killed_at: int | None = None) -> None:
        self.count, self._at, self._do, self._killed_at = 0, at, do, killed_at
        self.is_blocked = False
        self._lock = threading.Lock()
        self.is_doing = False
        self._failures: list[BaseException] = []

    def step(self) -> None:
        if self.is_doing:
            return
        with self._lock:
            self.count += 1
            is_due, is_killed = self.count - 1 == self._at, self._killed_at is not None and self.count > self._killed_at
        if is_killed:
            raise Killed
        if is_due:
            thread = threading.Thread(target=self._work)  # an event loop may be running in this one
            thread.start()
            thread.join()
            if self._failures:
                raise self._failures[0]

    def _work(self) -> None:
        self.is_doing = True
        try:
            self._do()
        except Blocked:
            self.is_blocked = True
        except BaseException as failure:
            self._failures.append(failure)
        finally:
            self.is_doing = False

    @property
    def is_done(self) -> bool:
        return self.count > self._at


class OnFiles:
    """The SDK's files and ours, in one folder."""

    def __init__(self, folder: Path, _: pytest.MonkeyPatch) -> None:
        self._folder = folder

    def sdks(self) -> Any:
        return SdkFileSessionManager("s", storage_dir=str(self._folder))

    def ours(self) -> Any:
        return FileSessionManager("s", storage_dir=str(self._folder))

    def delete(self) -> None:
        file_session_manager.delete_session("s", str(self._folder))

    def clean_up(self) -> list[str]:
        later = datetime.now(timezone.utc) + timedelta(days=30)
        return FileSessionManager.clean_up(timedelta(days=1), str(self._folder), now=later)

    def holding(self, text: bytes) -> list[str]:
        return [str(path) for path in self._folder.rglob("*") if path.is_file() and text in path.read_bytes()]

    @contextlib.contextmanager
    def watched(self, steps: Steps) -> Iterator[None]:
        """Have the file operations of the caller counted."""
        with pytest.MonkeyPatch.context() as patched:

            def counted(call: Callable[..., Any]) -> Callable[..., Any]:
                return lambda *given, **more: (steps.step(), call(*given, **more))[1]

            for name in _CALLS:
                patched.setattr(os, name, counted(getattr(os, name)))
            flock = posix.fcntl.flock

            def locked(descriptor: int, operation: int) -> None:
                try:
                    flock(descriptor, operation | posix.fcntl.LOCK_NB if steps.is_doing else operation)
                except BlockingIOError:
                    if operation & posix.fcntl.LOCK_NB:
                        raise
                    raise Blocked from None

            patched.setattr(posix.fcntl, "flock", locked)
            patched.setattr(sdk_layout.SdkFolder, "_bytes", counted(sdk_layout.SdkFolder._bytes))
            yield


class OnS3(OnFiles):
    """The SDK's objects and ours, in one bucket in memory."""

    def __init__(self, _: Path, __: pytest.MonkeyPatch) -> None:
        self._bucket = Bucket()
        self._steps: Steps | None = None

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        if self._steps is not None:
            self._steps.step()
        yield

    def _s3(self) -> Any:
        return Session(ListingClient(self._bucket, self._step))

    def sdks(self) -> Any:
        return SdkS3SessionManager("s", bucket="b", boto_session=self._s3())

    def ours(self) -> Any:
        return S3SessionManager("s", bucket="b", boto_session=self._s3())

    def delete(self) -> None:
        delete(S3Objects(self._s3().made, "b", "s"), "journal_s/", "session_s/", "s")

    def clean_up(self) -> list[str]:
        later = datetime.now(timezone.utc) + timedelta(days=30)
        return S3SessionManager.clean_up(timedelta(days=1), "b", boto_session=self._s3(), now=later)

    def holding(self, text: bytes) -> list[str]:
        return self._bucket.holding(text)

    @contextlib.contextmanager
    def watched(self, steps: Steps) -> Iterator[None]:
        self._steps = steps
        try:
            yield
        finally:
            self._steps = None


@pytest.fixture(params=[OnFiles, OnS3])
def new_place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], OnFiles]:
    """Return what makes places, each with a session of the SDK's manager."""
    count = iter(range(10_000))

    def make() -> OnFiles:
        place: OnFiles = request.param(tmp_path / str(next(count)), monkeypatch)
        messages = [text_message(text) for text in OLD]
        open_agent(None, manager=place.sdks(), messages=messages)  # type: ignore[arg-type]
        return place

    return make


def opened(place: OnFiles, agent_id: str = "default") -> Any:
    return open_agent(None, manager=place.ours(), agent_id=agent_id)  # type: ignore[arg-type]


def say(agent: Any, text: str) -> None:
    asyncio.run(add(agent, text_message(text)))


def texts(agent: Any) -> list[str]:
    return [block["text"] for message in agent.messages for block in message["content"]]


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
