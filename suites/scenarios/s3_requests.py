"""Requests to S3, counted: what a message and a restore take, and what that costs a year."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.table import Table
from session_conformance.fixtures import configured_backends, named_specs
from session_conformance.harness import (
    BackendError,
    Conversation,
    Script,
    Session,
    Timeline,
    Workspace,
    expect_no_failure,
)
from session_conformance.harness.process import clock, tolerating_warnings
from session_conformance.harness.s3 import NoEndpoint, Record, S3Endpoint, environment, usd
from session_conformance.harness.scripts import Start, Stop

from .stored_history import expect_readable

CONVERSATIONS_A_YEAR = 365_000
MESSAGES_A_CONVERSATION = 100
RESTORES_A_CONVERSATION = 2
"""The stated load: a thousand conversations a day, of a hundred messages each, and each restored twice."""

LOAD = (
    f"{CONVERSATIONS_A_YEAR:,} conversations a year of {MESSAGES_A_CONVERSATION} messages,"
    f" each restored {RESTORES_A_CONVERSATION} times"
)


@dataclass(frozen=True)
class Counted:
    """What a conversation and its restore took.

    Attributes:
        messages: How many messages there were.
        writing: The requests between its start and its stop.
        restoring: The requests of a restore.
    """

    messages: int
    writing: Record
    restoring: Record

    @property
    def a_message(self) -> float:
        """Requests a message."""
        return len(self.writing) / self.messages

    @property
    def bytes_a_message(self) -> float:
        """Bytes sent a message."""
        return sum(exchange.sent for exchange in self.writing.exchanges) / self.messages

    @property
    def usd_a_year(self) -> float:
        """What the requests of the stated load cost a year, in US dollars, at this conversation's counts."""
        writing = usd(self.writing.counts) / self.messages * MESSAGES_A_CONVERSATION
        return CONVERSATIONS_A_YEAR * (writing + RESTORES_A_CONVERSATION * usd(self.restoring.counts))

    def __str__(self) -> str:
        return (
            f"{self.a_message:.2f} requests a message ({_shown(self.writing.counts)}),"
            f" {len(self.restoring)} a restore of {self.messages} messages ({_shown(self.restoring.counts)})"
        )


def count_requests(s3: S3Endpoint, session: Session, turns: int) -> Counted:
    """Play a long conversation, restore it, and count.

    Args:
        s3: The endpoint.
        session: A new session.
        turns: How many turns there shall be, each of a message of the user and one of the assistant.

    Raises:
        Violation: The conversation failed, or cannot be restored.
    """
    bucket = session.workspace.values["bucket"]
    written = Record()

    async def main() -> Timeline:
        nonlocal written
        conversation = Conversation(session, Script(), observing=False)
        await conversation.step(Start())
        with s3.seam.recording(bucket) as written:
            for turn in range(turns):
                said = Script().user(f"This is what I say in turn {turn}").assistant(f"And this is answer {turn}")
                for step in said.steps:
                    await conversation.step(step)
        await conversation.step(Stop())
        return conversation.timeline

    with tolerating_warnings():
        expect_no_failure(clock.run(main()))
    with s3.seam.recording(bucket) as restoring:
        reading = session.read()
    expect_readable(reading, "after the conversation")
    return Counted(len(reading.messages), written, restoring)


def _shown(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {operation}" for operation, count in counts.most_common())


def count_for(specs: Sequence[str], lengths: Sequence[int]) -> Iterator[tuple[str, Counted]]:
    """Count for several backends and lengths, each in a bucket of its own on moto's server.

    Args:
        specs: Importable or configured names.
        lengths: Numbers of messages.

    Raises:
        BackendError: A backend cannot be found, or is given no bucket; or there is no S3 endpoint.
    """
    backends = [spec.resolve() for spec in named_specs(specs, configured_backends(Path.cwd()))]
    for backend in backends:
        if not backend.on_s3:
            raise BackendError(f"{backend.name} is given no bucket, so it makes no requests to S3")
    try:
        s3 = S3Endpoint()
    except NoEndpoint as error:
        raise BackendError(str(error)) from error
    with environment(s3.environment()), tempfile.TemporaryDirectory(prefix="session-conformance-") as folder:
        for backend in backends:
            for length in lengths:
                workspace = Workspace(Path(folder), s3.values(s3.new_bucket()), s3.environment())
                yield backend.name, count_requests(s3, Session(backend, workspace), length // 2)
    s3.stop()


def as_table(found: Sequence[tuple[str, Counted]]) -> Table:
    """Return what was counted for several backends and lengths, for a terminal.

    Args:
        found: The backend's name and what was counted, row by row.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=f"a year: {LOAD}", caption_justify="left")
    for heading in ("backend", "messages", "requests a message", "bytes a message", "requests a restore", "USD a year"):
        table.add_column(heading, justify="left" if heading == "backend" else "right")
    for name, counted in found:
        a_year = f"{counted.usd_a_year:,.0f}" if counted.messages == MESSAGES_A_CONVERSATION else "-"
        table.add_row(
            name,
            f"{counted.messages:,}",
            f"{counted.a_message:.3f}",
            f"{counted.bytes_a_message:,.0f}",
            str(len(counted.restoring)),
            a_year,
        )
    return table
