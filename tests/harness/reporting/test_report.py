"""Reports: their JSON loses nothing, says what its schema says, and holds no password; what is no report is refused."""

import json
import sys
import types
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from session_conformance.harness import Result, Verdict
from session_conformance.harness.faults import plans
from session_conformance.harness.faults.tracing import unavailable
from session_conformance.harness.reporting import SCHEMA_FILE, Package, Report, ReportError, read, report_of
from session_conformance.harness.reporting._secrets import conceal
from session_conformance.harness.reporting.report import package_of
from session_conformance.harness.verdicts import Matrix

from tests.harness.reporting import invented

SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def undescribed(data: Any, schema: Any, where: str = "$") -> list[str]:
    """Return the fields of plain data that a schema does not describe."""
    schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for choice in schema.get("anyOf", []):
        if Draft202012Validator({**choice, "$defs": SCHEMA["$defs"]}).is_valid(data):
            return undescribed(data, choice, where)
    found = []
    if isinstance(data, list):
        for number, item in enumerate(data):
            found += undescribed(item, schema["items"], f"{where}[{number}]")
    if isinstance(data, dict):
        for name, item in data.items():
            inside = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            found += [f"{where}.{name}"] if inside is None else undescribed(item, inside, f"{where}.{name}")
    return found


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_field_has_a_description() -> None:
    """The documentation says so, and a field's name says little."""
    missing = [
        f"{name}.{field}"
        for name, schema in {"report": SCHEMA, **SCHEMA["$defs"]}.items()
        for field, about in {"": schema, **schema.get("properties", {})}.items()
        if not about.get("description")
    ]
    assert missing == []


