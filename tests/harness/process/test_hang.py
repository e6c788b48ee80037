"""A hang is told from slowness: work that makes progress may take as long as it does."""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from session_conformance.harness.process import Hang, Patience, broken_off, judged_with, waits_ended, within_limit
from session_conformance.harness.process.hang import computed
from session_conformance.harness.process.memory import memory_of


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


class Stuck(logging.Handler):
    """A log that stands still until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.begun.set()
        self.goes_on.wait()


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    handler = Stuck()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_who_waits_for_a_log_does_not_keep_it_for_good(stuck: Stuck) -> None:
    log = logging.getLogger("of this test")
    with ThreadPoolExecutor(1) as pool:

        def say() -> None:
            later.append(pool.submit(lambda: stuck.begun.wait() and log.error("one that waits for the log")))
            log.error("one that has it")

        later: list[Future[object]] = []
        with pytest.raises(Hang):
            within_limit(say, "saying", 0.5)
        stuck.goes_on.set()
        later[0].exception()
    assert within_limit(lambda: log.error("again"), "saying it again", 5) is None


def test_a_lock_that_was_lost_is_made_anew(stuck: Stuck) -> None:
    stuck.goes_on.set()
    assert stuck.lock is not None
    losing = threading.Thread(target=stuck.lock.acquire)
    losing.start()
    losing.join()
    free = threading.Event()
    with pytest.raises(Hang):
        within_limit(free.wait, "waiting", 0.1)
    free.set()
    assert within_limit(lambda: logging.getLogger().error("heard"), "saying", 5) is None


def test_what_waits_for_ever_leaves_nothing_pending_for_threads_that_are_traced() -> None:
    """Hypothesis traces, and so does coverage. In Python 3.11 such a thread never got further."""
    free = threading.Event()
    with pytest.raises(Hang):
        within_limit(free.wait, "waiting", 0.1)

    def traced() -> None:
        sys.settrace(lambda *_: None)
        for _ in range(1000):
            str.upper("a")
            (lambda: None)()
        sys.settrace(None)

    thread = threading.Thread(target=traced, daemon=True)
    thread.start()
    thread.join(20)
    free.set()
    assert not thread.is_alive()


@pytest.mark.skipif(not memory_of(), reason="this system tells of no memory")
def test_what_grows_without_end_is_one_before_the_memory_is_gone() -> None:
    pile = []

    def grow() -> None:
        while True:
            pile.append(bytearray(2**20))
            time.sleep(0.001)

    with pytest.raises(Hang, match=r"it did not end before it took .* GiB of memory"):
        within_limit(grow, "it", limit_s=6, progress=lambda: len(pile), growth_limit=2**26)
    pile.clear()


@pytest.mark.skipif(not computed(), reason="this system counts no seconds of computing")
def test_what_computes_for_ever_is_one_although_it_waits_for_who_looks() -> None:
    def go_round() -> None:
        while True:
            pass

    with pytest.raises(Hang, match=r"did not end within 0\.3 s"):
        within_limit(go_round, "it", limit_s=0.3)


def test_a_backend_that_stood_still_often_is_waited_for_shorter() -> None:
    free, one = threading.Event(), Patience()
    with judged_with(one):
        for limit in ("0.3", "0.3", "0.3", "0.1"):
            with pytest.raises(Hang, match=rf"within {limit} s"):
                within_limit(free.wait, "it", limit_s=0.3, progress=lambda: 1)
    with pytest.raises(Hang, match=r"within 0\.3 s"):
        within_limit(free.wait, "another", limit_s=0.3, progress=lambda: 1)
    free.set()
    assert one.hangs == 4
