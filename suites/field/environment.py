"""Environments: one for each release that is judged, made by uv, with the suites, the backend and what it needs."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .catalogue import Entry
from .errors import FieldError

DISTRIBUTION = "strands-session-conformance"

INSTALL_LIMIT_S = 600.0
"""How long an environment may take to be made."""

GRACE_S = 120.0
"""How long a run that has met its limit may take to write what it has found so far."""

REPORT = "report.json"

CACHE = "cache"
"""pytest's, where examples of what fails are kept: without it they are left in the common temporary folder."""

_PYTEST = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(os, "setpgid"):
    os.setpgid(0, 0)
import pytest
sys.path.insert(0, "")
sys.exit(pytest.main())
"""
"""Runs pytest, which leads a process group, so that it can be ended with all that it has started.

It stays in the session of the command: Linux shares processors among sessions, and a run that somebody has started at a
low priority competes at that priority. A process that a shell has started in the background ignores ctrl-c, and so does
what it starts.
"""


def find_uv() -> str:
    """Return uv's path: the one of the ``PATH``, or of the package ``uv``.

    Raises:
        FieldError: There is none.
    """
    found = shutil.which("uv")
    if found is None:
        with suppress(ImportError, FileNotFoundError):
            found = str(importlib.import_module("uv").find_uv_bin())
    if found is None:
        raise FieldError("each backend gets an environment of its own, which uv makes: pip install uv")
    return found


def suites_to_install(uv: str, work: Path) -> str:
    """Return what pip installs these suites from: a wheel of this source tree, or their released version.

    Raises:
        FieldError: The wheel cannot be built.
    """
    installed = distribution(DISTRIBUTION)
    about = json.loads(installed.read_text("direct_url.json") or "{}")
    folder = Path(unquote(urlsplit(about.get("url", "")).path))
    if not about.get("url", "").startswith("file:") or not (folder / "pyproject.toml").is_file():
        return f"{DISTRIBUTION}[s3,servers]=={installed.version}"
    built = work / "dist"
    shutil.rmtree(built, ignore_errors=True)
    _call([uv, "build", "-q", "--wheel", "--out-dir", str(built), str(folder)], "build the suites")
    [wheel] = built.glob("*.whl")
    return f"{DISTRIBUTION}[s3,servers] @ {wheel.as_uri()}"


def make_environment(uv: str, suites: str, entry: Entry, version: str, folder: Path) -> Path:
    """Make an environment with a release, and return its Python.

    Args:
        uv: Its path.
        suites: What these suites are installed from.
        entry: The backend.
        version: The release.
        folder: Where it is made; what was there is removed.

    Raises:
        FieldError: Something cannot be installed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    _call([uv, "venv", "-q", "--python", entry.python, str(folder)], f"make an environment with Python {entry.python}")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    asked = [suites, *entry.needs, *([] if entry.by == "here" else [entry.requirement(version)])]
    _call([uv, "pip", "install", "-q", "--python", str(python), *asked], f"install {entry.requirement(version)}")
    return python


def judge(python: Path, entry: Entry, folder: Path, options: Sequence[str], limit_s: float) -> bool:
    """Judge a backend in its environment, and leave :data:`REPORT` in a folder. Return whether the limit was met.

    A run that meets its limit is asked to end as by ctrl-c, and then writes what it has judged so far. The report names
    the files of the run from the folder on.

    Args:
        python: The environment's.
        entry: The backend.
        folder: Where it runs.
        options: More of pytest's and the plugin's.
        limit_s: How long it may take.

    Raises:
        FieldError: It judged nothing.
    """
    (folder / "session-conformance.toml").write_text(entry.configuration, encoding="utf-8")
    if entry.plug is not None:
        for file in sorted(entry.plug.parent.glob("*.py")):
            shutil.copy(file, folder)
    (folder / REPORT).unlink(missing_ok=True)
    shutil.rmtree(folder / CACHE, ignore_errors=True)  # a run knows nothing of the one before
    places = "--basetemp=workspaces"  # of its own: in the common folder, pytest tidies up after every other run
    words = [f"{entry.option}={entry.name}", f"--conformance-report={REPORT}", places, *options]
    command = [str(python), "-c", _PYTEST, "-o", f"cache_dir={CACHE}", "-q", "--tb=no", "--color=no", *words]
    with (folder / "output.txt").open("wb") as output:
        running = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        late = not _ended(running, limit_s)
        if late:
            running.send_signal(signal.SIGINT)
            if not _ended(running, GRACE_S):
                _end_all(running)
    if not (folder / REPORT).is_file():
        lines = (folder / "output.txt").read_text(encoding="utf-8", errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        why = f"it judged nothing within {limit_s / 60:g} minutes" if late else said
        raise FieldError(f"{why} (exit code {running.returncode})")
    _name_from(folder, folder / REPORT)
    return late


def _name_from(folder: Path, report: Path) -> None:
    """Rewrite a report so that it names files from a folder on: where that lies is of no use to a reader elsewhere."""
    before = json.dumps(f"{folder}{os.sep}")[1:-1]
    report.write_text(report.read_text(encoding="utf-8").replace(before, ""), encoding="utf-8")


def _ended(running: subprocess.Popen[bytes], limit_s: float) -> bool:
    try:
        running.wait(limit_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end_all(running: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":
        with suppress(ProcessLookupError):  # it has not come so far as to lead a group
            os.killpg(running.pid, signal.SIGKILL)
    running.kill()
    running.wait()


def _call(command: list[str], what: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=INSTALL_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise FieldError(f"cannot {what}: it took longer than {INSTALL_LIMIT_S / 60:g} minutes") from None
    except OSError as error:
        raise FieldError(f"cannot {what}: {error.strerror}") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise FieldError(f"cannot {what}: {said[:400] or f'exit code {done.returncode}'}")
