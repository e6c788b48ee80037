"""What is opened is closed once, where it was opened, in the way that it has."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from session_conformance.harness.process import clock, close_all, closing, way_to_close, will_be_closed, within_limit
from session_conformance.harness.process.opened import troubles


class Thing:
    def __init__(self, told: list[str], name: str = "it") -> None:
        self.told, self.name = told, name
        will_be_closed(self, way_to_close(self))

    def close(self) -> None:
        self.told.append(f"{self.name} in {threading.current_thread().name}")


class Awaited(Thing):
    close = None  # type: ignore[assignment]

    async def aclose(self) -> None:
        self.told.append(f"{self.name} on {type(asyncio.get_running_loop()).__name__}")


class Left(Thing):
    close = None  # type: ignore[assignment]

    def __exit__(self, *error: object) -> None:
        self.told.append(f"{self.name} left with {error}")


class NeedsMore(Thing):
    def close(self, why: str) -> None:  # type: ignore[override]
        raise AssertionError("it cannot be called")


class Raises(Thing):
    def close(self) -> None:
        raise ValueError("the server is gone")


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    close_all()


@pytest.mark.parametrize(
    ("kind", "how"),
    [(Thing, "it in MainThread"), (Awaited, "it on *Loop"), (Left, "it left with (None, None, None)"), (NeedsMore, "")],
)
def test_it_is_closed_in_the_way_that_it_has(kind: Callable[[list[str]], Thing], how: str) -> None:
    told: list[str] = []
    kind(told)
    close_all()
    assert [text.replace("_UnixSelectorEvent", "*") for text in told] == [how] * bool(how)
    close_all()
    assert len(told) == bool(how)


def test_a_loop_closes_what_was_opened_on_it_and_nothing_else() -> None:
    told: list[str] = []
    before = Thing(told, "before")

    async def main() -> None:
        Thing(told, "first")
        Awaited(told, "second")
        await asyncio.sleep(0)
        with closing(Awaited(told, "third")):
            told.append("used")

    clock.run(main())
    assert told == ["used", "third on MovableClockLoop", "second on MovableClockLoop", "first in MainThread"]
    with closing(before):
        pass
    assert told[4:] == ["before in MainThread"]


def test_a_thread_closes_what_it_has_opened() -> None:
    told: list[str] = []
    with pytest.raises(KeyError):
        within_limit(lambda: [Thing(told), {}["absent"]], "the work")  # type: ignore[index]
    assert told == ["it in conformance: the work"]


def test_what_cannot_be_closed_is_told_of_and_holds_nothing_up() -> None:
    told: list[str] = []
    Thing(told, "behind it")
    Raises(told)
    close_all()
    assert told == ["behind it in MainThread"]
    assert troubles()[-1] == ("closing Raises raised ValueError: the server is gone", ValueError)
