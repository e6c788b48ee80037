"""Warnings are counted whenever they come: Python warns of what nobody closed in the middle of anything."""

import threading

import pytest
from session_conformance.harness.process import warnings as collected
from session_conformance.harness.process.warnings import Warned, note_warned, take_warned


class Collected(str):
    """A place at which the garbage is collected, with something in it that nobody has closed, when it is looked up."""

    __slots__ = ()

    def __hash__(self) -> int:
        note_warned([Warned("ResourceWarning", "", "unclosed socket")])
        return super().__hash__()

    __eq__ = str.__eq__


@pytest.mark.parametrize("at_once", [0, 1_000])
def test_a_warning_in_the_middle_of_counting_others_is_counted(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(collected, "_AT_ONCE", at_once)
    before = take_warned()
    found: list[Warned] = []

    def count() -> None:
        note_warned([Warned("UserWarning", Collected("m.py:3"), "old")])
        found.extend(take_warned())

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), "it waits for itself"
    note_warned(before)
    assert {one.category for one in found} == {"UserWarning", "ResourceWarning"}
