"""A user's shell: the environment in which what the pages show is run, whatever these tests themselves are run in."""

import os
import sys
from pathlib import Path

_OURS = ("PYTEST_", "TOX_", "AWS_", "PYTHONPATH", "PYTHONHASHSEED")
"""What pytest, tox and this run's S3 endpoint set for themselves: options, the place of pytest's cache, credentials."""


def environment(**more: str) -> dict[str, str]:
    """Return the environment variables of a shell in which this Python's virtual environment is active."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return inherited | {"PATH": commands, "COLUMNS": "120"} | more
