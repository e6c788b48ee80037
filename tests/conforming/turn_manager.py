"""Snapshot managers that save on purpose only when a turn has ended, or at rest: they promise no more, and keep it."""

from __future__ import annotations

from typing import Any

from strands.bidi.hooks import BidiResponseStopEvent
from strands.hooks import HookRegistry

from .snapshot_manager import SnapshotFileManager, check_message


class TurnFileManager(SnapshotFileManager):
    """Saves when a response of a voice agent or an invocation of a text agent has ended, and at stops and restarts."""

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        super().register_hooks(registry, **kwargs)
        registry.add_callback(BidiResponseStopEvent, lambda event: self.on_turn(event))

    def on_added(self, event: Any) -> None:
        check_message(event.message)
        self.pack(event.message)  # what cannot be stored is refused at once

    def on_updated(self, event: Any) -> None:
        pass

    def on_turn(self, event: Any) -> None:
        """Save what was said in a turn."""
        self.save(event.agent)


class RestFileManager(TurnFileManager):
    """Saves when a voice agent has stopped, or an invocation of a text agent has ended, and at nothing else."""

    def on_turn(self, event: Any) -> None:
        pass

    def on_restart(self, event: Any) -> None:
        pass
