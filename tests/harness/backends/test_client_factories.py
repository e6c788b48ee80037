"""Arguments that stand for what a function returns: clients, pools and sessions of a library's."""

from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import BackendError, BackendSpec, Script, Session, Workspace, expect_no_failure, play
from session_conformance.harness.process import close_all
from session_conformance.harness.timeline import texts
from strands.session import FileSessionManager


class Client:
    """What a library would have: a place, and something to close."""

    closed = 0

    def __init__(self, place: str, *, retries: int = 0) -> None:
        self.place, self.retries = place, retries

    def close(self) -> None:
        type(self).closed += 1


def client_of(workdir: str, unique: str) -> Client:
    return Client(f"{workdir}/{unique}")


class TakesAClient(FileSessionManager):
    """Keeps its data where its client says."""

    def __init__(self, session_id: str, client: Client) -> None:
        self.client = client
        super().__init__(session_id, client.place)


def session_with(client: str, folder: Path) -> Session:
    target = f"{__name__}:TakesAClient"
    return Session(
        BackendSpec("one", target, {"client": client}).resolve(), Workspace(folder, {"unique": "one_of_a_kind"})
    )


@pytest.mark.parametrize(
    "client",
    [f"factory:{__name__}:client_of", f"factory:{__name__}:Client({{workdir}}/{{unique}}, retries=3)"],
)
def test_a_manager_is_given_what_a_factory_makes(client: str, tmp_path: Path) -> None:
    session = session_with(client, tmp_path)
    before = Client.closed
    expect_no_failure(play(session, Script().user("Hello"), observing=False))
    assert texts(session.read().messages) == ["Hello"]
    [place] = tmp_path.iterdir()
    assert place.name == session.workspace.unique
    manager: Any = session.open()
    assert manager.client.retries == (3 if "retries" in client else 0)
    close_all()
    assert Client.closed >= before + 3


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ("factory:redis", "expected factory:module:function"),
        ("factory:no_such_module:connect", "cannot be found: No module named 'no_such_module'"),
        ("factory:pathlib:Path.nothing", "cannot be found"),
        ("factory:pathlib:__name__", "is a str, and no function"),
        (f"factory:{__name__}:Client({{nowhere}})", "unknown placeholder {nowhere}"),
    ],
)
def test_what_cannot_be_made_is_said(client: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        session_with(client, tmp_path).open()
    assert said in str(caught.value)


def test_the_services_that_a_factory_needs_are_started() -> None:
    spec = BackendSpec("one", f"{__name__}:TakesAClient", {"client": "factory:redis:Redis.from_url({redis_url})"})
    assert spec.resolve().services == {"redis"}
