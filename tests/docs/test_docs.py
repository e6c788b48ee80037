"""Every command and snippet that a user is shown is run, and what is shown of its output is real."""

import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from session_conformance.fixtures import configured_backends, endpoint_of_run
from session_conformance.harness import ScriptedBidiModel, Timeline
from session_conformance.harness.services import PLACEHOLDERS, NoService, Services
from session_conformance.suites.catalog import DATA_FILE, all_requirements, as_json, as_markdown

from .users_shell import environment

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FINDINGS = ROOT / "docs" / "findings.md"
"""Its programs are run by test_findings.py, one by one and with what they begin with."""
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Command:
    """A command of a page, what the page shows of its output, and the files that the page has named so far."""

    page: Path
    line: str
    shown: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.page.name}: {self.line}"


def commands() -> list[Command]:
    found: list[Command] = []
    for page in PAGES:
        files: dict[str, str] = {}
        before = ""
        for language, body in FENCE.findall(page.read_text(encoding="utf-8")):
            named = re.match(r"# (\S+\.\w+)\n", body)
            if language == "console":
                found += [
                    Command(page, line[2:], files=dict(files)) for line in body.splitlines() if line.startswith("$ ")
                ]
            elif language == "text" and before == "console":  # what programs print is not what commands do
                found[-1].shown = body
            elif language == "toml":
                files["pyproject.toml"] = body
            elif named:
                files[named.group(1)] = body
            before = language
    return found


COMMANDS = commands()
IN_ONE_FOLDER = "<!-- in one folder"
"""A page that says so has commands that use what those before them have written."""


def walks() -> list[list[Command]]:
    """Return the commands that run in one folder: each alone, or all of a page."""
    found: list[list[Command]] = []
    for page in PAGES:
        of_page = [command for command in COMMANDS if command.page == page]
        together = IN_ONE_FOLDER in page.read_text(encoding="utf-8")
        found += [of_page] if together else [[command] for command in of_page]
    return found


def ways_out(line: str, page: Path) -> tuple[list[str], str | None]:
    """Return a command's words without its setting up, and why it is not run here, if it is not."""
    words = shlex.split(line.rpartition(" && ")[2])
    words[0] = words[0].removeprefix(".venv/bin/")
    if words[0] == "tox":
        return words, "CI itself runs it"
    if page.name == "on-mysql.md" and not (shutil.which("mariadbd") or Path("/usr/sbin/mariadbd").exists()):
        return words, "PyPI has no MariaDB, and the system has none"
    return words, None


def matches(shown: str, output: str) -> str | None:
    """Return the first shown line that the output does not have after those before it, or None."""
    rest = iter(output.splitlines())
    for line in shown.splitlines():
        if line.strip() in ("", "..."):
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\s*")
        if not any(pattern.fullmatch(candidate) for candidate in rest):
            return line
    return None


_CRASHES = re.compile(r"-k (DUR-0[23]|COR-0[12])\b")


def is_long(walk: list[Command]) -> bool:
    """Whether commands judge whole groups, or all, or look at every crash state: where a few others take seconds.

    The README's whole run is each day's too: tox's py313, py310 and py312 are that command.
    """
    judging = [command.line for command in walk if "--session-" in command.line]
    return any(" -k " not in line or _CRASHES.search(line) for line in judging)


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param(
            walk,
            id=str(walk[0]) if len(walk) == 1 else walk[0].page.name,
            marks=[pytest.mark.long] if is_long(walk) else [],
        )
        for walk in walks()
    ],
)
def test_commands_run_as_shown(walk: list[Command], tmp_path: Path) -> None:
    for command in walk:
        run_as_shown(command, tmp_path)


