"""The SDK's snapshot manager, which takes what a guardrail has redacted out of the context manager's stash as well."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from strands.session import SnapshotSessionManager


class TidySnapshots(SnapshotSessionManager):
    """Deletes what was put aside of a message before it saves what stands in its place."""

    def redact_latest_message(self, redact_message: Any, agent: Any, **kwargs: Any) -> None:
        stash = agent.context_manager.stash if agent.context_manager is not None else None
        if stash is not None:
            with ThreadPoolExecutor(1) as threads:  # this thread runs the agent's loop
                threads.submit(asyncio.run, _forget(stash, agent.messages[-1]["tracking_id"])).result()
        super().redact_latest_message(redact_message, agent, **kwargs)


async def _forget(stash: Any, tracking_id: str) -> None:
    for reference in await stash.list():
        if reference.startswith(tracking_id):
            await stash.delete(reference)
