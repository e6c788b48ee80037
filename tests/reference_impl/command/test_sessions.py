"""``session-conformance sessions``: the same on a folder and on S3, for people and as JSON."""

import gc
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest
from session_conformance.harness import Backend, BackendSpec, Script, Session, Workspace, play
from session_conformance.harness.s3 import S3Endpoint, environment
from session_conformance.reference_impl.command import main

TALK = (
    Script().user("My name is Alice").assistant("Hello Alice").user("Weather in Paris?").calls("weather", city="Paris")
)


@dataclass
class Place:
    """Where sessions are kept, with a way to begin one and to run the command on it."""

    text: str
    backend: Backend
    workspace: Workspace
    capsys: pytest.CaptureFixture[str]

    def begin(self, session_id: str) -> None:
        play(Session(self.backend, self.workspace, session_id=session_id), TALK, observing=False)
        gc.collect()  # no manager of this process has it open any more

    def begin_with_sdk(self, session_id: str) -> None:
        config = {"bucket": self.workspace.values["bucket"], "prefix": "voice"} if self.backend.name == "s3" else {}
        kind = "S3SessionManager" if config else "FileSessionManager"
        backend = BackendSpec("sdk", f"strands.session:{kind}", config).resolve()
        play(Session(backend, self.workspace, session_id=session_id), TALK, observing=False)

    def run(self, command: str, *words: str) -> tuple[int, str, str]:
        code = main(["sessions", command, self.text, *words])
        said = self.capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture(params=["folder", "bucket"])
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    s3: S3Endpoint,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Place]:
    if request.param == "folder":
        backend = BackendSpec("file", "session_conformance.reference_impl:FileSessionManager").resolve()
        yield Place(str(tmp_path), backend, Workspace(tmp_path), capsys)
        return
    bucket = s3.new_bucket()
    backend = BackendSpec(
        "s3", "session_conformance.reference_impl:S3SessionManager", {"bucket": bucket, "prefix": "voice"}
    ).resolve()
    values = {"bucket": bucket, "prefix": "voice", "endpoint_url": s3.url, "region_name": "us-east-1"}
    with environment(s3.environment()):
        yield Place(f"s3://{bucket}/voice", backend, Workspace(tmp_path, values), capsys)


def test_sessions_are_listed(place: Place) -> None:
    assert place.run("list") == (0, f"no sessions in {place.text}\n", "")
    place.begin("alice")
    place.begin("bob")
    code, shown, _ = place.run("list")
    assert code == 0
    assert sorted(line.split()[-1] for line in shown.splitlines()) == ["alice", "bob"]
    listed = json.loads(place.run("list", "--json")[1])
    assert {one["session_id"] for one in listed} == {"alice", "bob"}
    assert all(datetime.fromisoformat(one["updated_at"]) <= datetime.now(timezone.utc) for one in listed)


def test_a_conversation_is_shown_for_people_and_as_json(place: Place) -> None:
    place.begin("alice")
    code, shown, _ = place.run("show", "alice")
    assert code == 0
    assert re.search(r"user: My name is Alice\n.*assistant: Hello Alice\n", shown)
    assert "[calls weather with {'city': 'Paris'}]" in shown
    stored = json.loads(place.run("show", "alice", "--json")[1])["agents"]["default"]["messages"]
    assert stored[0]["content"] == [{"text": "My name is Alice"}]


def test_what_is_not_there_is_said_in_one_line_and_nothing_is_made(place: Place) -> None:
    for command in ("show", "verify", "repair", "delete"):
        code, shown, said = place.run(command, "nobody")
        assert (code, shown) == (4, "")
        assert re.fullmatch(r"session-conformance: .*nobody.*\n", said)
    assert place.run("list")[1] == f"no sessions in {place.text}\n"


def test_whole_sessions_are_verified(place: Place) -> None:
    place.begin("alice")
    place.begin("bob")
    code, shown, _ = place.run("verify")
    assert code == 0
    assert re.findall(r"^(\w+): whole, \d+ commits$", shown, re.MULTILINE) != []
    assert place.run("repair", "alice", "--dry-run")[:2] == (0, "alice: whole, nothing to repair\n")


def test_sessions_are_deleted_all_or_none_and_not_in_a_dry_run(place: Place) -> None:
    place.begin("alice")
    place.begin("bob")
    assert place.run("delete", "alice", "--dry-run")[:2] == (0, "would remove alice\n")
    assert place.run("delete", "alice", "nobody")[0] == 4
    assert {one["session_id"] for one in json.loads(place.run("list", "--json")[1])} == {"alice", "bob"}
    assert place.run("delete", "alice", "bob")[:2] == (0, "removed alice\nremoved bob\n")
    assert place.run("list")[1] == f"no sessions in {place.text}\n"