def test_no_field_of_the_schema_stands_there_twice() -> None:
    """JSON keeps the last of two without a word."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)

    json.loads(SCHEMA_FILE.read_text(encoding="utf-8"), object_pairs_hook=once)


def test_everything_that_a_report_holds_is_described() -> None:
    data = invented.report().to_dict()
    Draft202012Validator(SCHEMA).validate(data)
    assert undescribed(data, SCHEMA) == []
    assert undescribed({**data, "secret": 1}, SCHEMA) == ["$.secret"]


def test_a_real_report_is_as_the_schema_says(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=strands-file", "--session-manager=reference-file", "-k", "ORD-02 or COR-01 or COR-05 or S3A",
        "-n2", "--conformance-report=r.json", "--conformance-report=r.html", "--conformance-report=r.md",
        "--hypothesis-seed=4711",
    )  # fmt: skip
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    data = json.loads((pytester.path / "r.json").read_text(encoding="utf-8"))
    Draft202012Validator(SCHEMA).validate(data)
    assert undescribed(data, SCHEMA) == []
    report = read(pytester.path / "r.json")
    assert report.seeds == {"hypothesis": 4711}
    assert "--session-manager=strands-file --session-manager=reference-file -k 'ORD-02 or " in report.command
    assert report.requirements is not None
    sdk, reference = report.backends
    assert (sdk.verdict.conforms, reference.verdict.conforms) == (False, True)
    by_id = {result.id: result for result in sdk.verdict.results}
    update = by_id["ORD-02"]
    assert update.command == "pytest --session-manager=strands-file -k ORD-02"
    marked = [event for event in update.events if event["marked"]]
    assert [(event["from"], event["to"], event["kind"]) for event in marked[:1]] == [("agent", "hooks", "HookCalled")]
    assert "pending" in marked[0]["stored"]
    damaged = by_id["COR-01"]
    assert damaged.matrix is not None
    matrix = Matrix(**damaged.matrix)
    cases = sum(matrix.total(column) for column in matrix.columns)
    wrong = matrix.total("other exception") + matrix.total("hang")
    assert f"in {wrong} of {cases} cases" in damaged.found
    assert {"deleted", "bit flipped"} <= set(matrix.counts)
    for name in ("r.html", "r.md"):
        assert "ORD-02" in (pytester.path / name).read_text(encoding="utf-8")


@pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))
def test_crashes_and_faults_are_counted(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_subprocess(
        "--session-manager=reference-file", "-k", "DUR-01 or DUR-02 or DUR-03", "--conformance-report=r.json"
    )
    assert run.ret == pytest.ExitCode.OK
    [backend] = read(pytester.path / "r.json").backends
    kills, cuts, faults = (Matrix(**result.matrix or {}) for result in backend.verdict.results)
    for matrix in (kills, cuts, faults):
        assert not any(matrix.total(column) for column in matrix.bad)
        assert all(matrix.counts)
    assert kills.counts["killed before anything was written"] == {"all restored": 1}
    assert sum(kills.counts["killed within a write"].values()) > 100
    assert "nothing was lost" in cuts.counts
    assert sum(faults.total(column) for column in faults.columns) == len(list(plans()))


def test_the_json_loses_nothing() -> None:
    written = invented.report()
    for backend in written.backends:  # the harness's own results: nothing that only these tests know
        names = {item.name for item in fields(Result)}
        kept = [
            {name: value for name, value in one.to_dict().items() if name in names} for one in backend.verdict.results
        ]
        backend.verdict.results = [Result(**one) for one in kept]
        backend.verdict.of = written.requirements
    assert Report.from_json(written.to_json()) == written
    assert Report.from_json(written.to_json()).to_json() == written.to_json()


def test_what_a_later_release_adds_is_ignored() -> None:
    data = invented.report().to_dict()
    data["more"] = data["backends"][0]["more"] = data["backends"][0]["results"][0]["more"] = 1
    assert Report.from_json(json.dumps(data)).backends[0].verdict.results[0].id == "LIF-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is no JSON: Expecting property name"),
        ("[]", "it is no report: give a file that --conformance-report=FILE.json has written"),
        ("{}", "it is no report: give a file"),
        ('{"schema": 99}', "its schema is 99, and this release reads schema 1: use the release of"),
        ('{"schema": 1}', "it is no report: $: 'created' is a required property"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ReportError) as refused:
        read(path)
    assert str(refused.value).startswith(f"cannot read {path}: {message}")
    assert "\n" not in str(refused.value)


def test_an_outcome_that_nobody_knows_is_refused() -> None:
    data = invented.report().to_dict()
    data["backends"][1]["results"][2]["outcome"] = "fine " * 100
    with pytest.raises(ReportError, match=r"\$\.backends\[1\]\.results\[2\]\.outcome: 'fine .* … .* is not one of"):
        Report.from_json(json.dumps(data))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"nothing\.json: No such file or directory"):
        read(tmp_path / "nothing.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ReportError, match=r"bytes\.json: it is no text"):
        read(tmp_path / "bytes.json")


def test_no_password_stands_in_a_report() -> None:
    arguments = {"url": "redis://user:hunter2@db:6379/0", "password": "correct horse", "api_key": "k3", "size": "3"}
    violated = Result(
        "b", "LIF-01", "MUST", "violated", "s", "f", found="no host redis://user:hunter2@db, correct horse",
        command="pytest --session-manager-arg='password=correct horse' --session-manager-arg=api_key=k3",
    )  # fmt: skip
    specs = {"b": {"target": "p:M", "arguments": arguments}}
    text = report_of([Verdict("b", [violated])], specs, command=violated.command).to_json()
    for secret in ("hunter2", "correct horse", "=k3", '"k3"'):
        assert secret not in text
    [backend] = Report.from_json(text).backends
    assert backend.arguments == {
        "url": "redis://user:***@db:6379/0", "password": "***", "api_key": "***", "size": "3"
    }  # fmt: skip
    assert "--session-manager-arg=api_key=***" in backend.verdict.results[0].command


def test_what_is_no_password_stays() -> None:
    data = ["sqlite:///{workdir}/s.db", "a@b.example", "http://127.0.0.1:5000/x", "12:30"]
    assert conceal(data, {"prefix": "a@b"}) == data


def test_a_backend_that_was_measured_alone_is_in_the_report() -> None:
    measured = {"name": "append", "unit": "seconds", "median": 1, "min": 1, "max": 1, "rounds": 1}
    [backend] = report_of([], {"b": {"benchmarks": [measured]}}).backends
    assert backend.benchmarks[0].median == 1
    assert backend.verdict.sentence == "b was not judged"
    assert report_of([], {"b": {}}).to_dict()["backends"][0]["conforms"] is None


def installed(folder: Path, name: str, version: str, *, top: str = "", files: str = "", url: str = "") -> None:
    """Write what an installer notes of a distribution."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(files)
    if top:
        (info / "top_level.txt").write_text(top)
    if url:
        (info / "direct_url.json").write_text(json.dumps({"url": url, "dir_info": {"editable": True}}))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which packages are imported."""
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path / "site"


def module(name: str, file: Path) -> None:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__file__ = str(file)


def test_a_backend_has_the_version_of_what_it_was_installed_with() -> None:
    specs = {
        "sdk": {"target": "strands.session:FileSessionManager"},
        "reference": {"target": "session_conformance.reference_impl:FileSessionManager"},
        "own": {"target": "json:never_installed"},
        "unnamed": {},
    }
    report = report_of([], specs)
    packages = {backend.name: backend.package for backend in report.backends}
    assert packages == {
        "sdk": Package("strands-agents", version("strands-agents")),
        "reference": Package("strands-session-conformance", version("strands-session-conformance")),
        "own": None,
        "unnamed": None,
    }
    for name in ("pytest-benchmark", "boto3", "moto"):
        assert report.versions[name] == version(name)


def test_one_of_several_distributions_of_a_namespace_is_told_by_its_files(site: Path) -> None:
    for name in ("one", "two"):
        installed(site, f"acme-{name}", "1.2", top="acme_space", files=f"acme_space/{name}/__init__.py,,\n")
        (site / "acme_space" / name).mkdir(parents=True)
        (site / "acme_space" / name / "__init__.py").touch()  # Python 3.12 lists no file that is not there
    assert package_of("acme_space.two:Manager") == {"name": "acme-two", "version": "1.2"}
    assert package_of("acme_space.three:Manager") is None


def test_an_editable_project_is_found_by_its_folder(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "my project"
    installed(site, "acme", "3.0.dev1", files="_acme.pth,,\n", url=project.as_uri())
    module("acme_editable", project / "src" / "acme_editable" / "__init__.py")
    assert package_of("acme_editable:Manager") == {"name": "acme", "version": "3.0.dev1"}


def test_a_module_that_only_shares_its_name_has_no_version(site: Path, tmp_path: Path) -> None:
    installed(site, "acme", "3.0", top="acme_other")
    module("acme_other", tmp_path / "acme_other.py")
    assert package_of("acme_other:Manager") is None
    module("acme_other", site / "acme_other.py")
    assert package_of("acme_other:Manager") == {"name": "acme", "version": "3.0"}


def test_a_matrix_counts() -> None:
    matrix = Matrix.of("t", "r", [("a", "x"), ("a", "x"), ("b", "y")], columns=["x", "y", "z"], bad=["y"])
    assert matrix.counts == {"a": {"x": 2}, "b": {"y": 1}}
    assert [matrix.total(column) for column in matrix.columns] == [2, 1, 0]
    assert Matrix(**matrix.to_dict()) == matrix
    with pytest.raises(ValueError, match="'w' is no column"):
        Matrix.of("t", "r", [("a", "w")], columns=["x"])
