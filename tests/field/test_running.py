"""Running the field: what one backend breaks stays with it, and a run goes on where another was interrupted."""

import json
import os
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from session_conformance.harness.verdicts import Verdict
from session_conformance.suites.command import main
from session_conformance.suites.field import (
    Entry,
    FieldError,
    FieldResult,
    FieldSettings,
    chosen,
    kept,
    read_catalogue,
    run_field,
    running,
)
from session_conformance.suites.field.environment import CACHE, judge

from .conftest import result_of


def broken_one(entry: Entry, version: str) -> FieldResult:
    if entry.name == "broken":
        raise FieldError("cannot install broken-sessions==0.1: there is no such release")
    if version == "1.0":
        raise RuntimeError("two\nlines")
    return result_of(entry, version)


@pytest.mark.parametrize("jobs", [1, 3])
def test_one_that_is_broken_stops_no_other(folder: Path, jobs: int) -> None:
    said: list[str] = []
    asked = chosen(read_catalogue(folder), [])
    run_field(asked, folder, FieldSettings(jobs=jobs), judge_one=broken_one, progress=said.append)
    found = kept(folder)
    assert found["good", "2.0"].judged is not None
    assert found["broken", "0.1"].failed == "cannot install broken-sessions==0.1: there is no such release"
    assert found["good", "1.0"].failed == "RuntimeError: two lines"
    assert said[0] == "3 releases to judge, 0 judged before"
    assert sum("not judged" in line for line in said) == 2


def test_what_has_a_result_is_not_judged_again_unless_it_is_asked_for(folder: Path) -> None:
    asked = chosen(read_catalogue(folder), [])
    run_field(asked, folder, FieldSettings(), judge_one=broken_one)
    again: list[str] = []

    def note(entry: Entry, version: str) -> FieldResult:
        again.append(f"{entry.name} {version}")
        return result_of(entry, version)

    run_field(asked, folder, FieldSettings(), judge_one=note)
    assert again == ["broken 0.1", "good 1.0"]
    run_field(asked, folder, FieldSettings(again=True), judge_one=note)
    assert len(again) == 5


def test_what_was_known_stays_where_another_run_has_judged_less(folder: Path) -> None:
    asked = chosen(read_catalogue(folder), ["good==2.0"])
    again = FieldSettings(again=True)
    run_field(asked, folder, FieldSettings(), judge_one=result_of)
    said: list[str] = []

    def cut_short(entry: Entry, version: str) -> FieldResult:
        whole = result_of(entry, version)
        assert whole.report is not None
        assert whole.judged is not None
        judged = replace(whole.judged, verdict=Verdict(entry.name, whole.judged.verdict.results[:1], 2))
        return replace(whole, report=replace(whole.report, backends=[judged]), cut_short=True)

    def broken(entry: Entry, version: str) -> FieldResult:
        raise FieldError("its server is gone")

    for judge_one in (cut_short, broken):
        run_field(asked, folder, again, judge_one=judge_one, progress=said.append)
        assert "so what was known before stays" in said[-1]
        [found] = kept(folder).values()
        assert found.judged is not None
        assert (len(found.judged.verdict.results), found.cut_short) == (2, False)
    run_field(asked, folder, again, judge_one=partial(result_of, sdk="1.63.0"))
    assert kept(folder)["good", "2.0"].sdk == "1.63.0"


def test_environments_may_be_made_in_a_folder_that_is_named_from_here(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given: list[Path] = []

    def look(uv: str, work: Path) -> str:
        given.append(work)
        raise FieldError("far enough")

    monkeypatch.setattr(running, "find_uv", lambda: "uv")
    monkeypatch.setattr(running, "suites_to_install", look)
    assert main(["field", "run", "good", "--folder", str(folder), "--work", "here"]) == 4
    assert given == [tmp_path / "here"]


def test_a_result_is_read_as_it_was_kept(folder: Path) -> None:
    asked = chosen(read_catalogue(folder), ["good==2.0"])

    def violated(entry: Entry, version: str) -> FieldResult:
        return result_of(entry, version, "violated", expected='a "}" and {', found="\0", evidence="shown")

    [given] = run_field(asked, folder, FieldSettings(), judge_one=violated)
    [read] = kept(folder).values()
    assert read.judged is not None
    assert given.judged is not None
    assert read.judged.verdict.results == given.judged.verdict.results
    assert read.sdk == "1.62.0"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Python is a shell script")
def test_a_run_that_meets_its_limit_is_ended_with_all_that_it_started(folder: Path, tmp_path: Path) -> None:
    entry = read_catalogue(folder)["good"]
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'import time; time.sleep(600)'\n", encoding="utf-8")
    python.chmod(0o755)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where it is ignored, a shell ignores it as well
    try:
        with pytest.raises(FieldError, match="judged nothing within"):
            judge(python, entry, tmp_path, [], 0.2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "session-conformance.toml").read_text(encoding="utf-8") == entry.configuration


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is in a shell's background there")
def test_a_run_that_meets_its_limit_leaves_what_it_has_judged(folder: Path, tmp_path: Path) -> None:
    entry = read_catalogue(folder)["good"]
    (tmp_path / "pytest.py").write_text(
        "import json, os, sys, time\n\n\ndef main():\n"
        "    try:\n        open('began', 'w').close()\n        time.sleep(600)\n"
        "    except KeyboardInterrupt:\n        with open('report.json', 'w') as report:\n"
        "            own = {'file': os.path.join(os.getcwd(), 'its-file'), 'session': os.getsid(0)}\n"
        "            own['cache'] = sys.argv[sys.argv.index('-o') + 1]\n"
        "            json.dump({**own, 'leads': os.getpgrp() == os.getpid()}, report)\n        return 2\n",
        encoding="utf-8",
    )
    (tmp_path / CACHE).mkdir()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as where a shell has started this in the background
    try:
        assert judge(Path(sys.executable), entry, tmp_path, [], 3)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "began").exists()
    # Its own group is what is ended, and the session is the command's: Linux shares processors among sessions, so that
    # a run with one of its own would not be held back by the priority at which somebody has started the command.
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert told == {"file": "its-file", "session": os.getsid(0), "cache": f"cache_dir={CACHE}", "leads": True}
    assert not (tmp_path / CACHE).exists()  # what the run before has left there


def test_without_uv_the_command_says_so_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "uv", None)
    assert main(["field", "run", "good", "--folder", str(folder)]) == 4
    assert capsys.readouterr().err.splitlines()[-1] == (
        "session-conformance: each backend gets an environment of its own, which uv makes: pip install uv"
    )


def test_a_folder_without_a_catalogue_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["field", "run", "--folder", str(tmp_path)]) == 4
    assert "name the folder with the catalogue" in capsys.readouterr().err
