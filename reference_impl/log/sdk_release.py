"""The SDK's release: with which one an agent was stored, for whoever cannot read that."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

WRITTEN_WITH = "strands_agents"
"""The key of an agent's internal state that says with which release of the SDK it was stored."""


@cache
def sdk_release() -> str:
    """Return the release of the SDK that is installed."""
    try:
        return version("strands-agents")
    except PackageNotFoundError:  # a copy of its source on the path
        return "unknown"
