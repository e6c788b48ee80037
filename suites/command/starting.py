"""The command ``init``: write what a new backend's project begins with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .exit_codes import USAGE_ERROR


def add_to(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    starting = commands.add_parser("init", help="write what a new backend's project begins with")
    starting.add_argument(
        "spec", nargs="?", metavar="SPEC", help="the backend; without it, one to begin with is written"
    )


def run(given: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from .starter import StarterError, write_starter

    try:
        written = write_starter(Path.cwd(), given.spec)
    except StarterError as error:
        print(f"session-conformance: {error}", file=sys.stderr)
        return USAGE_ERROR
    print("\n".join(f"wrote {name}" for name in written))
    print("judge it: pytest --session-manager=mine")
    return 0
