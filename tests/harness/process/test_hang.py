"""A hang is told from slowness: work that makes progress may take as long as it does."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from session_conformance.harness.process import Hang, broken_off, waits_ended, within_limit


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


def test_work_that_stands_still_is_a_hang(caplog: pytest.LogCaptureFixture) -> None:
    free = threading.Event()

    def what_never_comes() -> None:
        free.wait()

    try:
        with pytest.raises(Hang, match=r"it did not end within 0\.05 s"):
            within_limit(what_never_comes, "it", limit_s=0.05, progress=lambda: 1)
    finally:
        free.set()
    assert "in what_never_comes" in caplog.text  # where it stands is logged


def test_what_it_raises_is_raised() -> None:
    def work() -> None:
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        within_limit(work, "it")


def test_an_executor_whose_only_thread_stood_still_works_again() -> None:
    idle, busy, begun = ThreadPoolExecutor(1), ThreadPoolExecutor(1), threading.Event()
    idle.submit(int).result()

    def go_round() -> None:
        begun.set()
        while True:
            pass

    before = broken_off()
    with pytest.raises(Hang):
        within_limit(busy.submit(go_round).result, "it", limit_s=0.05, progress=lambda: 1)
    assert begun.is_set()
    assert broken_off() == before + 1
    for executor in (busy, idle):
        assert executor.submit(lambda: "next").result(timeout=30) == "next"
        executor.shutdown()


@pytest.mark.skipif(waits_ended(None) is None, reason="this system counts no waits")
def test_one_call_that_waits_for_each_of_many_things_is_no_hang() -> None:
    def store_a_hundred() -> int:
        return sum(not threading.Event().wait(0.01) for _ in range(100))

    assert within_limit(store_a_hundred, "it", limit_s=0.2) == 100


@pytest.mark.skipif(waits_ended(None) is None, reason="this system counts no waits")
def test_one_that_asks_again_and_again_for_what_never_comes_is_one_in_the_end() -> None:
    free = threading.Event()

    def ask_for_ever() -> None:
        while not free.wait(0.01):
            pass

    try:
        with pytest.raises(Hang):
            within_limit(ask_for_ever, "it", limit_s=0.1, waits_limit_s=0.5)
    finally:
        free.set()
