"""What several calls store is collected by whoever began to, and by nobody when that was broken off."""

import contextlib

import pytest
from session_conformance.reference_impl.log import collecting as module
from session_conformance.reference_impl.log.collecting import Collected, collected_by, collecting


class Alarm(Exception):
    pass


class RaisesWhenSet:
    """The variable of what is collected, whose latest setting is broken off right after it was made."""

    def __init__(self, rings_at: int) -> None:
        self._rings_at, self._inner, self._times = rings_at, module._current, 0

    def get(self) -> object:
        return self._inner.get()

    def set(self, value: object) -> None:
        self._times += 1
        if self._times == self._rings_at and self._rings_at == 2:
            raise Alarm  # before it is set back
        self._inner.set(value)  # type: ignore[arg-type]
        if self._times == self._rings_at:
            raise Alarm


@pytest.mark.parametrize("rings_at", [1, 2])
def test_what_a_signal_breaks_off_collects_nothing_afterwards(rings_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = object()
    monkeypatch.setattr(module, "_current", RaisesWhenSet(rings_at))
    with contextlib.suppress(Alarm), collecting(Collected(owner)):
        assert collected_by(owner) is not None
    assert collected_by(owner) is None


def test_within_another_it_is_the_inner_ones_and_then_the_outer_ones() -> None:
    owner = object()
    with collecting(Collected(owner)) as outer:
        with collecting(Collected(owner)) as inner:
            assert collected_by(owner) is inner
            assert collected_by(object()) is None
        assert collected_by(owner) is outer
    assert collected_by(owner) is None
