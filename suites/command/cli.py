"""The session-conformance command: its parser, and the module that carries out each command."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from . import counting, fielding, judging, listing, report, soaking, starting
from .exit_codes import INTERRUPTED, PIPE_CLOSED, USAGE_ERROR

_CARRIED_OUT: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": listing.run,
    "explain": listing.run,
    "trace": listing.run,
    "report": report.run,
    "compare": report.run,
    "badge": report.run,
    "soak": soaking.run,
    "requests": counting.run,
    "field": fielding.run,
    "init": starting.run,
}

COMMANDS = ("run", "replay", *_CARRIED_OUT, "sessions", "completion")
"""What the command takes as its first word."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: see :data:`~session_conformance.suites.command.judging.EXIT_CODES`.

    Args:
        arguments: The words behind the command's name; by default those of this process.
    """
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough, as with | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at its end
        return PIPE_CLOSED
    except KeyboardInterrupt:
        print("session-conformance: interrupted", file=sys.stderr)
        return INTERRUPTED
    return code


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    made = argparse.ArgumentParser(
        prog="session-conformance", description="Judge session managers of the Strands Agents SDK."
    )
    made.add_argument("--version", action="version", version=f"%(prog)s {version('strands-session-conformance')}")
    commands = made.add_subparsers(dest="command", metavar="COMMAND")
    judging.add_to(commands)
    listing.add_to(commands)
    report.add_to(commands)
    soaking.add_to(commands)
    counting.add_to(commands)
    fielding.add_to(commands)
    starting.add_to(commands)
    commands.add_parser(
        "sessions", add_help=False, help="list, show, verify, repair, delete, import and export sessions"
    )  # its own parser is the reference managers'
    completion = commands.add_parser("completion", help="print what a shell needs to complete this command's words")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return made


def _no_command(word: str) -> int:
    near = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}"
    print(f"session-conformance: there is no command {word!r}: {hint}", file=sys.stderr)
    return USAGE_ERROR


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["sessions"]:
        from session_conformance.reference_impl.command import main as sessions

        return sessions(arguments)
    made = parser()
    if not arguments:
        made.print_help()
        return 0
    if not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        return _no_command(arguments[0])
    try:
        given, rest = made.parse_known_args(arguments)
    except SystemExit as error:
        return USAGE_ERROR if error.code else 0
    if given.command in ("run", "replay"):
        return judging.run(given, rest)
    if rest or given.command is None:
        print(f"session-conformance: {given.command or 'it'} does not take {' '.join(rest)}", file=sys.stderr)
        return USAGE_ERROR
    if given.command == "completion":
        import shtab

        print(shtab.complete(made, given.shell))
        return 0
    return _CARRIED_OUT[given.command](given)
