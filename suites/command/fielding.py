"""The commands ``field run`` and ``field build``: judge every backend of a catalogue, and build its pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .exit_codes import USAGE_ERROR, VIOLATED

if TYPE_CHECKING:
    from ..field import FieldResult

FOLDER = Path("docs/field")
README = Path("README.md")


def add_to(commands: Any) -> None:
    """Add the commands to a parser's subcommands."""
    field = commands.add_parser("field", help="judge every backend of a catalogue, and build the pages about them")
    steps = field.add_subparsers(dest="step", metavar="STEP", required=True)
    run = steps.add_parser(
        "run",
        help="judge releases, each in an environment of its own",
        description="Each release is installed beside these suites in an environment of its own, which uv makes, and"
        " judged there, on its server. Results are kept in FOLDER/results. A release that has one is not judged again.",
        epilog="exit codes: 0 each was judged, whatever came of it; 1 one could not be; 4 the command cannot be"
        " carried out as it was given",
    )
    run.add_argument("name", nargs="*", metavar="NAME", help="NAME or NAME==VERSION; by default the whole catalogue")
    run.add_argument("--folder", type=Path, default=FOLDER, help="the folder with backends.toml (docs/field)")
    run.add_argument("--newest", action="store_true", help="only the newest release of each")
    run.add_argument("--again", action="store_true", help="judge again what has a result")
    run.add_argument("--jobs", type=_positive_int, metavar="N", help="how many at once; one for each two processors")
    run.add_argument(
        "--minutes", type=_positive, default=10.0, metavar="N", help="how long judging a release may take (10)"
    )
    run.add_argument("--level", choices=("must", "should"), default="should", help="which requirements (should)")
    run.add_argument(
        "--profile", choices=("quick", "ci", "thorough"), default="quick", help="how many examples (quick)"
    )
    run.add_argument("--select", metavar="EXPRESSION", help="only these requirements, as pytest's -k chooses them")
    run.add_argument("--benchmarks", action="store_true", help="measure them too, with short histories")
    run.add_argument("--work", type=Path, metavar="FOLDER", help="make environments here, and leave them")
    build = steps.add_parser(
        "build",
        help="build the pages from the results that are kept",
        description="Writes the pages beside the catalogue. With reports of your own they are shown beside the field's:"
        " nothing is uploaded, and the pages are written elsewhere. A README that has a place for the table of the"
        " field gets it.",
    )
    build.add_argument("--folder", type=Path, default=FOLDER, help="the folder with backends.toml (docs/field)")
    build.add_argument("-o", "--output", type=Path, help="where to write; FOLDER, or field-with-mine beside reports")
    build.add_argument(
        "--with",
        dest="beside",
        type=Path,
        action="append",
        default=[],
        metavar="REPORT.json",
        help="show this report's backends beside the field's",
    )
    build.add_argument(
        "--readme",
        type=Path,
        metavar="FILE",
        help="write the table here, between its two comments (README.md, where it has them and pages are written"
        " beside the catalogue)",
    )
    keep = steps.add_parser(
        "keep",
        help="keep a report that an author submits",
        description="Keeps a report among the field's results, marked as submitted: it was not run here.",
    )
    keep.add_argument("report", type=Path, metavar="REPORT.json")
    keep.add_argument("release", metavar="NAME==VERSION", help="the catalogue's name of the backend, and the release")
    keep.add_argument("--folder", type=Path, default=FOLDER, help="the folder with backends.toml (docs/field)")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


def _positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def run(given: argparse.Namespace) -> int:
    """Run one of the commands and return its exit code."""
    from session_conformance.harness.reporting import ReportError

    from ..field import FieldError

    try:
        return {"run": _run, "build": _build, "keep": _keep}[given.step](given)
    except (FieldError, ReportError) as error:
        print(f"session-conformance: {error}", file=sys.stderr)
        return USAGE_ERROR


def _run(given: argparse.Namespace) -> int:
    from ..field import FieldSettings, as_many_as_sensible, chosen, read_catalogue, run_field

    asked = chosen(read_catalogue(given.folder), given.name)
    if given.newest:
        asked = [(entry, version) for entry, version in asked if version == entry.versions[0]]
    options: tuple[str, ...] = (f"--conformance-level={given.level}", f"--conformance-profile={given.profile}")
    if given.benchmarks:
        options += ("--conformance-benchmarks", "--conformance-benchmark-sizes=0,100")
    if given.select:
        options += ("-k", given.select)
    settings = FieldSettings(options, given.minutes, given.jobs or as_many_as_sensible(), given.again, given.work)
    found = run_field(asked, given.folder, settings, progress=lambda line: print(line, file=sys.stderr, flush=True))
    return VIOLATED if _not_judged(found) else 0


def _not_judged(found: list[FieldResult]) -> list[str]:
    return [f"{one.backend} {one.version}" for one in found if one.failed]


def _build(given: argparse.Namespace) -> int:
    from session_conformance.harness.reporting import read

    from ..field import build_field, has_place, write_table

    beside = {path.name: read(path) for path in given.beside}
    into = given.output or (Path("field-with-mine") if beside else given.folder)
    written = build_field(given.folder, into, beside)
    print(f"wrote {len(written)} files; open {into / 'index.html'}")
    readme = given.readme or README
    if given.readme or (into == given.folder and has_place(readme)):
        write_table(given.folder, readme)
        print(f"wrote the table of the field into {readme}")
    return 0


def _keep(given: argparse.Namespace) -> int:
    from dataclasses import replace

    from session_conformance.harness.reporting import read

    from ..field import SUBMITTED, FieldError, FieldResult, chosen, keep, read_catalogue

    report = read(given.report)
    if "==" not in given.release:
        raise FieldError(f"{given.release} names no release: expected NAME==VERSION")
    if len(report.backends) != 1:
        raise FieldError(f"{given.report} has {len(report.backends)} backends: submit a report of one")
    [(entry, version)] = chosen(read_catalogue(given.folder), [given.release])
    if version not in entry.versions:
        raise FieldError(f"the catalogue has no release {version} of {entry.name}: add it to its versions")
    report = replace(report, backends=[replace(report.backends[0])])
    print(f"kept {keep(FieldResult(entry.name, version, SUBMITTED, report.created, 0.0, report), given.folder)}")
    return 0