def run_as_shown(command: Command, tmp_path: Path) -> None:
    words, elsewhere = ways_out(command.line, command.page)
    if elsewhere is not None:
        pytest.skip(elsewhere)
    for name, body in command.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
    executable = Path(sys.executable).parent / words[0]
    run = subprocess.run(
        [str(executable), *words[1:]],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    assert not re.search(r"\d could not be judged", run.stdout), run.stdout + run.stderr
    missing = matches(command.shown, run.stdout)
    assert missing is None, f"the page shows {missing!r}, which the output does not have there:\n{run.stdout}"


ROW = re.compile(r"^ ([A-Z0-9]{3})  +\S.*?((?:  +(?:\d+|-))+) *$", re.MULTILINE)
"""A row of the table of groups: met, violated, where there are any those of the SDK's class, and not applicable."""

WHOLE = re.compile(r"^\S+ (?:conforms|does not conform): (.*)", re.MULTILINE)


def whole_runs() -> list[Command]:
    """Return the commands that judge with every requirement and show what came of it."""
    return [c for c in COMMANDS if "--session-" in c.line and " -k " not in c.line and WHOLE.search(c.shown)]


def test_what_pages_show_of_whole_runs_has_every_requirement() -> None:
    """These are played each week. A page that a new requirement has made old is noticed at once."""
    groups = Counter(requirement.group for requirement in all_requirements())
    assert len(whole_runs()) >= 2
    for command in whole_runs():
        for group, cells in ROW.findall(command.shown):
            met, violated, *_, left = (0 if cell == "-" else int(cell) for cell in cells.split())
            assert met + violated + left == groups[group], f"{command}: {group}"
        [told] = WHOLE.findall(command.shown)
        counts = re.findall(r"(\d+) (?:met|MUST violated|SHOULD violated|not applicable)", told)
        if told.endswith("not applicable") and "..." not in told:
            assert sum(map(int, counts)) == groups.total(), str(command)


def on_servers() -> list[tuple[Path, str]]:
    """Return the configuration that each page about a server shows."""
    pages = [page for page in PAGES if page.name.startswith(("on-", "backends-on-"))]
    return [
        (page, body)
        for page in pages
        for language, body in FENCE.findall(page.read_text(encoding="utf-8"))
        if language == "toml"
    ]


@pytest.mark.parametrize(("page", "body"), on_servers(), ids=lambda value: getattr(value, "name", ""))
def test_configuration_for_a_server_asks_for_what_there_is(page: Path, body: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(body, encoding="utf-8")
    backends = re.findall(r"\.backends\.(\w+)\]", body)
    assert backends
    for name in backends:
        asked = re.findall(r"{(\w+)}", str(dict(configured_backends(tmp_path)[name].arguments)))
        assert set(asked) <= {*PLACEHOLDERS, "unique"}
        assert any(name in PLACEHOLDERS for name in asked), f"{name} asks for no server"
    assert all(len(line) < 100 for line in body.splitlines())
    assert len(body.splitlines()) <= 5 * len(backends)


def test_the_command_for_a_server_that_runs_already(tmp_path: Path) -> None:
    page = ROOT / "docs" / "backends-on-servers.md"
    text = page.read_text(encoding="utf-8")
    [command] = re.findall(r"^(pytest .*--service .*)$", text, re.MULTILINE)
    assert f"  - run: {command}\n" in text, "the workflow runs another one"
    services = Services({})
    try:
        address = services["postgres"].address
        words = shlex.split(re.sub(r"//\S+", f"//{address.short}", command))
        (tmp_path / "pyproject.toml").write_text(on_servers()[0][1], encoding="utf-8")
        executable = str(Path(sys.executable).parent / words[0])
        run = subprocess.run(
            [executable, *words[1:], "-k", "LIF-01"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    except NoService as reason:
        pytest.skip(str(reason))
    finally:
        services.stop()
    assert run.returncode == 0, run.stdout + run.stderr
    assert "mine conforms, as far as 1 of" in run.stdout


def snippets() -> list[tuple[str, str, str]]:
    """Return each page's name, what python it shows, and what it shows of what that prints."""
    return [
        (page.name, body, shown if after == "text" else "")
        for page in PAGES
        if page != FINDINGS
        for (language, body), (after, shown) in pairwise([*FENCE.findall(page.read_text(encoding="utf-8")), ("", "")])
        if language == "python" and not body.startswith("# ")
    ]


@pytest.mark.parametrize(
    ("page", "body", "shown"), snippets(), ids=lambda value: value if value.endswith(".md") else ""
)
def test_snippet_runs(
    page: str,
    body: str,
    shown: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    bucket = endpoint_of_run(pytestconfig).new_bucket()
    exec(compile(body, page, "exec"), {"model": ScriptedBidiModel(Timeline()), "bucket": bucket})
    printed = capsys.readouterr().out
    missing = matches(shown, printed)
    assert missing is None, f"the page shows {missing!r}, which is not printed there:\n{printed}"


def test_ci_runs_the_tests_as_the_readme_says() -> None:
    [line] = [command.line for command in COMMANDS if "tox" in command.line and command.page.name == "README.md"]
    assert line in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_pages_link_to_what_is_there() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_list_of_requirements_is_up_to_date() -> None:
    found = all_requirements()
    written = "run python -m session_conformance.suites.catalog in the checkout"
    assert DATA_FILE.read_text(encoding="utf-8") == as_json(found), written
    assert (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8") == as_markdown(found), written
