"""A hang is told from slowness: work that makes progress may take as long as it does."""

import threading

import pytest
from session_conformance.harness.process import Hang, within_limit


def test_work_that_goes_on_is_waited_for() -> None:
    free = threading.Event()
    looked = 0

    def progress() -> int:
        nonlocal looked
        looked += 1
        if looked == 5:
            free.set()
        return looked

    assert within_limit(lambda: free.wait(10), "it", limit_s=0.01, progress=progress)
    assert looked >= 5


def test_work_that_stands_still_is_a_hang() -> None:
    free = threading.Event()
    try:
        with pytest.raises(Hang, match=r"it did not end within 0\.05 s"):
            within_limit(free.wait, "it", limit_s=0.05, progress=lambda: 1)
    finally:
        free.set()


def test_what_it_raises_is_raised() -> None:
    def work() -> None:
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        within_limit(work, "it")
