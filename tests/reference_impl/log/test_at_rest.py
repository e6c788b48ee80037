"""What is sealed at rest, and subclasses that would have sealed by means that are not called here."""

import copy
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from session_conformance.reference_impl import FileSessionManager, S3SessionManager
from session_conformance.reference_impl.log.codec import digest
from strands.session import FileSessionManager as SdkFileSessionManager
from strands.session import S3SessionManager as SdkS3SessionManager
from strands.types.exceptions import SessionException

from .test_history_in_memory import agent

DOCS = Path(__file__).parents[3] / "docs" / "reference-file.md"
SECRET = "my card is 4111-1111"


@pytest.fixture
def key_per_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The example of the documentation, as it stands there."""
    pytest.importorskip("cryptography")
    [example] = [code for code in re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S) if "KeyPerSession" in code]
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(example, str(DOCS), "exec"), names)
    assert isinstance(names["manager"], FileSessionManager)
    return names["KeyPerSession"](tmp_path / "keys")


@pytest.fixture(params=["files", "S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Returns a manager of a session: on files, or on S3."""
    if request.param == "files":
        return lambda at_rest: FileSessionManager("s", str(tmp_path / "sessions"), at_rest=at_rest)
    request.getfixturevalue("s3")
    bucket = request.getfixturevalue("bucket")
    return lambda at_rest: S3SessionManager("s", bucket, at_rest=at_rest)


def stored_by(manager: Any) -> bytes:
    if isinstance(manager, FileSessionManager):
        return b"".join(path.read_bytes() for path in Path(manager.storage_dir).rglob("*") if path.is_file())
    keys = [item["Key"] for item in manager.client.list_objects_v2(Bucket=manager.bucket)["Contents"]]
    return b"".join(manager.client.get_object(Bucket=manager.bucket, Key=key)["Body"].read() for key in keys)


def test_nothing_that_was_said_is_in_clear(place: Any, key_per_session: Any, tmp_path: Path) -> None:
    manager = place(key_per_session)
    first = agent(tmp_path, session_manager=manager, state={"card": SECRET})
    first(SECRET)
    first(f"again: {SECRET}")
    manager.redact_latest_message({**first.messages[-1], "content": [{"text": "[redacted]"}]}, first)
    first("and on")
    assert SECRET.encode() not in stored_by(manager)
    restored = agent(tmp_path, session_manager=place(key_per_session))
    assert SECRET in str(restored.messages[0])
    assert restored.state.get("card") == SECRET
    assert [message["tracking_id"] for message in restored.messages] == [m["tracking_id"] for m in first.messages]


def test_two_managers_in_turn(place: Any, key_per_session: Any, tmp_path: Path) -> None:
    one = agent(tmp_path, session_manager=place(key_per_session))
    other = agent(tmp_path, session_manager=place(key_per_session))
    for number in range(3):
        one(f"one {number}")
        other(f"other {number}")
    assert len(agent(tmp_path, session_manager=place(key_per_session)).messages) == 12


def test_without_the_key_nothing_is_had(place: Any, key_per_session: Any, tmp_path: Path) -> None:
    agent(tmp_path, session_manager=place(key_per_session))(SECRET)
    with pytest.raises(SessionException, match="is sealed"):
        place(None)
    key_per_session.destroy("s")
    with pytest.raises(SessionException, match="cannot be opened by KeyPerSession"):
        place(key_per_session)


def test_a_session_in_clear_goes_on_sealed(place: Any, key_per_session: Any, tmp_path: Path) -> None:
    agent(tmp_path, session_manager=place(None))("hello")
    agent(tmp_path, session_manager=place(key_per_session))(SECRET)
    manager = place(key_per_session)
    assert len(agent(tmp_path, session_manager=manager).messages) == 4
    assert SECRET.encode() not in stored_by(manager)


def test_a_seal_that_fails_stores_nothing(place: Any, key_per_session: Any, tmp_path: Path) -> None:
    class Fails:
        fails = False

        def seal(self, data: bytes, session_id: str) -> bytes:
            if self.fails:
                raise OSError("no key server")
            return key_per_session.seal(data, session_id)  # type: ignore[no-any-return]

        def open(self, data: bytes, session_id: str) -> bytes:
            return key_per_session.open(data, session_id)  # type: ignore[no-any-return]

    at_rest = Fails()
    manager = place(at_rest)
    first = agent(tmp_path, session_manager=manager)
    at_rest.fails = True
    with pytest.raises(SessionException, match="no key server"):
        first(SECRET)
    assert SECRET.encode() not in stored_by(manager)
    at_rest.fails = False
    first("and on")
    assert len(agent(tmp_path, session_manager=place(at_rest)).messages) == len(first.messages)


