"""``session-conformance sessions``: the same on a folder and on S3, for people and as JSON."""

import asyncio
import gc
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import Backend, BackendSpec, Script, Session, Workspace, play
from session_conformance.harness.s3 import S3Endpoint, environment
from session_conformance.reference_impl.command import main
from session_conformance.reference_impl.command import place as place_module
from session_conformance.reference_impl.log import snapshots
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message

pytestmark = pytest.mark.usefixtures("quickly_collected")

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
        "kept": [],
        "dry_run": False,
    }


def test_a_dry_clean_up_names_what_a_clean_up_removes_and_what_it_keeps(place: Place) -> None:
    place.begin("alice")
    place.begin("bob")
    agent = open_agent(Path(), manager=place_module.place_of(place.text).manager("bob"))
    asyncio.run(add(agent, text_message("I am still here")))
    dry = json.loads(place.run("clean-up", "--older-than", "0m", "--dry-run", "--json")[1])
    assert sorted(one["session_id"] for one in json.loads(place.run("list", "--json")[1])) == ["alice", "bob"]
    code, done, _ = place.run("clean-up", "--older-than", "0m", "--json")
    assert (code, {**json.loads(done), "dry_run": True}) == (1, dry)
    assert dry["removed"] == ["alice"]
    assert len(dry["kept"]) == 1
    agent._session_manager.close()  # type: ignore[union-attr]


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


@pytest.mark.parametrize("age", ["99999999999d", "9" * 5000 + "w"], ids=["days", "digits"])
def test_an_age_that_is_none_is_an_error(age: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "clean-up", str(tmp_path), "--older-than", age]) == 4
    assert "older than anything can be" in capsys.readouterr().err


def test_nothing_is_older_than_the_calendar(place: Place) -> None:
    place.begin("alice")
    assert place.run("clean-up", "--older-than", "999999d") == (0, "nothing to remove\n", "")


@pytest.mark.parametrize("name", ["tenant#1", "tenant?1", "tenant%231", "#"])
def test_another_prefix_is_another_place(name: str, s3: S3Endpoint, bucket: str, capsys: Any) -> None:
    """A deletion in ``tenant#1`` once removed a session of ``tenant``."""
    with environment(s3.environment()):
        texts = [f"s3://{bucket}{end}" for end in ("", "/tenant", f"/{name}")]
        for text in texts:
            place_module.place_of(text).manager("alice").close()
        assert main(["sessions", "delete", texts[2], "alice"]) == 0
        left = [[one.session_id for one in place_module.place_of(text).list()] for text in texts]
    assert left == [["alice"], ["alice"], []]


def test_sessions_below_a_place_are_told_of(place: Place, tmp_path: Path) -> None:
    """A prefix that was forgotten, or the folder above: 'no sessions' is what an operator would believe."""
    above = place.text.rpartition("/")[0] if place.backend.name == "s3" else place.text
    below = [f"{above}/{name}" for name in ("one", "two", "voice", "zoo")]
    for number, one in enumerate(below, 1):
        if place.backend.name == "file":
            Path(one).mkdir()
        place_module.place_of(one).manager("alice").close()
        for command in ("list", "verify"):
            code = main(["sessions", command, above])
            some = ", ".join(below[: min(number, 3)]) + (", and others" if number == 4 else "")
            assert (code, place.capsys.readouterr().out) == (
                0,
                f"no sessions in {above}; there are some in {some}\n",
            )


def damage(place: Place, s3: S3Endpoint, session_id: str) -> None:
    """Leave of a session what no manager can open."""
    if place.backend.name == "s3":
        bucket, client = place.workspace.values["bucket"], s3.client
        client.put_object(Bucket=bucket, Key=f"voice/journal_{session_id}/root", Body=b"something else")
    else:
        Path(place.text, f"journal_{session_id}", "journal").unlink()


