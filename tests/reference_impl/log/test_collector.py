"""The collector of garbage, which rests while a history is read: nothing leaves it at rest for good."""

from __future__ import annotations

import gc
import linecache
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from session_conformance.reference_impl.log import collector
from session_conformance.reference_impl.log.collector import collector_at_rest


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(collector._Readers, "others_freeze", False)
    was_enabled = gc.isenabled()
    gc.enable()
    yield
    if not was_enabled:
        gc.disable()


class _Signal(Exception):
    pass


def _is_letting_go(frame: FrameType) -> bool:
    """Whether a line is the end of a ``with`` that still holds the lock: no handler of a signal runs there."""
    lock: Any = collector._Readers.lock
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    return bool(lock._is_owned()) and line.lstrip().startswith("with ")


def _read_with_a_signal(at_line: int) -> bool:
    """Read, with an exception from the handler of a signal at a line of the module; return whether that was reached."""
    lines = iter(range(at_line + 1))

    def handler(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != collector.__file__:
            return None
        if event == "line" and not _is_letting_go(frame) and next(lines, None) == at_line:
            raise _Signal
        return handler

    before = sys.gettrace()
    sys.settrace(handler)
    try:
        with collector_at_rest():
            pass
    except _Signal:
        return True
    finally:
        sys.settrace(before)
    return False


def test_a_signal_at_any_line_leaves_the_collector_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "MANY", 0)
    at_line, frozen = 0, gc.get_freeze_count()  # Python 3.12 has frozen some itself
    while _read_with_a_signal(at_line):
        assert gc.isenabled(), at_line
        with collector_at_rest():
            assert not gc.isenabled(), at_line
        assert gc.isenabled(), f"after the reader that followed a signal at line {at_line}"
        assert gc.get_freeze_count() <= frozen, f"something stays frozen after a signal at line {at_line}"
        at_line += 1
    assert at_line > 10


def test_it_is_at_work_again_when_the_last_reader_ends_and_only_where_it_was_before() -> None:
    first_ends, second_reads = threading.Event(), threading.Event()

    def second() -> None:
        with collector_at_rest():
            second_reads.set()
            assert first_ends.wait(30)
            still_at_rest.append(not gc.isenabled())

    still_at_rest: list[bool] = []
    with collector_at_rest():
        thread = threading.Thread(target=second)
        thread.start()
        assert second_reads.wait(30)
    first_ends.set()
    thread.join(30)
    assert still_at_rest == [True]
    assert gc.isenabled()

    gc.disable()
    with collector_at_rest(), collector_at_rest():
        pass
    assert not gc.isenabled()


@pytest.mark.skipif(gc.get_freeze_count() > 0, reason="Python has frozen objects itself, as 3.12 does")
def test_what_was_read_is_not_gone_through_right_afterwards() -> None:
    looked_at: list[int] = []

    def looks(phase: str, found: dict[str, int]) -> None:
        if phase == "start":
            looked_at.extend(id(one) for one in gc.get_objects(found["generation"]))

    gc.callbacks.append(looks)
    try:
        with collector_at_rest():
            history = [{"content": [{"text": str(number)}]} for number in range(10_000)]
        after = [[number] for number in range(10_000)]  # which are enough for the collector to look at what is new
    finally:
        gc.callbacks.remove(looks)
    assert len(after) == len(history)
    assert looked_at, "the collector has not run at all"
    assert not {id(message) for message in history} & set(looked_at)


@pytest.mark.parametrize(("messages", "looked"), [(10, 0), (collector.MANY, 1)])
def test_whether_somebody_has_frozen_objects_is_looked_at_where_much_was_read_alone(
    messages: int, looked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    count = gc.get_freeze_count
    monkeypatch.setattr(gc, "get_freeze_count", lambda: looks.append(count()) or looks[-1])
    gc.collect()
    with collector_at_rest():
        history = [[number] for number in range(messages)]
    assert len(looks) == looked, f"after {len(history)} messages"


def test_what_the_application_has_frozen_stays_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "MANY", 0)
    gc.freeze()
    try:
        with collector_at_rest():
            pass
        assert gc.get_freeze_count() > 0, "all of it came back"
    finally:
        gc.unfreeze()
