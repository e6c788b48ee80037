"""A snapshot manager that makes up results without tracking ids, which messages of the SDK need not have."""

from __future__ import annotations

from typing import Any

from .snapshot_manager import SnapshotFileManager


class AnonymousResultsManager(SnapshotFileManager):
    """Restores what it made up for a tool that gave no result as a message without a tracking id."""

    def restored(self, messages: list[Any]) -> list[Any]:
        ids = {message.get("tracking_id") for message in messages}
        whole = super().restored(messages)
        for message in whole:
            if message.get("tracking_id") not in ids:
                del message["tracking_id"]
        return whole
