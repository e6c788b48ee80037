"""The command ``requests``: what a message and a restore ask of S3."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .exit_codes import USAGE_ERROR


def add_to(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    counting = commands.add_parser("requests", help="count the requests to S3 of a message and of a restore")
    counting.add_argument("spec", nargs="+", metavar="SPEC", help="a manager that is given a bucket, as for run")
    counting.add_argument(
        "--messages", type=_length, nargs="+", default=[100], metavar="N", help="lengths of histories, each at least 2"
    )


def _length(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of messages: expected 2 or more, one turn of a talk")
    return int(text)


def run(given: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from rich.console import Console
    from session_conformance.harness import BackendError

    from ..scenarios import as_table, count_for

    try:
        found = list(count_for(given.spec, given.messages))
    except BackendError as error:
        print(f"session-conformance: {error}", file=sys.stderr)
        return USAGE_ERROR
    Console(soft_wrap=True).print(as_table(found))
    return 0
