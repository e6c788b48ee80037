"""The commands that judge: run and replay, which hand their words to pytest."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

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

_SPEC = "module:attribute, or a configured name"


def add_to(commands: Any) -> None:
    """Add the commands to a parser's subcommands."""
    run = commands.add_parser("run", help="judge session managers", add_help=False)
    run.add_argument("-h", "--help", action=_HelpOfRun, nargs=0)
    run.add_argument("spec", nargs="+", metavar="SPEC", help=_SPEC)
    replay = commands.add_parser("replay", help="play a script that a failing STA-01 or STA-02 saved")
    replay.add_argument("file", help="the file with the script")
    replay.add_argument("spec", nargs="+", metavar="SPEC", help=_SPEC)


def run(given: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run one of the commands and return pytest's exit code.

    Args:
        given: What the parser took.
        rest: What it did not know: options of pytest and of the plugin.
    """
    import pytest

    replayed = [f"--conformance-replay={given.file}"] if given.command == "replay" else []
    return int(pytest.main([*replayed, *(f"--session-manager={spec}" for spec in given.spec), *rest]))


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
        from session_conformance.fixtures import pytest_addoption

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