def test_sessions_of_the_sdks_manager_are_imported_and_written_back(place: Place) -> None:
    assert place.run("import")[:2] == (0, f"nothing to import: the SDK's manager keeps no sessions in {place.text}\n")
    place.begin_with_sdk("alice")
    place.begin_with_sdk("bob")
    assert place.run("import", "--dry-run")[:2] == (0, "would import alice\nwould import bob\n")
    said = (
        f"no sessions in {place.text}; the SDK's manager keeps 2 there, which 'sessions import {place.text}' imports\n"
    )
    assert place.run("list") == (0, said, "")
    code, _, said = place.run("import", "alice", "nobody")
    assert (code, said) == (4, f"session-conformance: the SDK's manager keeps no session 'nobody' in {place.text}\n")
    code, shown, _ = place.run("import")
    assert code == 0
    assert re.fullmatch(r"imported alice, [1-9]\d* messages\nimported bob, [1-9]\d* messages\n", shown)
    assert "user: My name is Alice" in place.run("show", "bob")[1]
    assert place.run("import")[1] == shown  # once more stores nothing twice

    place.begin("carol")
    assert place.run("export", "carol", "nobody")[0] == 4
    assert place.run("export", "carol", "--dry-run")[:2] == (0, "would export carol\n")
    assert place.run("delete", "bob")[0] == 0
    assert place.run("export", "alice", "carol")[:2] == (0, "exported alice\nexported carol\n")
    imported = json.loads(place.run("import", "--json")[1])["imported"]
    assert [one["session_id"] for one in imported] == ["alice", "carol"]
    carol = json.loads(place.run("show", "carol", "--json")[1])["agents"]["default"]
    assert imported[1]["messages"] == len(carol["messages"])


def test_snapshots_are_imported_and_written_back(place: Place, tmp_path: Path) -> None:
    there = place.text + "/snapshots" if place.text.startswith("s3://") else str(tmp_path / "snapshots")
    place.begin("alice")
    where = ("--snapshots", there)
    assert place.run("export", "alice", *where)[:2] == (0, "exported alice\n")
    assert place.run("import", *where)[0] == 0, "what is here already is not stored again"
    said = re.findall(r"\w+: .+", place.run("show", "alice")[1])
    assert said
    assert place.run("delete", "alice")[0] == 0
    assert place.run("import", "bob", *where)[0] == 4
    code, imported, _ = place.run("import", *where)
    assert code == 0
    assert re.fullmatch(r"imported alice, [1-9]\d* messages\n", imported)
    assert re.findall(r"\w+: .+", place.run("show", "alice")[1]) == said


def test_old_sessions_are_cleaned_up(place: Place) -> None:
    place.begin("alice")
    assert place.run("clean-up", "--older-than", "1d")[:2] == (0, "nothing to remove\n")
    assert place.run("clean-up", "--older-than", "0m", "--dry-run")[:2] == (0, "would remove alice\n")
    assert json.loads(place.run("clean-up", "--older-than", "0m", "--json")[1]) == {
        "removed": ["alice"],
        "dry_run": False,
    }


def test_a_damaged_journal_is_found_and_repaired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backend = BackendSpec("file", "session_conformance.reference_impl:FileSessionManager").resolve()
    here = Place(str(tmp_path), backend, Workspace(tmp_path), capsys)
    here.begin("alice")
    journal = next(file for file in tmp_path.rglob("*") if file.is_file() and b"Hello Alice" in file.read_bytes())
    journal.write_bytes(journal.read_bytes().replace(b"Hello Alice", b"Hullo Alice"))
    code, shown, _ = here.run("verify", "alice")
    assert code == 1
    assert shown.startswith("alice: damaged")
    before = journal.read_bytes()
    assert here.run("repair", "alice", "--dry-run")[0] == 1
    assert journal.read_bytes() == before
    code, shown, _ = here.run("repair", "alice")
    assert code == 1, "a message was lost, and the exit code says so"
    assert "lost: " in shown
    assert here.run("verify", "alice")[0] == 0


def test_a_session_of_which_the_beginning_is_lost_is_told_of_by_whoever_looks_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It cannot be listed, since nothing says whose it is; to be silent of it would be to call the rest whole."""
    backend = BackendSpec("file", "session_conformance.reference_impl:FileSessionManager").resolve()
    here = Place(str(tmp_path), backend, Workspace(tmp_path), capsys)
    here.begin("alice")
    (tmp_path / "journal_bob").mkdir()  # as a crash leaves one behind, in which nothing was stored
    assert here.run("verify")[0] == 0
    journal = tmp_path / "journal_alice" / "journal"
    journal.write_bytes(journal.read_bytes()[:200])
    for command, words in (("verify", ()), ("verify", ("--json",)), ("list", ()), ("list", ("--json",))):
        code, shown, said = here.run(command, *words)
        assert code == 1, command
        assert said.startswith("session-conformance: journal_alice: its journal is damaged"), command
        assert said.count("\n") == 1, "the empty folder is nothing to tell of"
        if words:
            assert json.loads(shown) == []


def test_a_root_in_a_bucket_that_is_not_what_was_stored_is_told_of_by_whoever_looks_at_all(
    place: Place, s3: S3Endpoint
) -> None:
    if place.backend.name != "s3":
        pytest.skip("files have no root")
    place.begin("alice")
    bucket, client = place.workspace.values["bucket"], s3.client
    root = next(one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"] if one["Key"].endswith("root"))
    client.put_object(Bucket=bucket, Key=root, Body=b"something else")
    for command in ("verify", "list"):
        code, _, said = place.run(command)
        assert (code, "journal_alice" in said, "is not what was stored" in said) == (1, True, True)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (lambda folder: str(folder / "nowhere"), "there is no folder"),
        (lambda folder: __file__, "is no folder"),
        (lambda folder: "s3://", "names no bucket"),
    ],
)
def test_a_place_that_is_none_is_an_error(
    where: Callable[[Path], str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "list", where(tmp_path)]) == 4
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_an_age_is_a_number_and_a_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "clean-up", str(tmp_path), "--older-than", "soon"]) == 4
    assert "such as 30d" in capsys.readouterr().err
