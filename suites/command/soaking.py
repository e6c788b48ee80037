"""The command ``soak``: load a backend with real processes that are killed, and say what its history shows."""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .exit_codes import USAGE_ERROR, VIOLATED

if TYPE_CHECKING:
    from session_conformance.harness import Backend, Workspace
    from session_conformance.harness.soak import Soak

SHOWN = 5
"""How many anomalies are shown whole."""


def add_to(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    soaking = commands.add_parser(
        "soak",
        help="load a backend with processes that are killed, and say what was lost, doubled or leaked",
        description="Real processes talk, read, redact, delete and begin anew; they are killed, and their storage fails"
        " now and then. What each was told is checked afterwards. The plan of who does what follows from the seed.",
        epilog="exit codes: 0 nothing is wrong; 1 something was lost, doubled, mixed up, leaked or damaged;"
        " 4 the command cannot be carried out as it was given",
    )
    soaking.add_argument("spec", metavar="SPEC", help="module:attribute, or a configured name")
    soaking.add_argument(
        "--session-manager-arg", action="append", default=[], metavar="KEY=VALUE", help="a constructor argument"
    )
    soaking.add_argument(
        "--service", action="append", default=[], metavar="NAME=URL",
        help="a server that runs already, where the backend asks for one (postgres, mysql, redis, valkey, mongodb,"
        " dynamodb); it is not killed. By default one is started on loopback",
    )  # fmt: skip
    end = soaking.add_mutually_exclusive_group()
    end.add_argument("--minutes", type=_positive(float), help="how long; 1 by default")
    end.add_argument("--lives", type=_positive(int), help="how many processes, instead of a time")
    soaking.add_argument("--seed", type=int, help="by default a new one, which is printed")
    soaking.add_argument("--processes", type=_positive(int), default=4, help="how many at once (4)")
    soaking.add_argument("--sessions", type=_positive(int), default=3, help="how many sessions they share (3)")
    soaking.add_argument("--history", type=Path, metavar="FILE", help="write what happened, a record a line")


def _positive(kind: Any) -> Any:
    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if value <= 0:
            raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
        return value

    return read


def run(given: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from session_conformance.harness import BackendError
    from session_conformance.harness.soak import SoakSettings, soak

    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    minutes = given.minutes if given.minutes or given.lives else 1.0
    settings = SoakSettings(seed, minutes, given.lives, given.processes, given.sessions)
    terminal = sys.stderr.isatty()

    def progress(line: str) -> None:
        print(f"\r{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    try:
        with _open(given) as (backend, workspace):
            found = soak(backend, workspace, settings, log=given.history, progress=progress)
    except (BackendError, OSError) as error:
        print(f"session-conformance: {error}", file=sys.stderr)
        return USAGE_ERROR
    if terminal:
        print(file=sys.stderr)
    _show(backend.name, found)
    return VIOLATED if found.anomalies else 0


@contextmanager
def _open(given: argparse.Namespace) -> Iterator[tuple[Backend, Workspace]]:
    """Give the backend and a fresh place for it, which is removed afterwards."""
    from session_conformance.fixtures import configured_backends, named_specs
    from session_conformance.harness import BackendError, Workspace
    from session_conformance.harness.s3 import NoEndpoint, S3Endpoint, environment
    from session_conformance.harness.services import NoService

    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    spec = named_specs([given.spec], configured_backends(Path.cwd()))[0]
    arguments = dict(text.partition("=")[::2] for text in given.session_manager_arg)
    backend = replace(spec, arguments={**spec.arguments, **arguments}).resolve()
    if backend.spec is None or backend.in_process:
        raise BackendError(f"{backend.name} keeps its data in this process's memory: a soak needs other processes")
    with tempfile.TemporaryDirectory(prefix="session-conformance-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        places = [folder / "soak", folder / "try-out", folder / "detect"]
        for place in places:
            place.mkdir()
        if backend.services:
            try:
                with _on_servers(backend, places, given.service) as workspaces:
                    yield _detected(backend, *workspaces)
            except NoService as error:
                raise BackendError(str(error)) from error
            return
        if not backend.on_s3:
            yield _detected(backend, *map(Workspace, places))
            return
        try:
            s3 = S3Endpoint()
        except NoEndpoint as error:
            raise BackendError(str(error)) from error
        with environment(s3.environment()):
            buckets = [Workspace(place, s3.values(s3.new_bucket()), s3.environment()) for place in places]
            yield _detected(backend, *buckets)
        s3.stop()


@contextmanager
def _on_servers(backend: Backend, folders: list[Path], urls: list[str]) -> Iterator[list[Workspace]]:
    """Give workspaces with a place each on the servers that a backend asks for; those started here end afterwards."""
    from session_conformance.harness import Workspace
    from session_conformance.harness.s3 import environment
    from session_conformance.harness.services import Places, Services, given_services

    with ExitStack() as surroundings:
        given = given_services(urls)
        services = Services(given, lambda values: surroundings.enter_context(environment(values)))
        surroundings.callback(services.stop)
        run = secrets.token_hex(4)  # another soak may be at work on a server that both were given
        names = [f"soak_{run}_{number}" for number in range(len(folders))]
        places = [Places(services, name, {"unique": name}, set(backend.services)) for name in names]
        variables = {key: value for name in backend.services for key, value in services[name].environment().items()}
        yield [Workspace(folder, place, variables) for folder, place in zip(folders, places, strict=True)]


def _detected(
    backend: Backend, place: Workspace, for_trying: Workspace, for_detecting: Workspace
) -> tuple[Backend, Workspace]:
    from session_conformance.harness import detect, try_out

    try_out(backend, for_trying)
    return replace(backend, capabilities=detect(backend, for_detecting)), place


def _show(name: str, found: Soak) -> None:
    print(f"{name}: {found}")
    for anomaly in found.anomalies[:SHOWN]:
        print(f"\n{anomaly}")
    if len(found.anomalies) > SHOWN:
        print(f"\n... and {len(found.anomalies) - SHOWN} more; --history FILE keeps all that happened")