def test_what_no_manager_can_open_is_deleted_all_the_same(place: Place, s3: S3Endpoint) -> None:
    place.begin("alice")
    damage(place, s3, "alice")
    assert place.run("delete", "alice", "--dry-run") == (0, "would remove alice\n", "")
    assert place.run("delete", "alice") == (0, "removed alice\n", "")
    assert place.run("delete", "alice") == (
        4,
        "",
        f"session-conformance: there is no session 'alice' in {place.text}\n",
    )
    place.begin("alice")
    assert place.run("verify", "alice")[0] == 0


def test_a_deletion_that_was_cut_short_is_finished(place: Place, s3: S3Endpoint) -> None:
    place.begin("alice")
    bucket, client = place.workspace.values.get("bucket"), s3.client
    if bucket:  # its root and its first commit go first
        for one in client.list_objects_v2(Bucket=bucket)["Contents"]:
            if one["Key"].endswith(("/root", "/c/0000000001")):
                client.delete_object(Bucket=bucket, Key=one["Key"])
    else:
        Path(place.text, "journal_alice").rename(Path(place.text, ".unfinished-journal_alice-01234567"))
    assert place.run("repair", "alice")[0] == 4, "what somebody began to delete is not brought back"
    assert place.run("delete", "alice") == (0, "removed alice\n", "")
    left = client.list_objects_v2(Bucket=bucket).get("KeyCount") if bucket else len(list(Path(place.text).iterdir()))
    assert left == 0


def test_a_deletion_that_fails_says_which_sessions_were_removed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alice", "bob", "carol"):
        place.begin(name)
    original = place_module._Folder.delete if place.backend.name == "file" else place_module._Bucket.delete

    def failing(self: Any, session_id: str) -> None:
        if session_id == "bob":
            raise SessionException("not now")
        original(self, session_id)

    for kind in (place_module._Folder, place_module._Bucket):
        monkeypatch.setattr(kind, "delete", failing)
    code, shown, said = place.run("delete", "alice", "alice", "bob", "carol", "--json")
    assert (code, json.loads(shown)["removed"]) == (1, ["alice", "carol"])
    assert said == "session-conformance: bob was not removed: not now\n"


def test_what_a_clean_up_kept_is_told_and_the_exit_code_says_so(place: Place) -> None:
    agent = open_agent(None, manager=place_module.place_of(place.text).manager("alice"))  # type: ignore[arg-type]
    asyncio.run(add(agent, text_message("hello")))
    code, shown, _ = place.run("clean-up", "--older-than", "0m", "--json")
    kept = json.loads(shown)["kept"]
    assert (code, len(kept), "alice" in kept[0]["name"], bool(kept[0]["reason"])) == (1, 1, True, True)


def test_a_session_that_cannot_be_verified_hides_nothing_of_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is deleted while all are verified, or that may not be read."""
    place.begin("alice")
    place.begin("bob")
    for kind in (place_module._Folder, place_module._Bucket):
        original = kind.verify

        def failing(self: Any, session_id: str, original: Any = original) -> Any:
            if session_id == "bob":
                raise SessionException("it is gone")
            return original(self, session_id)

        monkeypatch.setattr(kind, "verify", failing)
    code, shown, said = place.run("verify")
    assert (code, shown.startswith("alice: whole"), said) == (
        1,
        True,
        "session-conformance: bob was not verified: it is gone\n",
    )


def test_an_import_of_snapshots_that_fails_removes_nothing_that_others_have_stored(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that another process began meanwhile was deleted, with all that it had said by then."""
    there = place.text + "/snapshots" if place.text.startswith("s3://") else str(tmp_path / "snapshots")
    place.begin("alice")
    assert place.run("export", "alice", "--snapshots", there)[0] == 0
    assert place.run("delete", "alice")[0] == 0

    def meanwhile(*_: Any) -> int:
        agent = open_agent(None, manager=place_module.place_of(place.text).manager("alice"))  # type: ignore[arg-type]
        asyncio.run(add(agent, text_message("of another process")))
        raise SessionException("agent 'default' has messages here")

    with monkeypatch.context() as patched:
        patched.setattr(snapshots, "import_snapshots", meanwhile)
        assert place.run("import", "--snapshots", there)[0] == 1
    assert "of another process" in place.run("show", "alice")[1]


