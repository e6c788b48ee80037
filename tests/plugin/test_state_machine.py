"""STA-01 in pytest: what a failure says and leaves behind, replaying it, profiles, seeds, and usage errors."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from session_conformance.fixtures import SdkViolation, plain_backend, progress_of
from session_conformance.fixtures.properties import without_local_constants
from session_conformance.fixtures.properties.profiles import PROFILES, SEED
from session_conformance.harness import Backend, Capability, NotApplicable, Script, Violation
from session_conformance.harness.conversations import CannotBePlayed
from session_conformance.harness.scripts import as_python
from session_conformance.suites import sta
from session_conformance.suites.command import main
from session_conformance.suites.sta import Player

from tests.conforming.snapshot_manager import SnapshotFileManager
from tests.mutants import broken_apis
from tests.mutants.judge import backend_of

BROKEN = "--session-manager=tests.mutants.broken_updates:IgnoresUpdates"
CORRECT = "--session-manager=tests.conforming.snapshot_manager:SnapshotFileManager"
SAVED = ".pytest_cache/d/conformance/STA-01-tests-ignores-updates.json"


@pytest.fixture(autouse=True)
def _same_scripts() -> Iterator[None]:
    """Let searches in this process draw the scripts that they draw for everybody, whatever is loaded beside them."""
    with without_local_constants():
        yield


def test_a_failure_is_short_and_comes_as_python_and_as_a_file(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(BROKEN, "-k", "STA-01", "--conformance-report=report.json")
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(
        [
            "the shortest script that shows it (1 steps, after * scripts):",
            f"saved as:     {SAVED}",
            "replay it:    pytest --session-manager=tests.mutants.broken_updates:IgnoresUpdates"
            f" --conformance-replay={SAVED}",
            "search again: --conformance-profile=quick --hypothesis-seed=*",
        ]
    )
    script = Script.from_json((pytester.path / SAVED).read_text())
    assert script.to_json() == Script().assistant("hello").to_json()
    [backend] = json.loads((pytester.path / "report.json").read_text())["backends"]
    assert all(line.strip() in backend["results"][0]["evidence"] for line in as_python(script).splitlines())


@pytest.fixture
def saved(pytester: pytest.Pytester) -> Path:
    path = pytester.path / "saved.json"
    path.write_text(Script().user("hello").assistant("I hear you").restarts_process().to_json())
    return path


def test_a_script_is_replayed_alone_and_judged(pytester: pytest.Pytester, saved: Path) -> None:
    run = pytester.runpytest_subprocess(BROKEN, f"--conformance-replay={saved}")
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(
        ["expected: the history is stored as in memory", "timeline *", "all that happened:", "*the user sends *"]
    )
    assert not (pytester.path / SAVED).exists(), "what is replayed is not a new find"


def test_a_script_that_is_met_is_shown(pytester: pytest.Pytester, saved: Path) -> None:
    run = pytester.runpytest_subprocess(CORRECT, f"--conformance-replay={saved}")
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines(
        [
            "*replayed: STA::STA-01[[]tests-snapshot-file[]]*",
            '*the user sends "hello"',
            "*a new manager opens the session, restores 2 messages",
        ]
    )


def test_a_script_is_replayed_in_parallel_and_by_the_command(
    pytester: pytest.Pytester, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = pytester.runpytest_subprocess(CORRECT, BROKEN, f"--conformance-replay={saved}", "-n2")
    run.assert_outcomes(passed=1, failed=1)
    run.stdout.fnmatch_lines(["*a new manager opens the session, restores 2 messages"])
    command = Path(sys.executable).parent / "session-conformance"
    assert pytester.run(command, "replay", saved, CORRECT.partition("=")[2]).ret == 0
    assert pytester.run(command, "replay", saved, BROKEN.partition("=")[2]).ret == 1
    assert main(["replay", str(saved)]) == 4


CANNOT_BE_REPLAYED = {
    "no file": (None, "--conformance-replay: cannot read *: No such file or directory"),
    "no JSON": ("{", "--conformance-replay: * holds no script: not JSON: *"),
    "no text": (b"\xff\xfe", "--conformance-replay: * holds no script: not UTF-8: *"),
    "no script": ('{"steps": [{"op": "sing"}]}', "--conformance-replay: * holds no script: unknown step 'sing': *"),
    "settings of another type": ('{"steps": [], "auto_restart": "no"}', "*'auto_restart' is 'no': expected bool"),
    "nonsense": (
        '{"steps": [{"op": "release", "tool_use_id": "none"}]}',
        "--conformance-replay: * holds a script that cannot be played: KeyError: 'none'",
    ),
}


@pytest.mark.parametrize("name", CANNOT_BE_REPLAYED)
def test_what_cannot_be_replayed_is_one_clear_line(name: str, pytester: pytest.Pytester) -> None:
    content, message = CANNOT_BE_REPLAYED[name]
    path = pytester.path / "bad.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run = pytester.runpytest_subprocess(CORRECT, f"--conformance-replay={path}")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in run.errlines if line.strip()]) == 1
    run.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_a_replay_needs_a_manager(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--conformance-replay=x.json")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(
        ["ERROR: --conformance-replay needs --session-manager, --session-repository or --session-storage"]
    )


def test_what_a_backend_cannot_do_is_not_replayed(pytester: pytest.Pytester) -> None:
    path = pytester.path / "deletes.json"
    path.write_text('{"steps": [{"op": "restart_process", "meanwhile": [{"op": "delete_session"}]}]}')
    run = pytester.runpytest_subprocess(
        "--session-manager=tests.conforming.sqlite_manager:SqliteManager", f"--conformance-replay={path}", "-rs"
    )
    run.assert_outcomes(skipped=1)
    run.stdout.fnmatch_lines(["*not applicable: *'delete_session'*tests-sqlite cannot*"])


def test_the_seed_is_said_and_can_be_given(pytester: pytest.Pytester) -> None:
    found = [
        re.search(r"STA-01 measured: (\d+ scripts with \d+ steps), profile quick, seed (\d+)", run.stdout.str())
        for run in (
            pytester.runpytest_subprocess(CORRECT, "-k", "STA-01", *arguments)
            for arguments in ([], [], ["--hypothesis-seed=7"])
        )
    ]
    first, second, third = (match.groups() if match else None for match in found)
    assert first == second != third
    assert third is not None
    assert third[1] == "7"


def test_a_profile_is_one_of_three(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(CORRECT, "--conformance-profile=slow")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*--conformance-profile: invalid choice: 'slow'*"])
    for name in PROFILES:
        assert name in pytester.runpytest_subprocess("--help").stdout.str()


def test_progress_is_silent_where_there_is_no_terminal(
    pytestconfig: pytest.Config, capfd: pytest.CaptureFixture[str]
) -> None:
    with progress_of(pytestconfig, "work", 1000) as advance:
        for _ in range(1000):
            advance()
    assert capfd.readouterr() == ("", "")


class Looker(Player):
    """Plays nothing, and finds nothing."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(Backend("nothing", lambda *_: None), config)  # type: ignore[arg-type,return-value]
        self.seen: list[str] = []

    @property
    def abilities(self) -> frozenset[Capability]:
        return frozenset()

    def shows_violation(self, script: Script) -> bool:
        self.seen.append(script.to_json())
        return False


