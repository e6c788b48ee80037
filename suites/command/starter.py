"""Starters: the files that a new backend's project begins with, written by ``session-conformance init``."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from string import Template

from session_conformance.fixtures import BUILT_IN, testpaths_of
from session_conformance.harness import BackendError, BackendSpec

CONFIGURATION = Template("""\
# The backends of this project: pytest --session-manager=$name
[backends.$name]
target = "$target"
$place# A server that an argument asks for is started for the run, with an empty database for each test. It comes with
# pip install 'strands-session-conformance[servers]'; PostgreSQL is {postgres_url}, MySQL {mysql_url}, and so on.
# arguments = { url = "{redis_url}" }

# What is known to be violated, and why. A new violation fails the run, these do not, and one that is met again fails it
# until it is taken out.
# [known-violations.$name]
# ORD-02 = "an issue, or why it is borne with"
""")

BACKEND = '''\
"""The session manager that conformance is judged of. Put your own in place of this one."""

from session_conformance.harness import Workspace
from session_conformance.reference_impl import FileSessionManager


def my_manager(session_id: str, workspace: Workspace) -> FileSessionManager:
    """Open a session. Everything that is kept must lie in the workspace: it is how a second manager finds it."""
    return FileSessionManager(session_id, storage_dir=str(workspace.folder))
'''

TESTS = Template('''\
"""The conformance suites as tests of this project: they run with all others, by pytest alone."""

from session_conformance.suites import LifeOfASession, PersistenceBeforeHooks, UpdatesAndRedaction


class TestLifeOfASession(LifeOfASession):
    session_manager = "$name"


class TestPersistenceBeforeHooks(PersistenceBeforeHooks):
    session_manager = "$name"


class TestUpdatesAndRedaction(UpdatesAndRedaction):
    session_manager = "$name"
''')

WORKFLOW = Template("""\
name: conformance
on: [push, pull_request]
jobs:
  conformance:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: sudo apt-get install -y strace  # without it, kills, power cuts and full disks are not applicable
      - run: pip install $installs
      - run: pytest --session-manager=$name --conformance-profile=ci --conformance-report=conformance.json
      - run: session-conformance report conformance.json --format markdown >> "$$GITHUB_STEP_SUMMARY"
        if: always() && hashFiles('conformance.json') != ''
      - uses: actions/upload-artifact@v4
        if: always() && hashFiles('conformance.json') != ''
        with:
          name: conformance
          path: conformance.json
""")

_PLACE = """\
# Where it keeps its data: {{workdir}} is a fresh folder, {{unique}} a name that is free, for each test.
arguments = {{ {} = "{}" }}
"""

OWN_BACKEND = "conformance_backend"
"""The module that is written where no backend was named."""


class StarterError(Exception):
    """The files cannot be written. The text is one line that says why."""


def starter_files(
    spec: str | None, *, is_package: bool, tests: str = "", place: tuple[str, str] | None = None
) -> dict[str, str]:
    """Return the files by path, relative to the project's folder.

    Args:
        spec: The backend, ``module:attribute`` or a built-in name; None for one of the project's own, to begin with.
        is_package: Whether the project itself can be installed.
        place: An argument that says where the backend keeps its data, and its value.
        tests: The folder that pytest finds the project's tests in, relative to the project's; "" for that itself.

    Raises:
        StarterError: The spec is neither of them.
    """
    target = BUILT_IN.get(spec, spec) if spec is not None else f"{OWN_BACKEND}:my_manager"
    if ":" not in target:
        raise StarterError(
            f"{spec!r} is neither a built-in name ({', '.join(BUILT_IN)}) nor of the form module:attribute"
        )
    given = {
        "name": "mine",
        "target": target,
        "place": _PLACE.format(*place) if place else "",
        "installs": f"{'. ' if is_package else ''}'strands-session-conformance[s3,servers]'",
    }
    files = {
        "session-conformance.toml": CONFIGURATION.substitute(given),
        (PurePosixPath(tests) / "test_conformance.py").as_posix(): TESTS.substitute(given),
        ".github/workflows/conformance.yml": WORKFLOW.substitute(given),
    }
    return files if spec is not None else {f"{OWN_BACKEND}.py": BACKEND, **files}


def _folder_of_tests(folder: Path) -> str:
    """Return where pytest collects the project's tests when it is given no path: the first plain folder of testpaths.

    Raises:
        StarterError: The configuration of pytest cannot be read.
    """
    try:
        found = testpaths_of(folder)
    except BackendError as error:
        raise StarterError(str(error)) from error
    for place in found:
        if not set(place) & set("*?[") and not (folder / place).is_file() and not PurePosixPath(place).is_absolute():
            return place
    return ""


def _place_of(spec: str | None, folder: Path) -> tuple[str, str] | None:
    """Return the argument that gives each test a place of its own; None where it cannot be seen which that is."""
    if spec is None or ":" not in spec:
        return None
    sys.path.append(str(folder))
    try:
        return BackendSpec("mine", spec).place_to_give()
    except BackendError:  # to be seen when it is judged
        return None
    finally:
        sys.path.remove(str(folder))


def write_starter(folder: Path, spec: str | None) -> list[str]:
    """Write the files into a project's folder, and return their paths. Nothing that is there is changed.

    Args:
        folder: The project's folder.
        spec: As :func:`starter_files` takes it.

    Raises:
        StarterError: One of the files is there already, or cannot be written; then none is written.
    """
    is_package = (folder / "pyproject.toml").exists() or (folder / "setup.py").exists()
    files = starter_files(spec, is_package=is_package, tests=_folder_of_tests(folder), place=_place_of(spec, folder))
    there = [name for name in files if (folder / name).exists()]
    if there:
        be, them = ("is", "it") if len(there) == 1 else ("are", "them")
        raise StarterError(
            f"{', '.join(there)} {be} there already, and nothing was written: move {them} away, or edit {them}"
        )
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise StarterError(f"cannot write {error.filename}: {error.strerror}") from error
    return list(files)
