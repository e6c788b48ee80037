"""What several tests of the log share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reference_impl.agents import open_agent, text_message

from .import_places import OLD, OnFiles, OnS3


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