def test_many_scripts_are_made_in_batches_that_differ(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sta, "BATCH", 10)
    one, same, other = Looker(pytestconfig), Looker(pytestconfig), Looker(pytestconfig)
    for looker, scripts, from_seed in ((one, 25, 1), (same, 25, 1), (other, 25, 2)):
        sta.search(looker, scripts=scripts, actions=5, from_seed=from_seed)
    assert len(one.seen) >= 25
    assert one.seen == same.seen != other.seen
    assert len(set(one.seen)) > 15, "a batch does not repeat the one before"


def test_what_the_judge_cannot_do_is_not_met(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makeconftest(
        """
        from session_conformance.suites import sta

        def judge_script(*_, **__):
            [].index("a slip in the judge")

        sta.judge_script = judge_script
        """
    )
    run = pytester.runpytest_subprocess(CORRECT, "-k", "STA-01")
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["*1 could not be judged (STA-01)*"])


def test_a_script_that_cannot_be_played_says_nothing(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(*_: object, **__: object) -> None:
        raise CannotBePlayed("not here")

    monkeypatch.setattr(sta, "play", play)
    player = Player(backend_of(SnapshotFileManager), pytestconfig)
    sta.search(player, scripts=5, actions=5, from_seed=1)
    assert player.played > player.judged == 0
    with pytest.raises(NotApplicable, match="not here"):
        player.judge(Script().user("hello"))
    with pytest.raises(RuntimeError, match=r"none of \d+ scripts could be judged: not here"):
        sta._nothing_judged(player)


@pytest.mark.parametrize("broken", [broken_apis.IgnoresSessions, broken_apis.KeepsTheFirstSnapshots])
def test_what_a_store_does_wrong_itself_counts(broken: type, pytestconfig: pytest.Config) -> None:
    player = Player(backend_of(broken), pytestconfig)
    with pytest.raises(Violation):
        sta.search(player, scripts=40, actions=10, from_seed=SEED)
    assert player.failed is not None
    plain = plain_backend(player.backend.interface)
    assert plain is not None
    Player(plain, pytestconfig).judge(player.failed[0])  # raises nothing


def test_what_the_manager_does_over_any_store_does_not_count(pytestconfig: pytest.Config) -> None:
    player = Player(backend_of(broken_apis.IgnoresSessions), pytestconfig)
    with pytest.raises(SdkViolation, match="violates it over a plain session repository too"):
        player.judge(Script().user("hello").assistant("I hear you"))
    assert (player.judged, player.excused, player.failed) == (0, 1, None)


def test_a_repository_is_judged_by_what_the_manager_does_right(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-repository=tests.mutants.broken_apis:IgnoresSessions",
        "--session-repository=tests.conforming.plain_dicts:DictRepository",
        "-k",
        "STA-01",
    )
    run.assert_outcomes(passed=1, failed=1)
    run.stdout.fnmatch_lines(["STA-01 measured: * scripts (* of them the SDK's manager's doing) with *"])
