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