def test_an_import_of_snapshots_that_fails_leaves_no_session(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place.text + "/snapshots" if place.text.startswith("s3://") else str(tmp_path / "snapshots")
    place.begin("alice")
    assert place.run("export", "alice", "--snapshots", there)[0] == 0
    assert place.run("delete", "alice")[0] == 0

    def fails(*_: Any) -> int:
        raise SessionException("it cannot be read")

    monkeypatch.setattr(snapshots, "import_snapshots", fails)
    assert place.run("import", "--snapshots", there)[0] == 1
    assert json.loads(place.run("list", "--json")[1]) == []


def test_what_others_wrote_neither_steers_a_terminal_nor_breaks_off_the_command(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "zoë\x1b]0;you\x07"
    agent = open_agent(None, manager=place_module.place_of(place.text).manager(name))  # type: ignore[arg-type]
    asyncio.run(add(agent, text_message("\x1b[2J😀 said")))
    agent._session_manager.close()
    code, shown, _ = place.run("show", name)
    assert (code, "user: \\x1b[2J😀 said" in shown, "\x1b" in shown) == (0, True, False)
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", ascii_only)
        for words in (["list", place.text], ["show", place.text, name], ["show", place.text, name, "--json"]):
            assert main(["sessions", *words]) == 0
    written = ascii_only.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert "zo\\xeb\\x1b]0;you\\x07" in written
    told = json.loads(written[written.index("\n{") :])
    assert told["agents"]["default"]["messages"][0]["content"] == [{"text": "\x1b[2J😀 said"}]


def test_names_that_are_no_text_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = os.fsencode(tmp_path) + b"/session_\xff"
    try:
        os.mkdir(folder)  # noqa: PTH102 - a name that is no text
    except OSError:
        pytest.skip("the file system takes texts only")
    Path(os.fsdecode(folder), "session.json").write_text("{}")
    assert main(["sessions", "import", str(tmp_path), "--dry-run"]) == 0
    assert capsys.readouterr().out == "would import \\udcff\n"
    assert main(["sessions", "import", str(tmp_path), "--json"]) == 1
    [told] = json.loads(capsys.readouterr().out)["imported"]
    assert "lone surrogates" in told["error"]


def test_names_that_others_gave_steer_no_terminal_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = tmp_path / "journal_\x1b[31mred" / "journal"
    journal.parent.mkdir()
    journal.write_text("no journal")
    for command in (["list"], ["verify"], ["verify", "\x1b[31mred"], ["repair", "\x1b[31mred", "--dry-run"]):
        assert main(["sessions", command[0], str(tmp_path), *command[1:]]) != 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert said.err.count("journal_\\x1b[31mred") == 2


def test_a_link_is_told_of_once_when_it_is_not_cleaned_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_agent(tmp_path)._session_manager.close()
    (tmp_path / "journal_link").symlink_to(tmp_path / "journal_s")
    assert main(["sessions", "clean-up", str(tmp_path), "--older-than", "0d", "--dry-run", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told["kept"]] == ["journal_link"]


def test_what_is_no_sessions_stays_as_it_is(s3: S3Endpoint, bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An import of what only looks like a session began one, withdrew it, and removed what others had put beside."""
    others = [f"voice/{name}_logs/{year}.txt" for name in ("session", "journal") for year in (2024, 2025)]
    for key in others:
        s3.client.put_object(Bucket=bucket, Key=key, Body=b"not a session's")
    with environment(s3.environment()):
        place = f"s3://{bucket}/voice"
        assert main(["sessions", "import", place]) == 0
        assert "keeps no sessions" in capsys.readouterr().out
        assert main(["sessions", "import", place, "logs"]) == 4
        manager = place_module.place_of(place).manager("logs")
        with pytest.raises(SessionException, match="does not exist"):
            manager.take_in()
        manager.close()
    left = [one["Key"] for one in s3.client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert left == sorted(others)
