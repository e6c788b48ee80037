"""A repair waits until nobody else is in its session, and others wait for it; other sessions go on."""

from concurrent.futures import ThreadPoolExecutor

from session_conformance.harness.soak._alone import Sessions
from session_conformance.harness.soak.plan import OPEN, REPAIR, Life


def life(session: int, operation: str) -> Life:
    return Life(0, session, (operation,))


def test_a_repair_is_alone_in_its_session() -> None:
    sessions, told = Sessions(), list[str]()

    def repairs() -> None:
        with sessions.entered_by(life(0, REPAIR)):
            told.append("repairs")

    with ThreadPoolExecutor(1) as pool:
        with sessions.entered_by(life(0, OPEN)), sessions.entered_by(life(0, OPEN)):
            repairing = pool.submit(repairs)
            with sessions.entered_by(life(1, REPAIR)):
                told.append("others go on")
            told.append("leaves")
        repairing.result(timeout=30)
    assert told == ["others go on", "leaves", "repairs"]


def test_nobody_enters_while_it_is_repaired() -> None:
    sessions, told = Sessions(), list[str]()

    def opens() -> None:
        with sessions.entered_by(life(0, OPEN)):
            told.append("opens")

    with ThreadPoolExecutor(1) as pool:
        with sessions.entered_by(life(0, REPAIR)):
            opening = pool.submit(opens)
            told.append("repaired")
        opening.result(timeout=30)
    assert told == ["repaired", "opens"]
