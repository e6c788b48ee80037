"""A backend that cannot be found or built ends the run before any test, with one clear line."""

import pytest

HERE = "tests.plugin.backends"

CASES = {
    "a misspelt module": (
        ["nowhere:Manager"],
        "*no module 'nowhere' is on the path: install your project (pip install -e .), or*",
    ),
    "a misspelt class": ([f"{HERE}:NoManger"], f"'{HERE}' has no attribute 'NoManger'*"),
    "no form of a spec": (["file"], "'file' is neither a configured name (*) nor of the form module:attribute*"),
    "no session manager": ([f"{HERE}:NoManager"], "*NoManager, which is no session manager: expected a subclass*"),
    "no backend at all": ([f"{HERE}:__doc__"], "*is a str, which is no session manager*"),
    "a constructor that raises": (
        [f"{HERE}:RaisesWhenBuilt"],
        "building tests-raises-when-built raised ConnectionError: cannot reach the server at all",
    ),
    "a constructor that ends the process": ([f"{HERE}:EndsTheProcess"], "building * raised SystemExit: 3"),
    "a module that ends the process": (["tests.plugin.ends_the_process:Manager"], "importing '*' raised SystemExit: 3"),
    "an argument it does not take": (
        ["strands.session:FileSessionManager", "folder=x"],
        "strands.session:FileSessionManager takes no argument 'folder' (it takes storage_dir)",
    ),
    "an argument it needs": ([f"{HERE}:NeedsMore"], "*NeedsMore needs url, which the workspace does not have: give*"),
    "an argument of another type": ([f"{HERE}:NeedsMore", "url=db://", "retries=many"], "'many' is no int"),
    "an unknown placeholder": (
        [f"{HERE}:NeedsMore", "url=db://{server}"],
        "unknown placeholder {server}: there is session_id, unique, workdir, and of servers postgres_url, mysql_url, *",
    ),
    "no form of an argument": (
        [f"{HERE}:NeedsMore", "url"],
        "--session-manager-arg 'url' is not of the form KEY=VALUE",
    ),
    "a callable of another form": ([f"{HERE}:takes_nothing"], "*takes_nothing must take (session_id, workspace)*"),
    "a callable that returns something": ([f"{HERE}:gives_something_else"], "*returned a str: expected a strands*"),
    "an argument for a Backend": ([f"{HERE}:AS_BACKEND", "a=b"], "*is a Backend, which takes no arguments: got a"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_clear_line_and_exit_code_4(name: str, pytester: pytest.Pytester) -> None:
    [spec, *arguments], message = CASES[name]
    run = pytester.runpytest_subprocess(
        f"--session-manager={spec}", *(f"--session-manager-arg={argument}" for argument in arguments)
    )
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in run.errlines if line.strip()]
    assert len(errors) == 1, errors
    run.stderr.fnmatch_lines([f"ERROR: --session-manager: {message.replace('[', '[[]')}"])


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ("[tool.session-conformance.backends.mine]\n", "pyproject.toml: backend 'mine' needs target*"),
        ("[tool.session-conformance]\nlevel = 3\n", "pyproject.toml: unknown settings level*"),
        ("[tool]\nsession-conformance = 'x'\n", "pyproject.toml: tool.session-conformance must be a table, not 'x'"),
        ("[tool.session-conformance.backends.mine]\ntarget = 'a:b'\nargs = 1\n", "*backend 'mine': unknown args*"),
    ],
)
def test_a_configuration_that_cannot_be_used(configuration: str, message: str, pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(configuration)
    run = pytester.runpytest_subprocess("--session-manager=mine")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in run.errlines if line.strip()]) == 1
    run.stderr.fnmatch_lines([f"ERROR: *{message}"])


def test_an_unwritable_report_is_found_before_the_run(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-manager=reference-file", "--conformance-report=no/such/folder.json")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(
        ["ERROR: --conformance-report: cannot write no/such/folder.json: No such file or directory"]
    )


def test_a_broken_backend_ends_a_parallel_run_too(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-manager=nowhere:Manager", "-n2")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["ERROR: --session-manager: cannot import 'nowhere'*"])


def test_a_report_whose_format_nobody_knows_is_found_before_the_run(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-manager=reference-file", "--conformance-report=report.pdf")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(
        ["ERROR: --conformance-report: cannot tell the format of report.pdf by its ending: expected .htm, .html, *"]
    )
    assert not (pytester.path / "report.pdf").exists()


@pytest.mark.parametrize(
    "arguments", [["ORD::ORD-01[[]strands-file]"], ["-k", "ORD-01", "no/such/path.py"], ["--no-such-option"]]
)
def test_a_usage_error_leaves_no_report(arguments: list[str], pytester: pytest.Pytester) -> None:
    given = [argument.replace("[[]", "[") for argument in arguments]
    run = pytester.runpytest_subprocess("--conformance-report=new.json", *given)
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert not (pytester.path / "new.json").exists()


def test_an_id_without_anything_to_judge_is_told_how_to_run(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("ORD::ORD-01[strands-file]")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(
        ["ERROR: ORD::ORD-01*is a conformance requirement, * to judge: pytest --session-manager=SPEC -k ORD-01"]
    )
    assert len([line for line in run.errlines if line.strip()]) == 1


def test_an_id_that_there_is_not(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--session-manager=reference-file", "ORD::ORD-99[reference-file]")
    assert run.ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("given", "near"),
    [("--session-managr=x:Y", "--session-manager"), ("--conformance-reports=r.json", "--conformance-report")],
)
def test_an_option_that_there_is_not_is_told_which_is_near(given: str, near: str, pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(given)
    assert run.ret == 4
    run.stderr.fnmatch_lines([f"*unrecognized arguments: {given}", f"  did you mean: {near}"])


def test_an_option_of_somebody_else_is_left_to_pytest(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess("--frobnicate")
    assert run.ret == 4
    run.stderr.no_fnmatch_line("*did you mean*")
