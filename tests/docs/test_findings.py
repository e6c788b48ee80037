"""What the findings page says of the SDK's managers is so: reproductions, scripts, and which requirements fall."""

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from session_conformance import harness
from session_conformance.harness import BackendSpec, Script, Session, Violation, Workspace, play
from session_conformance.harness.scripts import HookRaises
from session_conformance.harness.timeline import AgentStarted, AgentStopped
from session_conformance.suites.catalog import all_requirements
from session_conformance.suites.scenarios import judge_script

from .users_shell import environment

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
TEXT = PAGE.read_text(encoding="utf-8")

GROUPS = (
    "LIF", "ORD", "UPD", "RPL", "TOL", "CNT", "IDS", "COR", "DUR", "CON", "CLN", "S3A", "AGT", "MAG", "STA", "REP",
    "SNP",
)  # fmt: skip
"""The groups whose findings the page has. A group that is added here is compared with a real run from then on."""

MANAGERS = {"file": "FileSessionManager", "snapshot": "SnapshotSessionManager", "s3": "S3SessionManager"}

BY_MESSAGE = " by message"
"""What the table says of a manager that is held to durability by message here, and that promises less."""

QUICK_ON_S3 = (
    "S3A or CNT-04 or CNT-06 or CON-01 or CON-04 or LIF-04 or LIF-09 or UPD-02 or UPD-03 or UPD-04 or AGT-22 or MAG-10"
    " or REP-01"
)
"""What is judged on S3 here, where all of it takes minutes. The rest of the page's row is compared with that for files,
whose code it shares (``RepositorySessionManager``).
"""

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ID = re.compile(r"[A-Z][A-Z0-9]{2}-\d{2}")


class Row(NamedTuple):
    """A row of the page's table."""

    finding: int
    managers: frozenset[str]
    requirements: frozenset[str]
    level: str


def rows() -> list[Row]:
    table = TEXT.partition("| finding | managers |")[2].partition("\n\n")[0]
    found = []
    for line in table.splitlines()[2:]:
        finding, managers, requirements, level, _ = (cell.strip() for cell in line.strip("|").split("|"))
        number = re.match(r"\[?(\d+)", finding)
        assert number is not None, line
        names = frozenset(name for name in managers.split(", ") if name)
        found.append(Row(int(number[1]), names, frozenset(ID.findall(requirements)), level))
    return found


ROWS = rows()


class Reproduction(NamedTuple):
    """A program of the page, and what the page says that it prints."""

    finding: str
    code: str
    shown: str


def reproductions() -> tuple[str, list[Reproduction]]:
    """Return what all begin with, and each."""
    prelude, found = "", []
    for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]:
        title = section.partition("\n")[0]
        blocks = [*FENCE.findall(section), ("", "")]
        for (language, body), (after, shown) in pairwise(blocks):
            if language != "python" or body.startswith("# "):
                continue
            if title.startswith("What each reproduction begins with"):
                prelude = body
            else:
                assert after == "text", f"{title}: a reproduction is followed by what it prints"
                found.append(Reproduction(title.partition(".")[0], body, shown))
    return prelude, found


PRELUDE, REPRODUCTIONS = reproductions()


def section_of(finding: int) -> str:
    return TEXT.partition(f"\n## {finding}. ")[2].partition("\n## ")[0]


def test_the_page_is_of_this_sdk() -> None:
    shown = re.search(r"`strands-agents` (\d+\.\d+)", TEXT)
    assert shown is not None
    assert version("strands-agents").startswith(f"{shown[1]}."), "the page is of another SDK: judge this one anew"


def test_each_finding_has_all_its_parts() -> None:
    numbers = sorted({row.finding for row in ROWS})
    assert numbers == list(range(1, len(numbers) + 1))
    assert [reproduction.finding for reproduction in REPRODUCTIONS] == [str(number) for number in numbers]
    for number in numbers:
        section = section_of(number)
        for part in ("**Promise:**", "**Reported:**", "**Mend:**"):
            assert part in section, f"finding {number} has no {part}"
        assert "**Shortest script:**" in section or "**Fewest steps:**" in section
        commands = [body for language, body in FENCE.findall(section) if language == "console"]
        wanted = frozenset().union(*(row.requirements for row in ROWS if row.finding == number))
        if wanted:
            assert set(ID.findall(commands[0])) <= wanted, f"finding {number} shows a requirement that it does not list"


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", re.sub(FENCE, "", TEXT), flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_rows_have_the_level_of_their_requirements() -> None:
    levels = {requirement.id: requirement.level.value for requirement in all_requirements()}
    for row in ROWS:
        assert {levels[id] for id in row.requirements} <= {row.level}, row
        assert all(id[:3] in GROUPS for id in row.requirements), f"add the groups of {row} to GROUPS"


