"""Running the field: each release judged by itself, some at a time; what one of them breaks stays with that one."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from session_conformance.harness.reporting import read

from .catalogue import Entry
from .environment import REPORT, find_uv, judge, make_environment, suites_to_install
from .errors import FieldError
from .results import RUN_HERE, FieldResult, keep, kept


@dataclass(frozen=True)
class FieldSettings:
    """How the field is run.

    Attributes:
        options: What is added to pytest's command line: the profile.
        minutes: How long the judging of one release may take.
        jobs: How many releases are judged at once.
        again: Whether what has a result already is judged again.
        work: Where environments are made; by default a temporary folder, which is removed.
    """

    options: tuple[str, ...] = ()
    minutes: float = 10.0
    jobs: int = 1
    again: bool = False
    work: Path | None = None


Judge = Callable[[Entry, str], FieldResult]
"""Judges one release of a backend."""


def run_field(
    asked: Sequence[tuple[Entry, str]],
    folder: Path,
    settings: FieldSettings,
    *,
    judge_one: Judge | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> list[FieldResult]:
    """Judge releases, keep what is found of each as soon as it is found, and return it.

    A release whose result is kept already is left out, unless it judged nothing or is asked for again: a run that was
    interrupted goes on where it was. What goes wrong with one of them is its result, and stops no other. Where more was
    known of a release than a run has judged that was cut short, or that judged nothing, what was known stays.

    Args:
        asked: The releases, as :func:`~.catalogue.chosen` gives them.
        folder: The field's folder.
        settings: How.
        judge_one: What judges a release; by default :func:`in_environments`.
        progress: Told of each step in a line.

    Raises:
        FieldError: uv is missing, the suites cannot be built, or nothing can be kept in the folder.
    """
    there = kept(folder)
    to_do = [
        (entry, version)
        for entry, version in asked
        if settings.again or (found := there.get((entry.name, version))) is None or found.failed
    ]
    progress(f"{len(to_do)} releases to judge, {len(asked) - len(to_do)} judged before")
    if not to_do:
        return []
    with tempfile.TemporaryDirectory(prefix="session-conformance-field-", ignore_cleanup_errors=True) as temporary:
        one_by_one = judge_one or in_environments(settings, settings.work or Path(temporary))

        def carry_out(place: int) -> FieldResult:
            entry, version = to_do[place]
            progress(f"[{place + 1}/{len(to_do)}] {entry.name} {version} ...")
            began = time.monotonic()
            try:
                result = one_by_one(entry, version)
            except Exception as error:  # whatever one of them breaks, the others are judged
                text = str(error) if isinstance(error, FieldError) else f"{type(error).__name__}: {error}"
                result = FieldResult(entry.name, version, RUN_HERE, _now(), 0.0, None, " ".join(text.split()))
            result = replace(result, minutes=round((time.monotonic() - began) / 60, 1))
            before = there.get((entry.name, version))
            stays = before is not None and _says_more(before, result)
            if not stays:
                keep(result, folder)
            said = _said(result) + (", so what was known before stays" if stays else "")
            progress(f"[{place + 1}/{len(to_do)}] {entry.name} {version}: {said} ({result.minutes} min)")
            return result

        with ThreadPoolExecutor(settings.jobs) as pool:
            return list(pool.map(carry_out, range(len(to_do))))


def in_environments(settings: FieldSettings, work: Path) -> Judge:
    """Return what judges a release in an environment of its own below a folder.

    Raises:
        FieldError: uv is missing, or the suites cannot be built.
    """
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    uv = find_uv()
    suites = suites_to_install(uv, work)

    def judge_one(entry: Entry, version: str) -> FieldResult:
        place = work / f"{entry.name}-{version}"
        place.mkdir(exist_ok=True)
        python = make_environment(uv, suites, entry, version, place / "environment")
        late = judge(python, entry, place, settings.options, settings.minutes * 60)
        report = read(place / REPORT)
        if not report.backends or not report.backends[0].verdict.results:
            raise FieldError(f"no requirement was judged within {settings.minutes:g} minutes")
        return FieldResult(entry.name, version, RUN_HERE, report.created, 0.0, report, cut_short=late)

    return judge_one


def as_many_as_sensible() -> int:
    """Return how many releases this machine judges at once: one for each two processors."""
    return max(1, (os.cpu_count() or 2) // 2)


def _says_more(before: FieldResult, now: FieldResult) -> bool:
    if before.judged is None:
        return False
    return now.judged is None or (
        now.cut_short and len(now.judged.verdict.results) < len(before.judged.verdict.results)
    )


def _said(result: FieldResult) -> str:
    if result.judged is None:
        return f"not judged: {result.failed}"
    cut = ", cut short by the limit of time" if result.cut_short else ""
    return result.judged.verdict.sentence + cut


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
