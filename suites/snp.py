"""SNP: snapshots and the Storage API. Bytes under keys come back, and so do the snapshots that are kept in them."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from session_conformance.fixtures import ConformanceSuite, NewSession, SdkViolation, capabilities_of, outcome
from session_conformance.harness import (
    Backend,
    Capability,
    Level,
    NotApplicable,
    Requirement,
    ScriptedBidiModel,
    Session,
    Timeline,
    Violation,
    expect_same,
    requirement,
    violated,
)
from session_conformance.harness.sdk import BidiAgent, Message
from session_conformance.harness.timeline import same

from . import lif, rpl
from . import ord as order
from .scenarios import (
    expect_kept_in_the_agents_storage,
    expect_redacted_by_each_strategy,
    expect_saved_as_each_strategy_says,
    expect_snapshots_as_triggered,
    expect_stash_forgets_what_is_redacted,
    expect_stash_in_snapshots,
)
from .scenarios.storage_api import (
    expect_listed,
    expect_read,
    opened,
    refused,
    run,
    shown_bytes,
    working,
)
from .scenarios.storage_keys import (
    expect_keys_below_keys,
    expect_keys_told_apart,
    expect_listing,
    expect_odd_keys_listed,
)

STORAGE = (Capability.STORAGE,)
SNAPSHOTS = (Capability.SNAPSHOTS,)

CONTRACT = "A: strands.storage.Storage"

CONTENTS: dict[str, bytes] = {
    "nothing": b"",
    "NUL": b"\0",
    "every byte": bytes(range(256)),
    "line ends": b"\n\r\n\r \t\x1a",
    "what is no UTF-8": b"\xff\xfe\xc3\x28",
    "JSON": b'{"key": "value"}',
    "1 MiB": random.Random(20261124).randbytes(2**20),
}

SNAPSHOTS_TAKEN = 12
UNKNOWN_SNAPSHOT = "01890000-0000-7000-8000-000000000000"
"""An id as the SDK makes them, of a time before any test."""


class SnapshotsAndStorage(ConformanceSuite):
    """SNP: snapshots and the Storage API."""

    @requirement("SNP-01", source=f"{CONTRACT}, 'must round-trip the bytes they are given unchanged'", needs=STORAGE)
    def round_trip(self, new_session: NewSession) -> None:
        """A storage round-trips bytes under keys, empty ones, NUL and 1 MiB too, also for one that is opened later;
        writing again replaces; reading an absent key gives None; deleting one is a no-op.
        """
        session = new_session()

        async def main() -> None:
            writer = opened(session)
            for name, data in CONTENTS.items():
                await working(writer.write(f"contents/{_plain(name)}", data), f"writing {name}")
            for who in (writer, opened(session)):
                for name, data in CONTENTS.items():
                    await expect_read(who, f"contents/{_plain(name)}", data, name)
                await expect_read(who, "contents/absent", None, "a key that was never written")
            await working(writer.delete("contents/absent"), "deleting a key that was never written")
            await working(writer.write("contents/1-MiB", b"short"), "writing again")
            await working(writer.delete("contents/JSON"), "deleting")
            await working(writer.delete("contents/JSON"), "deleting again")
            await working(writer.delete("contents/NUL"), "deleting")
            await working(writer.write("contents/NUL", b"again"), "writing what was deleted")
            changed: dict[str, bytes | None] = {**CONTENTS, "1 MiB": b"short", "JSON": None, "NUL": b"again"}
            for who in (writer, opened(session)):
                for name, now in changed.items():
                    await expect_read(who, f"contents/{_plain(name)}", now, f"{name}, after changes")

        run(main)

    @requirement("SNP-02", source="A: SnapshotSessionManager, 'the storage backend only moves bytes'", needs=STORAGE)
    def under_the_manager(
        self,
        request: pytest.FixtureRequest,
        backend: Backend,
        tmp_path_factory: pytest.TempPathFactory,
        record_property: Callable[[str, object], None],
    ) -> None:
        """SnapshotSessionManager over it meets every MUST of LIF, ORD and RPL, as far as it meets it over any
        storage.
        """
        config = request.config
        has = capabilities_of(backend, config)
        met, of_the_manager, only_should = 0, [], []
        for one, check in _checks():
            if not one.needs <= has:
                continue
            found = outcome(one, check, backend, config, lambda: tmp_path_factory.mktemp("workspace"))
            if isinstance(found, Violation) and one.level is Level.SHOULD:
                only_should.append(one.id)
            elif isinstance(found, Violation):
                raise Violation(
                    f"SnapshotSessionManager over it meets {one.id}: {found.expected}", found.found, found.evidence
                ) from found
            if isinstance(found, SdkViolation):
                of_the_manager.append(one.id)
            met += found is None
        told = f"{met} requirements of LIF, ORD and RPL are met under SnapshotSessionManager"
        if of_the_manager:
            told += f"; {', '.join(of_the_manager)} are violated by SnapshotSessionManager over any storage"
        if only_should:
            told += f"; not met, though it should be: {', '.join(only_should)}"
        record_property("measured", told)

    @requirement(
        "SNP-03", source="A: SnapshotSessionManager.list_snapshot_ids, 'oldest first'; restore_snapshot",
        needs=SNAPSHOTS,
    )  # fmt: skip
    def immutable_snapshots(self, new_session: NewSession) -> None:
        """Immutable snapshots list oldest first, page by page too, and restore exactly, in whatever order, by whoever
        opens the session later; they do not change when the agent goes on, and belong to their agent alone.
        """
        session = new_session()
        taken: list[tuple[str, list[Message], dict[str, Any]]] = []

        async def write() -> None:
            manager, agent = _agent(session)
            for number in range(SNAPSHOTS_TAKEN):
                agent.messages.append(_message(number))
                agent.state.set("taken", number)
                id = await working(manager.save_snapshot(agent, is_latest=False), "saving a snapshot")
                taken.append((id, copy.deepcopy(agent.messages), agent.state.get()))
                await working(manager.save_snapshot(agent, is_latest=True), "saving the latest")
            agent.messages.append(_message(SNAPSHOTS_TAKEN))
            await working(manager.save_snapshot(agent, is_latest=True), "saving the latest")

        async def read() -> None:
            manager, agent = _agent(session)
            ids = [id for id, _, _ in taken]
            for what, options, wanted in (
                ("all", {}, ids),
                ("the first five", {"limit": 5}, ids[:5]),
                ("those after the fifth", {"start_after": ids[4]}, ids[5:]),
                ("three after the second", {"start_after": ids[1], "limit": 3}, ids[2:5]),
            ):
                found = await working(manager.list_snapshot_ids(agent, **options), "listing snapshots")
                if found != wanted:
                    violated(f"listing {what} gives {_places(wanted, ids)}, oldest first", f"{_places(found, ids)}")
            for number in (7, 0, SNAPSHOTS_TAKEN - 1, 3):
                id, messages, state = taken[number]
                if not await working(manager.restore_snapshot(agent, snapshot_id=id), "restoring a snapshot"):
                    violated(f"snapshot {number} is restored", "it is not there")
                expect_same(messages, agent.messages, f"snapshot {number} restores its history exactly")
                if not same(state, agent.state.get()):
                    violated(f"snapshot {number} restores the state {state!r}", f"{agent.state.get()!r}")
            before = copy.deepcopy(agent.messages)
            if await working(manager.restore_snapshot(agent, snapshot_id=UNKNOWN_SNAPSHOT), "restoring an unknown one"):
                violated("a snapshot that is not there is not restored", "it is said to be")
            expect_same(before, agent.messages, "what could not be restored changes nothing")

        async def other_agent() -> None:
            manager, agent = _agent(replace(session, agent_id=f"{session.agent_id}2"))
            found = await working(manager.list_snapshot_ids(agent), "listing snapshots")
            if found:
                violated("an agent has its own snapshots alone", f"a new agent has {len(found)}")

        run(write)
        run(read)
        run(other_agent)

    @requirement("SNP-04", source=f"{CONTRACT}.list, 'returns full keys, sorted lexicographically'", needs=STORAGE)
    def listing(self, new_session: NewSession) -> None:
        """List gives the full keys that begin with a text, sorted, each once, all of them for an empty text, and also
        where there are more than a thousand.
        """
        expect_listing(new_session())

    @requirement("SNP-05", source="A: Storage, 'keys are opaque strings'; B: harness-sdk #680, #728", needs=STORAGE)
    def odd_keys(self, new_session: NewSession, tmp_path: Path) -> None:
        """A key is taken for no other: plain keys that are alike each have their own bytes, and an odd one (path
        separators, .., NUL, other scripts, very long) works exactly, or is refused with StorageError or ValueError;
        nothing outside of the storage's own place is read, written or deleted.
        """
        expect_keys_told_apart(new_session(), tmp_path)

    @requirement("SNP-06", source="F: a storage is written by many at once", needs=STORAGE)
    def concurrency(self, new_session: NewSession) -> None:
        """Writes at the same time do not mix: each key has its own latest bytes, and a key that many write, or read
        while it is written, has the bytes of one of the writes, whole.
        """
        session = new_session()

        async def main() -> None:
            storages = (opened(session), opened(session))
            values = [f"{number}:".encode() * 5000 for number in range(20)]
            latest: dict[int, bytes | None] = {}
            accepted: list[int] = []

            async def own(number: int) -> None:
                for turn in range(4):
                    data = f"{number} in turn {turn}".encode()
                    if not await refused(storages[turn % 2].write(f"own/{number}", data), "writing while others write"):
                        latest[number] = data
                    kept = latest.setdefault(number, None)
                    await expect_read(storages[(turn + 1) % 2], f"own/{number}", kept, "that nobody else writes")

            async def shared(number: int) -> None:
                if not await refused(storages[number % 2].write("shared", values[number]), "writing while others do"):
                    accepted.append(number)
                allowed: list[bytes | None] = [*values] if accepted else [None, *values]
                found = await working(storages[number % 2].read("shared"), "reading")
                if found not in allowed:
                    violated("a key that many write has one of the values, whole", shown_bytes(found))

            await asyncio.gather(*(own(number) for number in range(20)), *(shared(number) for number in range(20)))
            if not accepted:
                violated("one of many who write a key at once may do so", "all of them are refused")
            for number in range(20):
                await expect_read(storages[0], f"own/{number}", latest[number], "at the end")
            if await working(storages[1].read("shared"), "reading") not in values:
                violated("a key that many wrote has one of the values, whole", "it has not")
            wanted = sorted([*(f"own/{number}" for number, data in latest.items() if data is not None), "shared"])
            await expect_listed(storages[0], "", wanted)

        run(main)

    @requirement(
        "SNP-07", level=Level.SHOULD, source="A: Storage, 'keys are opaque strings'; '/' is a logical separator",
        needs=STORAGE,
    )  # fmt: skip
    def keys_below_keys(self, new_session: NewSession) -> None:
        """A key, and keys that continue it after a slash, are kept side by side; where they are refused, it is with
        StorageError, and what was written before stays.
        """
        expect_keys_below_keys(new_session())

    @requirement("SNP-08", level=Level.SHOULD, source=f"{CONTRACT}.search, 'ranked best-first'", needs=STORAGE)
    def search(self, new_session: NewSession) -> None:
        """A search gives keys that are stored, best first, among them the one whose text has just the words that are
        looked for, and none that was deleted.
        """
        session = new_session()
        texts = {
            "notes/1": "the xylograph hangs in the long corridor",
            "notes/2": "a corridor is a long room",
            "notes/3": "the xylograph was sold",
        }

        async def main() -> None:
            storage: Any = opened(session)
            if not callable(getattr(storage, "search", None)):
                raise NotApplicable("it has no search")
            for key, text in texts.items():
                await working(storage.write(key, text.encode()), "writing")
            await working(storage.delete("notes/3"), "deleting")
            found = await working(storage.search("xylograph corridor"), "searching")
            keys, scores = [one.key for one in found], [one.score for one in found]
            if scores != sorted(scores, reverse=True) or keys[:1] != ["notes/1"]:
                violated("'notes/1', which has both words, comes first, and the best-scored first", f"{keys}, {scores}")
            if not set(keys) <= {"notes/1", "notes/2"}:
                violated("only keys that are stored are found", f"{keys}")

        run(main)

    @requirement("SNP-09", source=f"{CONTRACT}.list, 'an empty string lists every key'", needs=STORAGE)
    def odd_keys_are_listed(self, new_session: NewSession, tmp_path: Path) -> None:
        """Every key that is accepted is listed, once, in a form under which its bytes can be read and deleted."""
        expect_odd_keys_listed(new_session(), tmp_path)

    @requirement(
        "SNP-10",
        source="A: SnapshotSessionManager(snapshot_trigger=...), 'When it returns True'",
        needs=SNAPSHOTS,
        since="2026.12",
    )
    def triggered(self, new_session: NewSession) -> None:
        """A snapshot trigger is asked after each invocation, when a voice agent has stopped and before its connection
        is restarted; each time that it says yes, and no other, a snapshot of what there is then is added. Restoring one
        leaves the latest as it is.
        """
        expect_snapshots_as_triggered(new_session)

    @requirement(
        "SNP-11",
        source="A: SaveLatestStrategy, 'Guardrail redactions are flushed immediately under every strategy'",
        needs=(Capability.SNAPSHOTS, Capability.AT_REST),
        since="2026.12",
    )
    def redacted_by_each_strategy(self, new_session: NewSession) -> None:
        """However seldom snapshots are saved, what a guardrail redacts through a text agent is stored nowhere from then
        on.
        """
        expect_redacted_by_each_strategy(new_session)

    @requirement(
        "SNP-12",
        source="A: SaveLatestStrategy, BidiAgentSaveLatestStrategy, MultiAgentSaveLatestStrategy",
        needs=(Capability.SNAPSHOTS, Capability.FRESH_PROCESS),
        since="2026.12",
    )
    def strategies(self, new_session: NewSession, record_property: Callable[[str, object], None]) -> None:
        """Each strategy of saving keeps what it says: after every message, each invocation or stop, and each node of a
        team, a kill costs nothing of what was saved by then.
        """
        told = expect_saved_as_each_strategy_says(new_session)
        record_property("measured", "; ".join(told))

    @requirement(
        "SNP-13",
        source="A: SnapshotSessionManager(storage=None), 'resolves from the agent-level storage'",
        needs=SNAPSHOTS,
        since="2026.12",
    )
    def storage_of_the_agent(self, new_session: NewSession, tmp_path: Path) -> None:
        """A manager that is given no storage keeps its snapshots in that of the agent, Agent(storage=...), and restores
        from there; one that is given a storage keeps them there.
        """
        expect_kept_in_the_agents_storage(new_session(), tmp_path)

    @requirement(
        "SNP-14",
        source="A: SnapshotSessionManager.delete_session, 'Delete all snapshots and stash data for this session'",
        needs=SNAPSHOTS,
        since="2026.12",
    )
    def stash(self, new_session: NewSession, tmp_path: Path) -> None:
        """What an agent's context manager has put aside comes back with its snapshot where nothing else keeps it, and
        is deleted with the session.
        """
        expect_stash_in_snapshots(new_session(), tmp_path)

    @requirement(
        "SNP-15",
        source="A: SaveLatestStrategy, 'pre-redaction content never sits at rest'",
        needs=SNAPSHOTS,
        since="2026.12",
    )
    def stash_redacted(self, new_session: NewSession) -> None:
        """What a guardrail has redacted does not come back in what the context manager had put aside before."""
        expect_stash_forgets_what_is_redacted(new_session())


def _checks() -> Iterator[tuple[Requirement, Callable[..., None]]]:
    for suite in (lif.LifeOfASession, order.PersistenceBeforeHooks, rpl.RestartAndReplay):
        judged = suite()
        for name, check in vars(suite).items():
            if hasattr(check, "requirement"):
                yield check.requirement, getattr(judged, name)


def _agent(session: Session) -> tuple[Any, BidiAgent]:
    try:
        manager: Any = session.open()
        model = ScriptedBidiModel(Timeline())
        return manager, BidiAgent(model=model, agent_id=session.agent_id, session_manager=manager, hooks=[])
    except Exception as error:
        violated("a manager with snapshots can be opened, and restores its agent", f"{type(error).__name__}: {error}")


def _plain(name: str) -> str:
    """Return a name as a plain key."""
    return name.replace(" ", "-")


def _message(number: int) -> Message:
    block: Any = {"text": f"message {number}"}
    if number % 3 == 2:
        block = {"image": {"format": "png", "source": {"bytes": bytes([number, 0, 255])}}}
    made: Any = {"role": "user", "content": [block], "tracking_id": f"00000000-0000-4000-8000-{number:012d}"}
    return made  # type: ignore[no-any-return]


def _places(found: list[str], ids: list[str]) -> list[Any]:
    return [ids.index(id) if id in ids else id for id in found]
