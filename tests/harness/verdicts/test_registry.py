"""A requirement's check may be a coroutine function: the harness runs it to its end."""

import asyncio
import inspect
from typing import Any

import pytest
from session_conformance.harness import Hang, Violation, requirement, violated
from session_conformance.harness.process.clock import MovableClockLoop
from session_conformance.harness.verdicts import registry


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registry", {})


def suite() -> Any:
    class Checks:
        ended = False

        @requirement("OWN-01", source="F: here")
        async def patient(self, answer: int) -> None:
            """A coroutine is awaited."""
            await asyncio.sleep(0)
            assert isinstance(asyncio.get_running_loop(), MovableClockLoop)
            self.ended = True
            if answer != 42:
                violated("42", str(answer))

        @requirement("OWN-02", source="F: here")
        async def endless(self) -> None:
            """A coroutine does not wait for ever."""
            await asyncio.Event().wait()

    return Checks()


def test_it_is_run_to_its_end() -> None:
    checks = suite()
    getattr(checks, "OWN-01")(42)
    assert checks.ended


def test_its_violation_is_raised() -> None:
    with pytest.raises(Violation, match="41"):
        getattr(suite(), "OWN-01")(answer=41)


def test_pytest_sees_what_it_asks_for() -> None:
    check = getattr(suite(), "OWN-01")
    assert list(inspect.signature(check).parameters) == ["answer"]
    assert not inspect.iscoroutinefunction(check)
    assert check.requirement.sentence == "A coroutine is awaited."


def test_one_that_does_not_end_is_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "COROUTINE_LIMIT_S", 0.1)
    with pytest.raises(Hang, match="the check of OWN-02 did not end within"):
        getattr(suite(), "OWN-02")()


def test_a_mark_above_the_requirement_is_the_checks() -> None:
    def marked(check: Any) -> Any:
        check.is_marked = True
        return check

    class Own:
        @marked
        @requirement("OWN-03", source="F: here")
        def named(self) -> None:
            """It is marked."""

    assert vars(Own)["OWN-03"].is_marked
    assert vars(Own)["OWN-03"].requirement.id == "OWN-03"
