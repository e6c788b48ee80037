"""The console command: judge, list, explain, report, compare, and write what a project begins with."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .exit_codes import USAGE_ERROR


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; with an SDK that cannot be used, say so in one line."""
    from session_conformance.harness.sdk.release import unusable_sdk

    why = unusable_sdk()
    if why is not None:
        print(f"session-conformance: {why}", file=sys.stderr)
        return USAGE_ERROR
    from .cli import main as run

    return run(arguments)


__all__ = ["main"]