def test_a_seal_that_returns_no_bytes_is_told_as_one_that_fails(tmp_path: Path) -> None:
    class Texts:
        seal = open = staticmethod(lambda data, session_id: "text")

    at_rest: Any = Texts()
    with pytest.raises(SessionException, match=r"cannot be sealed: TypeError.*Nothing was stored"):
        agent(tmp_path, session_manager=FileSessionManager("s", str(tmp_path), at_rest=at_rest))


def test_sealed_sessions_are_listed_verified_and_repaired(tmp_path: Path, key_per_session: Any) -> None:
    folder = str(tmp_path / "sealed")
    first = agent(tmp_path, session_manager=FileSessionManager("s", folder, at_rest=key_per_session))
    for number in range(3):
        first(f"{SECRET} {number}")
    assert [info.session_id for info in FileSessionManager.list_sessions(folder)] == ["s"]
    assert FileSessionManager.verify("s", folder).ok
    journal = Path(folder) / "journal_s" / "journal"
    data = bytearray(journal.read_bytes())
    data[data.rindex(b'"sealed"') + 40] ^= 1
    journal.write_bytes(data)
    assert not FileSessionManager.verify("s", folder).ok
    with pytest.raises(SessionException, match="is sealed"):
        FileSessionManager.repair("s", folder)
    assert FileSessionManager.repair("s", folder, at_rest=key_per_session).kept
    assert SECRET.encode() not in journal.read_bytes()
    restored = agent(tmp_path, session_manager=FileSessionManager("s", folder, at_rest=key_per_session))
    assert SECRET in str(restored.messages)


def test_what_is_noted_of_an_import_is_sealed_too(place: Any, key_per_session: Any, tmp_path: Path) -> None:
    ours = place(key_per_session)
    if isinstance(ours, FileSessionManager):
        sdks: Any = partial(SdkFileSessionManager, "i", storage_dir=ours.storage_dir)
        mine: Any = partial(FileSessionManager, "i", ours.storage_dir)
    else:
        sdks, mine = partial(SdkS3SessionManager, "i", ours.bucket), partial(S3SessionManager, "i", ours.bucket)
    agent(tmp_path, session_manager=sdks(), state={"pin": "4711"})("old")
    manager = mine(at_rest=key_per_session)
    first = agent(tmp_path, session_manager=manager)
    first("new")
    manager.redact_latest_message({**first.messages[-1], "content": [{"text": "[redacted]"}]}, first)
    assert digest({"pin": "4711"}).encode() not in stored_by(manager)
    agent(tmp_path, session_manager=sdks())("old 2")
    restored = agent(tmp_path, session_manager=mine(at_rest=key_per_session))
    said = [message["content"][0]["text"] for message in restored.messages if message["role"] == "user"]
    assert said == ["old", "new", "old 2"]
    with pytest.raises(SessionException, match="is sealed"):
        mine()


# -- subclasses that would store in clear ------------------------------------------------------------------

PRIVATE = sorted(
    {
        name
        for kind in (SdkFileSessionManager, SdkS3SessionManager)
        for name, value in vars(kind).items()
        if re.match("_[a-z]", name) and (callable(value) or isinstance(value, staticmethod))
    }
    - {"_abc_impl"}
)


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("base", [FileSessionManager, S3SessionManager])
def test_a_subclass_that_overrides_a_private_method_is_refused(base: type, name: str) -> None:
    override = {name: lambda self, *args: None}
    with pytest.raises(TypeError, match=rf"Mine.*{name}.*(at_rest=|storage_dir=)"):
        type("Mine", (base,), copy.copy(override))
    mixin = type("Mixin", (), override)
    with pytest.raises(TypeError, match=f"Mine: Mixin.{name}"):
        type("Mine", (mixin, base), {})


def test_a_subclass_with_methods_of_its_own_is_made() -> None:
    type("Mine", (FileSessionManager,), {"_read_my_file": lambda self: None, "append_message": lambda *args: None})
