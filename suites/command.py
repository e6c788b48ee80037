"""The session-conformance command: the same as the pytest plugin, for people who do not use pytest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import pytest
from rich.console import Console
from session_conformance.harness import BackendError

from .catalog import all_requirements, as_markdown, as_text, explain

USAGE_ERROR = 4
"""The exit code for a command that cannot be carried out as it was given; pytest's own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Exit codes: 0, every MUST requirement is met or does not apply; 1, one is violated or could not be judged; 2, it was
    interrupted; 4, it cannot be carried out as it was given.
    """
    parser = argparse.ArgumentParser(
        prog="session-conformance", description="Judge session managers of the Strands Agents SDK."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="judge session managers", add_help=False)
    run.add_argument("spec", nargs="+", help="module:attribute, or a configured name")
    listing = commands.add_parser("list", help="list the requirements")
    listing.add_argument("--markdown", action="store_true", help="as docs/requirements.md has them")
    counting = commands.add_parser("requests", help="count the requests to S3 of a message and of a restore")
    counting.add_argument("spec", nargs="+", help="a manager that is given a bucket, as for run")
    counting.add_argument("--messages", type=int, nargs="+", default=[100], metavar="N", help="lengths of histories")
    about = commands.add_parser("explain", help="say everything about a requirement")
    about.add_argument("id", help="a requirement's id, such as ORD-02")

    try:
        given, rest = parser.parse_known_args(arguments)
    except SystemExit as error:
        return USAGE_ERROR if error.code else 0
    if given.command == "run":
        return int(pytest.main([*(f"--session-manager={spec}" for spec in given.spec), *rest]))
    if rest:
        print(f"session-conformance: {given.command} does not take {' '.join(rest)}", file=sys.stderr)
        return USAGE_ERROR
    if given.command == "list":
        print(as_markdown() if given.markdown else as_text(), end="" if given.markdown else "\n")
        return 0
    if given.command == "requests":
        return _count(given.spec, given.messages)
    for requirement in all_requirements():
        if requirement.id == given.id.upper():
            print(explain(requirement))
            return 0
    print(
        f"session-conformance: there is no requirement {given.id}: 'session-conformance list' shows all",
        file=sys.stderr,
    )
    return USAGE_ERROR


def _count(specs: Sequence[str], lengths: Sequence[int]) -> int:
    from .s3_requests import as_table, count_for

    try:
        found = list(count_for(specs, lengths))
    except BackendError as error:
        print(f"session-conformance: {error}", file=sys.stderr)
        return USAGE_ERROR
    Console(soft_wrap=True).print(as_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
