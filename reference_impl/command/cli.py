"""The front of the console command: it hands its words to what they are for, and loads nothing else."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points, version

from .exit_codes import INTERRUPTED, PIPE_CLOSED, USAGE_ERROR

_HELP = """\
usage: session-conformance sessions COMMAND PLACE ...

List, show, verify, repair, delete, clean up, import and export sessions of the reference managers:
'session-conformance sessions --help' says how.

To judge session managers, install the suites: pip install strands-session-conformance
"""


_OF_SESSIONS = ("show", "verify", "repair", "delete", "clean-up", "import", "export")
"""What has to stand behind ``sessions``; ``list`` is a command of the suites, too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; 4 where it cannot be carried out as it was given.

    Args:
        arguments: The words behind the command's name; by default those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough, as with | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at its end
        return PIPE_CLOSED
    except KeyboardInterrupt:
        print("session-conformance: interrupted", file=sys.stderr)
        return INTERRUPTED
    return code


def _run(words: list[str]) -> int:
    if words[:1] == ["sessions"]:
        from .sessions import run

        return run(words[1:])
    for suites in entry_points(group="session_conformance.command", name="suites"):
        judge: Callable[[Sequence[str]], int] = suites.load()
        return judge(words)
    if words[:1] == ["--version"]:
        print(f"session-conformance {version('strands-session-reference')} (without the suites)")
        return 0
    if not words or words[0] in ("-h", "--help"):
        print(_HELP, end="")
        return 0
    word = words[0]
    why = f"{word!r} needs the suites: pip install strands-session-conformance"
    if word in _OF_SESSIONS:
        why = f"there is no command {word!r}: did you mean 'sessions {word}'?"
    elif difflib.get_close_matches(word, ["sessions"], cutoff=0.8):
        why = f"there is no command {word!r}: did you mean 'sessions'?"
    print(f"session-conformance: {why}", file=sys.stderr)
    return USAGE_ERROR