@pytest.mark.parametrize("reproduction", REPRODUCTIONS, ids=lambda one: one.finding)
def test_reproduction_prints_what_is_shown(reproduction: Reproduction, tmp_path: Path) -> None:
    path = tmp_path / "report.py"
    path.write_text(f"{PRELUDE}\n{reproduction.code}", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=tmp_path,
        env=environment(TMPDIR=str(tmp_path), PYTHONHASHSEED="0"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    pattern = ".*".join(re.escape(part) for part in reproduction.shown.split("..."))
    assert re.fullmatch(pattern, run.stdout), f"it prints\n{run.stdout}\nand the page shows\n{reproduction.shown}"


@pytest.mark.parametrize("reproduction", REPRODUCTIONS, ids=lambda one: one.finding)
def test_reproduction_uses_the_sdk_alone(reproduction: Reproduction) -> None:
    imported = set()
    for node in ast.walk(ast.parse(PRELUDE + reproduction.code)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    beside_s3 = {"boto3", "moto"} if "S3SessionManager" in reproduction.code else set()
    assert imported <= {*sys.stdlib_module_names, "strands", *beside_s3}


# -- the shortest scripts --------------------------------------------------------------------------------------------


def differs_from_memory(session: Session, script: Script) -> bool:
    timeline = play(session, script)
    return session.read().messages != timeline.of(AgentStopped)[-1].memory


def tells_before_it_stores(session: Session, script: Script) -> bool:
    told = [call for call in play(session, script).hooks("message_added") if call.position == "early"]
    return any(call.stored is not None and call.message not in call.stored.messages for call in told)


def forgets_state(session: Session, script: Script) -> bool:
    timeline = play(session, script)
    return session.read().state != timeline.of(AgentStopped)[-1].state


def starts_without_a_trace(session: Session, script: Script) -> bool:
    return play(session, script).of(AgentStarted)[0].bytes_stored == 0


SHOWN_BY: dict[int, Callable[[Session, Script], bool]] = {
    1: differs_from_memory,
    2: tells_before_it_stores,
    3: forgets_state,
    12: starts_without_a_trace,
    16: differs_from_memory,
}
"""How the scripts of findings show them; what the others show is in files, threads and requests."""


TEXT_AGENTS = {3: {"snapshot"}}
"""Of whom a finding is about text agents alone, which the scripts do not play."""


def scripts() -> list[tuple[int, str, str]]:
    found = []
    for finding in SHOWN_BY:
        line = section_of(finding).partition("**Shortest script:**")[2].partition("\n\n")[0]
        listed_for = frozenset().union(*(row.managers for row in ROWS if row.finding == finding))
        managers = {name.removesuffix(BY_MESSAGE) for name in listed_for}
        for source in re.findall(r"`(Script\(\).*?)`", line):
            found += [
                (finding, source, manager) for manager in sorted(managers - {"s3"} - TEXT_AGENTS.get(finding, set()))
            ]
    return found


@pytest.mark.long
@pytest.mark.parametrize(("finding", "source", "manager"), scripts())
def test_shortest_script_shows_it_and_no_step_is_too_many(
    finding: int, source: str, manager: str, tmp_path: Path
) -> None:
    script = eval(source, {"Script": harness.Script})
    backend = BackendSpec(manager, f"strands.session:{MANAGERS[manager]}").resolve()

    def shows(number: int, script: Script) -> bool:
        folder = tmp_path / str(number)
        folder.mkdir()
        return SHOWN_BY[finding](Session(backend, Workspace(folder)), script)

    assert shows(0, script)
    for left_out in range(len(script.steps)):
        steps = script.steps[:left_out] + script.steps[left_out + 1 :]
        assert not shows(1 + left_out, Script(steps)), f"{source} shows it without step {left_out + 1} too"


# -- which requirements fall -----------------------------------------------------------------------------------------


def judged(folder: Path, *arguments: str) -> dict[str, dict[str, str]]:
    """Return what came of each requirement for each backend, by name and id, in a run of pytest."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", *arguments, "--conformance-report=report.json"],
        cwd=folder,
        env=environment(PYTHONPATH=str(folder), PYTHONHASHSEED="0"),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    outcomes = {b["name"]: {result["id"]: result["outcome"] for result in b["results"]} for b in report["backends"]}
    assert not any("could not be judged" in of_one.values() for of_one in outcomes.values()), run.stdout
    return outcomes


def only_violated(outcomes: dict[str, str]) -> set[str]:
    return {id for id, outcome in outcomes.items() if outcome == "violated"}


def listed() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in ROWS:
        for manager in row.managers:
            found[manager] |= row.requirements
    return found


@pytest.mark.long
@pytest.mark.parametrize("manager", ["file", "snapshot"])
def test_the_page_lists_what_a_run_finds_on_files(manager: str, tmp_path: Path) -> None:
    groups = " or ".join(group.lower() for group in GROUPS)
    [outcomes] = judged(tmp_path, f"--session-manager=strands-{manager}", "-m", groups).values()
    assert listed()[manager] == only_violated(outcomes)


@pytest.mark.long
def test_the_page_lists_what_snapshots_violate_only_if_they_are_held_to_each_message(tmp_path: Path) -> None:
    groups = " or ".join(group.lower() for group in GROUPS)
    [outcomes] = judged(
        tmp_path, "--session-manager=strands-snapshot", "--conformance-durability=message", "-m", groups
    ).values()
    assert listed()["snapshot" + BY_MESSAGE] == only_violated(outcomes) - listed()["snapshot"]


@pytest.mark.long
def test_the_page_lists_what_a_run_finds_on_s3(tmp_path: Path) -> None:
    outcomes = judged(tmp_path, "--session-manager=strands-s3", "-k", QUICK_ON_S3)["strands-s3"]
    assert listed()["s3"] & set(outcomes) == only_violated(outcomes)
    assert listed()["s3"] - set(outcomes) <= listed()["file"]


STORAGES = ("local-storage", "memory-storage", "s3-storage")

LONG_ON_S3 = "(SNP-02 or SNP-04)"
"""What takes minutes for a storage on S3, and is not judged there: a thousand keys, and all of LIF, ORD and RPL."""


@pytest.mark.long
def test_the_page_lists_what_a_run_finds_in_storages(tmp_path: Path) -> None:
    specs = [f"--session-storage=strands-{storage}" for storage in STORAGES]
    outcomes = judged(tmp_path, *specs, "-m", "snp", "-k", f"not (s3-storage and {LONG_ON_S3})")
    for storage in STORAGES:
        assert listed()[storage] == only_violated(outcomes[f"strands-{storage}"]), storage


MENDS = next(body for language, body in FENCE.findall(TEXT) if language == "python" and body.startswith("# mends.py"))

MENDS_LEFT_OUT = re.findall(r"^\| `(\w+)` \| (.*) \|$", TEXT.partition("## How the causes")[2], flags=re.MULTILINE)

TOLD_APART = [(manager, also) for manager, also in MENDS_LEFT_OUT if not also.startswith("`")]

SCRIPTS_OF_STA = [(manager, also.strip("`")) for manager, also in MENDS_LEFT_OUT if also.startswith("`")]


@pytest.mark.long
@pytest.mark.parametrize(("manager", "also"), TOLD_APART)
def test_a_mend_left_out_costs_what_the_page_says(manager: str, also: str, tmp_path: Path) -> None:
    (tmp_path / "mends.py").write_text(MENDS, encoding="utf-8")
    groups = "lif or ord or upd or rpl or tol or dur or sta"
    [outcomes] = judged(
        tmp_path, f"--session-manager=mends:{manager}", "-m", groups, "--conformance-level=must"
    ).values()
    assert only_violated(outcomes) - {"TOL-04", "DUR-04"} == set(ID.findall(also))
    assert "TOL-04" in only_violated(outcomes)


@pytest.mark.long
@pytest.mark.parametrize(("manager", "source"), SCRIPTS_OF_STA)
def test_script_shows_the_mend_that_is_left_out(
    manager: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mends.py").write_text(MENDS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mends", raising=False)
    script = eval(source, {"Script": Script, "HookRaises": HookRaises})

    def judge(name: str, script: Script) -> None:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        session = Session(BackendSpec(name, f"mends:{name}").resolve(), Workspace(folder))
        judge_script(session, script, play(session, script, observing=False, at_rest=True))

    judge("Mended", script)
    with pytest.raises(Violation):
        judge(manager, script)
    for left_out in range(len(script.steps)):
        judge(manager, Script(script.steps[:left_out] + script.steps[left_out + 1 :]))
