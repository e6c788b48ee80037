"""A promise is what a manager is judged by: kept, it is a fact with its price; broken, it is a violation."""

from dataclasses import replace
from pathlib import Path

import pytest
from session_conformance.harness import Session, Violation, Workspace
from session_conformance.harness.backends import Durability
from session_conformance.suites.scenarios import Cost, expect_cost_as_promised

from tests.conforming.snapshot_manager import SnapshotFileManager
from tests.conforming.turn_manager import TurnFileManager
from tests.mutants.broken_promises import ForgetsToSaveAtStop, LosesTwoTurns

from .judge import backend_of


def cost_of(manager: type, promise: Durability, folder: Path) -> Cost:
    numbers = iter(range(1000))

    def new_session() -> Session:
        place = folder / f"workspace-{next(numbers)}"
        place.mkdir()
        return Session(replace(backend_of(manager), durability=promise), Workspace(place))

    return expect_cost_as_promised(new_session, promise)


def test_by_message_a_kill_costs_nothing(tmp_path: Path) -> None:
    cost = cost_of(SnapshotFileManager, Durability.MESSAGE, tmp_path)
    assert cost.lost == {"a voice agent": 0, "a text agent": 0}


def test_by_turn_a_kill_costs_what_was_said_in_the_turn(tmp_path: Path) -> None:
    cost = cost_of(TurnFileManager, Durability.TURN, tmp_path)
    assert cost.lost == {"a voice agent": 2, "a text agent": 4}
    assert "at most 2 messages of a voice agent and 4 messages of a text agent" in str(cost)


def test_a_promise_by_turn_is_none_by_message(tmp_path: Path) -> None:
    with pytest.raises(Violation, match="My name is Alice"):
        cost_of(TurnFileManager, Durability.MESSAGE, tmp_path)


def test_what_promises_a_turn_and_loses_two_is_caught(tmp_path: Path) -> None:
    with pytest.raises(Violation, match="nothing of a turn that had ended") as caught:
        cost_of(LosesTwoTurns, Durability.TURN, tmp_path)
    assert "is missing" in str(caught.value)


def test_what_promises_to_store_at_stops_and_does_not_is_caught(tmp_path: Path) -> None:
    with pytest.raises(Violation, match="when the agent last came to rest"):
        cost_of(ForgetsToSaveAtStop, Durability.STOP, tmp_path)
