"""Snapshots beside what an application asks of them: a trigger, a guardrail, a storage and a stash of the agent's."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from session_conformance.harness import (
    Interface,
    NotApplicable,
    Script,
    Session,
    TextAgent,
    Timeline,
    expect_no_failure,
    expect_same,
    play,
    violated,
)
from session_conformance.harness.models import ScriptedTextModel, chunk, text_answer
from session_conformance.harness.sdk import Agent, LocalFileStorage, MessageAddedEvent, SdkLacks
from session_conformance.harness.timeline import same, texts

from .options import having
from .redaction import REDACTED_WORD
from .storage_api import run, working
from .stored_history import find_kept

_TALKS: dict[str, tuple[Script, TextAgent | None, int]] = {
    "a text agent": (
        Script().user("one").assistant("two").user("three").assistant("four").user("five").assistant("six"),
        TextAgent(),
        3,
    ),
    "a voice agent": (
        Script().user("one").assistant("two").timeout().user("three").stops().starts().user("four"),
        None,
        3,
    ),
}
"""By kind of agent: what is said, and how often a trigger is asked: once an invocation, a restart or a stop."""


_INTERVENES = (
    chunk(messageStart={"role": "assistant"}),
    chunk(messageStop={"stopReason": "guardrail_intervened"}),
    chunk(redactContent={"redactUserContentMessage": "[input redacted]"}),
    {"type": "response_stop"},
)
"""What a model streams whose guardrail intervenes, and redacts what it was told."""


class Trigger:
    """Says yes each second time that it is asked, and remembers what the agent was then."""

    def __init__(self) -> None:
        self.asked = 0
        self.taken: list[tuple[list[Any], dict[str, Any]]] = []

    def __call__(self, *, agent_data: Any, **_: Any) -> bool:
        self.asked += 1
        if self.asked % 2:
            self.taken.append((copy.deepcopy(list(agent_data.messages)), agent_data.state.get()))
        return bool(self.asked % 2)


def expect_snapshots_as_triggered(new_session: Callable[[], Session]) -> None:
    """Report a violation unless there is one snapshot for each time that a trigger said so, of what was there then.

    Raises:
        NotApplicable: No trigger can be given.
    """
    for who, (script, text_agent, times) in _TALKS.items():
        trigger = Trigger()
        session = having(replace(new_session(), text_agent=text_agent), snapshot_trigger=trigger)
        try:
            timeline = play(session, script, observing=False)
        except SdkLacks:
            continue
        expect_no_failure(timeline)
        if trigger.asked != times:
            violated(f"{who}: the trigger is asked {times} times", f"it is asked {trigger.asked} times", timeline)
        run(lambda: _expect_taken(session, trigger, who))  # noqa: B023


async def _expect_taken(session: Session, trigger: Trigger, who: str) -> None:
    opened = replace(session, text_agent=TextAgent())
    manager, agent = _opened(opened)
    latest = copy.deepcopy(list(agent.messages))
    ids = await working(manager.list_snapshot_ids(agent), "listing snapshots")
    if len(ids) != len(trigger.taken):
        wanted = f"{who}: of {trigger.asked} times the trigger says yes {len(trigger.taken)} times: so many snapshots"
        violated(wanted, f"there are {len(ids)}")
    for id, (messages, state) in reversed(list(zip(ids, trigger.taken, strict=True))):  # the last one is the latest
        if not await working(manager.restore_snapshot(agent, snapshot_id=id), "restoring a snapshot"):
            violated("a snapshot that is listed is restored", "it is not there")
        expect_same(messages, agent.messages, f"{who}: the snapshot has what there was when the trigger said yes")
        if not same(state, agent.state.get()):
            violated(f"{who}: the snapshot has the state {state!r}", f"{agent.state.get()!r}")
    _, again = _opened(opened)
    expect_same(latest, again.messages, f"{who}: restoring a snapshot leaves the latest one as it is")


def expect_redacted_by_each_strategy(new_session: Callable[[], Session]) -> None:
    """Report a violation unless what a guardrail redacts is gone at once, however seldom the agent is saved.

    The application has it saved before: by itself, a manager that saves when it is told to would have nothing to flush.
    """
    for strategy in ("message", "invocation", "trigger"):
        session = having(new_session(), save_latest_on=strategy)
        run(lambda: _expect_flushed(session, strategy))  # noqa: B023


async def _expect_flushed(session: Session, strategy: str) -> None:
    manager: Any = session.open()
    agent = _agent(session, manager=manager, answer=lambda _: _INTERVENES)

    async def save(event: MessageAddedEvent[Any]) -> None:
        if event.message["role"] == "user":
            await manager.save_snapshot(event.agent, is_latest=True)

    agent.add_hook(save, MessageAddedEvent)
    await working(agent.invoke_async(f"my password is {REDACTED_WORD}"), "an invocation")
    found = find_kept(REDACTED_WORD, session.workspace)
    if found is not None:
        wanted = f"by save_latest_on={strategy!r}, what was redacted is stored nowhere"
        violated(wanted, f"it is in {found}")


def expect_kept_in_the_agents_storage(session: Session, folder: Path) -> None:
    """Report a violation unless a manager keeps what it saves in its own storage, or in its agent's if it has none."""
    given, session = session, having(session, storage=None)
    storages = [_agents_storage(folder / name) for name in ("one", "other")]

    async def main() -> None:
        agent = _agent(session, storage=storages[0])
        await working(agent.invoke_async("My name is Alice"), "an invocation")
        if not await storages[0].list(""):
            violated("a manager without a storage saves in its agent's", "nothing is in that")
        again = _agent(session, storage=storages[0])
        expect_same(agent.messages, again.messages, "an agent with the same storage is restored")
        if _agent(session, storage=storages[1]).messages:
            violated("an agent with another storage begins anew", "it is restored")
        await working(_agent(given, storage=storages[1]).invoke_async("And I am Bob"), "an invocation")
        if await storages[1].list(""):
            violated("a manager that is given a storage keeps nothing in its agent's", "it does")

    run(main)


