"""A session that is kept behind a seam is read again only where something has changed it since it was read."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from session_conformance.harness import Backend, Script, Session, Workspace, play
from session_conformance.harness.s3 import S3Endpoint, environment
from session_conformance.harness.s3 import Seam as S3Seam
from session_conformance.harness.services import NoService, Places, Seam, Services
from session_conformance.harness.timeline import HookCalled
from strands.session import S3SessionManager

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


def test_a_session_on_s3_that_nobody_has_changed_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, opened = S3Endpoint(), {"always": 0, "where it was changed": 0}
    places = {name: Workspace(tmp_path, endpoint.values(endpoint.new_bucket())) for name in opened}

    def open_counted(session_id: str, workspace: Workspace) -> Any:
        opened[next(name for name, place in places.items() if place is workspace)] += 1
        given = {name: workspace.values[name] for name in ("bucket", "region_name")}
        return S3SessionManager(session_id, **given, boto_client_config=None, boto_session=session)

    script = Script().user("one").assistant("two").restarts_process().user("three")
    backend = Backend("s3", open_counted, on_s3=True)
    with environment(endpoint.environment()):
        session = boto3.Session()
        found = play(Session(backend, places["where it was changed"]), script)
        monkeypatch.setattr(S3Seam, "changes_made", lambda *_: None)
        always = play(Session(backend, places["always"]), script)
    endpoint.stop()
    shown = [[len(call.stored.messages) for call in one.of(HookCalled) if call.stored] for one in (found, always)]
    assert shown[0] == shown[1]
    assert opened["where it was changed"] < opened["always"]
