"""validate(backend), from Python, gives the verdicts that pytest gives."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json
from session_conformance.fixtures import validate
from session_conformance.harness import Backend, BackendError
from strands.session import FileSessionManager

def made(session_id, workspace):
    return FileSessionManager(session_id, storage_dir=str(workspace.folder))

def verdicts(given):
    [backend] = validate(given, requirements=["LIF-02", "ORD-02", "S3A-01"]).backends
    return {result.id: result.outcome for result in backend.verdict.results}

print(json.dumps([verdicts(given) for given in ("strands-file", FileSessionManager, made, Backend("own", made))]))
for wrong in ("nowhere:Manager", int):
    try:
        validate(wrong)
    except BackendError as error:
        print(error)
"""


def test_the_verdicts_are_those_of_pytest(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=strands-file", "-k", "LIF-02 or ORD-02 or S3A-01", "--conformance-report=r.json"
    )
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    [backend] = json.loads((pytester.path / "r.json").read_text())["backends"]
    expected = {result["id"]: result["outcome"] for result in backend["results"]}
    assert set(expected.values()) == {"violated", "not applicable"}
    Path("pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")  # it is the project's, for its own tests
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    shown, *wrong = done.stdout.splitlines()
    assert json.loads(shown) == [expected] * 4, done.stderr
    assert wrong == [
        "--session-manager: cannot import 'nowhere': no module 'nowhere' is on the path: install your project (pip"
        " install -e .), or name its folder in pytest's configuration (pythonpath = ['src'])",
        "session_manager is a type: expected a name, the class of a strands.session.SessionManager, a Backend or a"
        " callable (session_id, workspace)",
    ]


SCRIPT = """
from session_conformance.fixtures import validate
from session_conformance.reference_impl import FileSessionManager

with open("loaded", "a") as file:
    print(__name__, file=file)

class OfTheScript(FileSessionManager):
    "A backend that another process finds by loading this script."

[backend] = validate({given}, requirements=["LIF-03"]).backends
print(*[result.outcome + " " + result.reason for result in backend.verdict.results])
"""


@pytest.mark.parametrize(
    ("given", "outcome", "loaded"),
    [("'reference-file'", "met", ["__main__"]), ("OfTheScript", "could not be judged", ["__main__", "__mp_main__"])],
    ids=["of a module", "of the script"],
)
def test_a_script_without_a_guard_is_not_run_by_other_processes(
    given: str, outcome: str, loaded: list[str], tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.format(given=given))
    run = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.startswith(f"{outcome} ")
    assert sorted(set((tmp_path / "loaded").read_text().split())) == loaded
    assert ("must do nothing else there than below 'if __name__ ==" in run.stdout) == ("__mp_main__" in loaded)