def expect_stash_in_snapshots(session: Session, folder: Path) -> None:
    """Report a violation unless what a context manager has put aside comes back, and is deleted with the session."""
    _expect_manager(session)

    async def in_memory() -> None:
        agent = _agent(session, context_manager="auto")
        stashed = await _said(agent)
        found = await _stashed(_agent(session, context_manager="auto"))
        if not same(stashed, found):
            lost = sorted({*stashed} - {*found}) or "none, but not as they were"
            violated("what the context manager has put aside comes back with the session", f"missing: {lost}")

    async def in_storage() -> None:
        storage, kept = _agents_storage(folder), having(session, storage=None)
        agent = _agent(kept, storage=storage, context_manager="auto")
        await _said(agent)
        manager: Any = kept.open()
        _agent(kept, storage=storage, context_manager="auto", manager=manager)
        await working(manager.delete_session(), "deleting the session")
        left = await storage.list("")
        if left:
            violated("with the session, all that was put aside is deleted", f"left is {left}")

    run(in_memory)
    if _takes(session, storage=None):
        run(in_storage)


def expect_stash_forgets_what_is_redacted(session: Session) -> None:
    """Report a violation unless what a guardrail has redacted is gone from what the context manager has put aside."""
    _expect_manager(session)

    async def main() -> None:
        agent = _agent(session, context_manager="auto", answer=lambda _: _INTERVENES)
        await working(agent.invoke_async(f"my password is {REDACTED_WORD}"), "an invocation")
        again = _agent(session, context_manager="auto")
        if any(REDACTED_WORD in text for text in texts(again.messages)):
            violated("what was redacted does not come back", "it does")
        if REDACTED_WORD in str(await _stashed(again)):
            violated("what was redacted is not in what the context manager has put aside either", "it is")

    run(main)


def _expect_manager(session: Session) -> None:
    """Go on only with a manager of the user's: what the SDK's own does is no storage's doing.

    Raises:
        NotApplicable: It is the SDK's own, over a storage.
    """
    if session.backend.interface is not Interface.MANAGER:
        raise NotApplicable("it is about the manager, which is the SDK's own over the storage")


def _takes(session: Session, **options: Any) -> bool:
    try:
        having(session, **options)
    except NotApplicable:
        return False
    return True


def _agents_storage(folder: Path) -> LocalFileStorage:
    folder.mkdir(parents=True, exist_ok=True)
    return LocalFileStorage(str(folder))


def _agent(
    session: Session, *, manager: Any = None, answer: Any = lambda _: text_answer("Hello Alice"), **options: Any
) -> Agent:
    """Return a text agent that is restored, as an application makes it.

    Raises:
        NotApplicable: The SDK's agents of that time do not take the options.
        Violation: It cannot be made.
    """
    known = inspect.signature(Agent.__init__).parameters
    if not {*options} <= {*known} or not hasattr(Agent, "context_manager"):
        raise NotApplicable(f"the SDK's Agent takes no {', '.join(options)}, or gives it back to nobody")
    model = ScriptedTextModel(Timeline(), answer=answer)
    try:
        opened = manager if manager is not None else session.open()
        return Agent(model=model, agent_id=session.agent_id, session_manager=opened, callback_handler=None, **options)
    except Exception as error:
        violated(f"an agent with {', '.join(options)} is restored", f"{type(error).__name__}: {error}")


def _opened(session: Session) -> tuple[Any, Any]:
    """Return a manager, and an agent that it has restored."""
    assert session.text_agent is not None
    manager: Any = session.open()
    made = session.text_agent.build(ScriptedTextModel(Timeline()), agent_id=session.agent_id, session_manager=manager)
    return manager, made


async def _said(agent: Agent) -> dict[str, Any]:
    """Let something be said, and return what the context manager has put aside then."""
    await working(agent.invoke_async("My name is Alice"), "an invocation")
    stashed = await _stashed(agent)
    if not stashed:
        raise NotApplicable("the SDK's context manager puts nothing aside")
    return stashed


async def _stashed(agent: Agent) -> dict[str, Any]:
    stash = agent.context_manager.stash if agent.context_manager is not None else None
    if stash is None:
        raise NotApplicable("the SDK's context manager has no stash")
    return {reference: await stash.retrieve(reference) for reference in await stash.list()}


__all__ = [
    "expect_kept_in_the_agents_storage",
    "expect_redacted_by_each_strategy",
    "expect_snapshots_as_triggered",
    "expect_stash_forgets_what_is_redacted",
    "expect_stash_in_snapshots",
]
