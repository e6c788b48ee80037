"""The session-conformance command: the same as the pytest plugin, for people who do not use pytest."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from session_conformance.fixtures import pytest_addoption
from session_conformance.harness import BackendError

from ..catalog import all_requirements, as_markdown, as_text, explain
from . import report as report_commands
from . import soaking
from .exit_codes import USAGE_ERROR
from .starter import StarterError, write_starter

EXIT_CODES = """\
exit codes:
  0  every MUST requirement is met, is a known violation, or does not apply
  1  one is violated, could not be judged, or is met and still listed as a known violation
  2  the run was interrupted
  4  the command cannot be carried out as it was given, and nothing was judged
  5  -k or -m selects no requirement

pytest's own options work too: -k ORD-02 judges one requirement, -m ord one group, -x stops at the first violation.

example:
  session-conformance run mypkg.sessions:MyManager -m ord --conformance-report=report.html
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: see :data:`EXIT_CODES`."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough, as with | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at its end
        return PIPE_CLOSED
    return code


PIPE_CLOSED = 141
"""What a shell says of a program that SIGPIPE has ended: 128 + 13."""


class _Options:
    """Takes the plugin's options, as pytest's parser does, and shows them in the help of this command."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._group: Any = parser

    def getgroup(self, name: str, description: str) -> _Options:
        """Begin a group."""
        self._group = self._parser.add_argument_group(description)
        return self

    def addoption(self, *names: str, **how: Any) -> None:
        """Add an option to the group."""
        self._group.add_argument(*names, **how)


class _HelpOfRun(argparse.Action):
    """Shows what ``run`` takes: its own arguments, and the options that it hands to pytest."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        shown = argparse.ArgumentParser(
            prog=parser.prog,
            usage=f"{parser.prog} SPEC [SPEC ...] [OPTIONS]",
            description="Judge session managers.",
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        shown.add_argument("spec", metavar="SPEC", nargs="+", help=_SPEC)
        options: Any = _Options(shown)
        pytest_addoption(options)
        shown.print_help()
        parser.exit()


_SPEC = "module:attribute, or a configured name"


def _run(arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="session-conformance", description="Judge session managers of the Strands Agents SDK."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('strands-session-conformance')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="judge session managers", add_help=False)
    run.add_argument("-h", "--help", action=_HelpOfRun, nargs=0)
    run.add_argument("spec", nargs="+", help=_SPEC)
    replay = commands.add_parser("replay", help="play a script that a failing STA-01 saved")
    replay.add_argument("file", help="the file with the script")
    replay.add_argument("spec", nargs="+", help=_SPEC)
    listing = commands.add_parser("list", help="list the requirements")
    listing.add_argument("--markdown", action="store_true", help="as docs/requirements.md has them")
    counting = commands.add_parser("requests", help="count the requests to S3 of a message and of a restore")
    counting.add_argument("spec", nargs="+", help="a manager that is given a bucket, as for run")
    counting.add_argument(
        "--messages", type=_length, nargs="+", default=[100], metavar="N", help="lengths of histories, each at least 2"
    )
    starting = commands.add_parser("init", help="write what a new backend's project begins with")
    starting.add_argument("spec", nargs="?", help="the backend; without it, one to begin with is written too")
    report_commands.add_to(commands)
    soaking.add_to(commands)
    about = commands.add_parser("explain", help="say everything about a requirement")
    about.add_argument("id", help="a requirement's id, such as ORD-02")

    try:
        given, rest = parser.parse_known_args(arguments)
    except SystemExit as error:
        return USAGE_ERROR if error.code else 0
    if given.command == "run":
        return int(pytest.main([*(f"--session-manager={spec}" for spec in given.spec), *rest]))
    if given.command == "replay":
        managers = [f"--session-manager={spec}" for spec in given.spec]
        return int(pytest.main([f"--conformance-replay={given.file}", *managers, *rest]))
    if rest:
        print(f"session-conformance: {given.command} does not take {' '.join(rest)}", file=sys.stderr)
        return USAGE_ERROR
    if given.command == "list":
        print(as_markdown() if given.markdown else as_text(), end="" if given.markdown else "\n")
        return 0
    if given.command in report_commands.COMMANDS:
        return report_commands.run(given)
    if given.command == "soak":
        return soaking.run(given)
    if given.command == "requests":
        return _count(given.spec, given.messages)
    if given.command == "init":
        return _begin(given.spec)
    for requirement in all_requirements():
        if requirement.id == given.id.upper():
            print(explain(requirement))
            return 0
    print(
        f"session-conformance: there is no requirement {given.id}: 'session-conformance list' shows all",
        file=sys.stderr,
    )
    return USAGE_ERROR


def _length(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of messages: expected 2 or more, one turn of a talk")
    return int(text)


def _begin(spec: str | None) -> int:
    try:
        written = write_starter(Path.cwd(), spec)
    except StarterError as error:
        print(f"session-conformance: {error}", file=sys.stderr)
        return USAGE_ERROR
    print("\n".join(f"wrote {name}" for name in written))
    print("judge it: pytest --session-manager=mine")
    return 0


def _count(specs: Sequence[str], lengths: Sequence[int]) -> int:
    from ..scenarios import as_table, count_for

    try:
        found = list(count_for(specs, lengths))
    except BackendError as error:
        print(f"session-conformance: {error}", file=sys.stderr)
        return USAGE_ERROR
    Console(soft_wrap=True).print(as_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
