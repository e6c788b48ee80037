"""Mutants: a correct manager, each time with one thing broken: what a text agent asked, and was answered."""

from typing import Any

from tests.conforming.snapshot_manager import SnapshotFileManager


class _SpoilsInterrupts(SnapshotFileManager):
    def rest_of(self, agent: Any) -> dict[str, Any]:
        rest = super().rest_of(agent)
        return {**rest, "interrupt_state": self.spoil(rest["interrupt_state"])} if rest else rest

    def spoil(self, state: dict[str, Any]) -> dict[str, Any]:
        each = {id: self.spoil_each(one) for id, one in state["interrupts"].items()}
        return {**state, "interrupts": each}

    def spoil_each(self, interrupt: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


class ForgetsAgentsWithinTools(_SpoilsInterrupts):
    """That an agent asked is stored, and not within what."""

    def spoil(self, state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "context": {}}


class ShowsWhyItAsks(_SpoilsInterrupts):
    """Why an agent asked is stored as it is shown."""

    def spoil_each(self, interrupt: dict[str, Any]) -> dict[str, Any]:
        return {**interrupt, "reason": str(interrupt["reason"])}
