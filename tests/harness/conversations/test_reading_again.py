"""A session on a server is read again only where something has gone over the wire since it was read."""

from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import Backend, Script, Session, Workspace, play
from session_conformance.harness.services import NoService, Places, Seam, Services
from session_conformance.harness.timeline import HookCalled

from tests.conforming.server_managers import RedisManager


def test_a_session_that_nobody_has_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services, opened = Services({}), {"often": 0, "now and then": 0}
    try:
        places = [Places(services, name, {}, {"redis"}) for name in ("often", "now_and_then")]
    except NoService as reason:
        pytest.skip(str(reason))

    def open_counted(session_id: str, workspace: Workspace) -> Any:
        opened["often" if workspace is often else "now and then"] += 1
        return RedisManager(session_id, workspace.values["redis_url"])

    often, seldom = Workspace(tmp_path, places[0]), Workspace(tmp_path, places[1])
    script = Script().user("one").assistant("two").restarts_process().user("three")
    backend = Backend("redis", open_counted)
    try:
        found = play(Session(backend, seldom), script)
        monkeypatch.setattr(Seam, "quiet", None)
        always = play(Session(backend, often), script)
    finally:
        services.stop()
    shown = [[len(call.stored.messages) for call in one.of(HookCalled) if call.stored] for one in (found, always)]
    assert shown[0] == shown[1]
    assert opened["now and then"] < opened["often"]
