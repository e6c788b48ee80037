"""Managers that promise durability by turn or at stop, and lose more."""

from __future__ import annotations

from typing import Any

from tests.conforming.turn_manager import TurnFileManager


class LosesTwoTurns(TurnFileManager):
    """Saves each third turn only."""

    _turns = 0

    def on_turn(self, event: Any) -> None:
        self._turns += 1
        if self._turns % 3 == 0:
            super().on_turn(event)

    def on_stop(self, event: Any) -> None:
        if hasattr(event, "invocation_state"):  # an invocation of a text agent
            self.on_turn(event)
        else:
            super().on_stop(event)


class ForgetsToSaveAtStop(TurnFileManager):
    """Saves at the end of responses, and nothing when the agent has stopped or an invocation has ended."""

    def on_turn(self, event: Any) -> None:
        pass

    def on_stop(self, event: Any) -> None:
        pass
