"""A deep stack, on which what is nested deeply cannot be read, is no damage: nothing is left out because of it."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message
from tests.reference_impl.s3.memory_s3 import Bucket, Client, Session

LEVELS = 150


def with_levels_left(left: int, do: Callable[[], Any]) -> Any:
    """Do something where the stack has room for so many more calls."""
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1

    def deeper(more: int) -> Any:
        return deeper(more - 1) if more else do()

    return deeper(sys.getrecursionlimit() - depth - left)


class Place:
    """A session that holds something nested deeply, with what is done to it."""

    def __init__(self, folder: Path, *, on_s3: bool) -> None:
        bucket = Bucket()
        if on_s3:
            where: dict[str, Any] = {"bucket": "b", "boto_session": Session(Client(bucket))}
            kind: Any = S3SessionManager
            self.stored = lambda: {key: stored.data for key, stored in bucket.objects.items()}
        else:
            where, kind = {"storage_dir": str(folder)}, FileSessionManager
            self.stored = lambda: {str(one): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
        self.open = lambda: kind("s", **where)
        self.verify = lambda: kind.verify("s", **where)
        self.repair = lambda: kind.repair("s", **where)


IN_C = pytest.mark.skipif(sys.version_info >= (3, 12), reason="C counts its own levels there, and can read it")


@pytest.fixture(params=[pytest.param({}, marks=IN_C), {"untagged by": b"Python"}], ids=["plain", "tagged"])
def innermost(request: pytest.FixtureRequest) -> Any:
    """What is read by C alone, and what is not."""
    return request.param


@pytest.fixture(params=["files", "S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, innermost: Any) -> Place:
    place = Place(tmp_path, on_s3=request.param == "S3")
    inside = innermost
    for _ in range(LEVELS):
        inside = {"inside": inside}
    use: Any = {"toolUse": {"toolUseId": "1", "name": "nest", "input": inside}}
    agent = open_agent(tmp_path, manager=place.open())
    asyncio.run(add(agent, text_message("one"), {**text_message("", "assistant"), "content": [use]}))
    agent._session_manager.close()  # type: ignore[union-attr]
    return place


@pytest.mark.parametrize("what", ["open", "verify", "repair"])
def test_it_is_said_and_nothing_is_changed(place: Place, what: str) -> None:
    before = place.stored()
    with pytest.raises(SessionException, match="on a thread of its own"):
        with_levels_left(LEVELS, getattr(place, what))
    assert place.stored() == before
    assert place.verify().ok
    assert not place.repair().lost
