"""ORD: persistence before hooks. If a hook is told of a message, the message is stored."""

from __future__ import annotations

from session_conformance.fixtures import ConformanceSuite
from session_conformance.harness import (
    Capability,
    ScenarioRuns,
    Timeline,
    expect_no_failure,
    expect_same,
    requirement,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.sdk import Message, SdkFeature
from session_conformance.harness.timeline import (
    AgentStopped,
    HookCalled,
    ModelReceived,
    is_pending,
    one_message,
    same,
)

from .scenarios import (
    EVERYDAY,
    INTERLEAVED,
    OTHER_STORAGE_FAULTS,
    RAISING_HOOKS,
    STATE_SET_BY_STOP_HOOK,
    STORAGE_FAULT,
    TOGETHER,
    UPDATE_STORAGE_FAULT,
    expect_other_outages_told_of,
    expect_outage_of_an_update_told_of,
    expect_outages_told_of,
    expect_readable,
    expect_stored,
    expect_stored_as_in_memory,
    expect_stored_at_hooks,
    has_block,
)

REMEMBERED = ("text", "image", "toolResult")
"""The kinds of blocks that are part of the history when the model is sent them; live audio is not."""

HOOKS_DOCUMENTED = "D: bidirectional streaming, session management, 'Integration with Hooks'"


class PersistenceBeforeHooks(ConformanceSuite):
    """ORD: persistence before hooks."""

    @requirement("ORD-01", source=HOOKS_DOCUMENTED, needs=[Capability.READ_BESIDE_WRITER], promise=Durability.MESSAGE)
    def user_messages(self, run: ScenarioRuns) -> None:
        """A user message is stored before any hook for its addition runs, wherever the hook was registered."""
        expect_stored_at_hooks(
            run(EVERYDAY).timeline,
            "message_added",
            lambda m: m["role"] == "user" and not is_pending(m) and not has_block(m, "toolResult"),
            "a user message",
        )

    @requirement(
        "ORD-02",
        source=HOOKS_DOCUMENTED,
        needs=[Capability.READ_BESIDE_WRITER],
        sdk=[SdkFeature.MESSAGE_UPDATES],
        promise=Durability.MESSAGE,
    )
    def assistant_messages(self, run: ScenarioRuns) -> None:
        """An assistant's text or transcript is stored in full before any hook for its update runs."""
        expect_stored_at_hooks(
            run(EVERYDAY).timeline,
            "message_updated",
            lambda m: m["role"] == "assistant",
            "an assistant's text or transcript",
        )

    @requirement("ORD-03", source=HOOKS_DOCUMENTED, needs=[Capability.READ_BESIDE_WRITER], promise=Durability.MESSAGE)
    def tools(self, run: ScenarioRuns) -> None:
        """A tool use and its result are stored before their hooks run."""
        expect_stored_at_hooks(
            run(EVERYDAY).timeline,
            "message_added",
            lambda m: has_block(m, "toolUse", "toolResult"),
            "a tool use and its result",
        )

    @requirement("ORD-04", source=HOOKS_DOCUMENTED, needs=[Capability.READ_BESIDE_WRITER], promise=Durability.MESSAGE)
    def before_the_model(self, run: ScenarioRuns) -> None:
        """A user message is stored before the model receives it, a tool result before it is sent to the model."""
        timeline = run(EVERYDAY).timeline
        for sent in timeline.of(ModelReceived):
            if not any(kind in block for block in sent.content for kind in REMEMBERED):
                continue
            assert sent.stored is not None
            stored = [message["content"] for message in sent.stored.messages if message["role"] == "user"]
            if not any(same(content, sent.content) for content in stored):
                violated(
                    "what the model is sent is stored by then",
                    sent.stored.error or f"{_nearest(sent.stored.messages)}: no stored message has just this content",
                    timeline,
                    sent,
                )

    @requirement("ORD-05", source=HOOKS_DOCUMENTED, needs=[Capability.FRESH_PROCESS], promise=Durability.MESSAGE)
    def hooks_that_raise(self, run: ScenarioRuns) -> None:
        """A hook that raises does not undo or prevent what was stored."""
        played = run(RAISING_HOOKS)
        expect_no_failure(played.timeline, allowed=["HookError"])
        raising = [call for call in played.timeline.of(HookCalled) if call.raises]
        for call in raising:
            assert call.message is not None
            what = f"is stored although a hook on {call.event} raised, and the process then ended"
            expect_stored(call.message, played.stored.messages, what, played.timeline, call)

    @requirement("ORD-06", source="A: BidiAgent keeps paired messages adjacent in its history, under a lock")
    def storage_order(self, run: ScenarioRuns) -> None:
        """Storage order equals history order when user input, transcripts and parallel tools add messages at once."""
        played = run(TOGETHER)
        expect_no_failure(played.timeline)
        kept, had = ([message.get("tracking_id") for message in m] for m in (played.stored.messages, played.memory))
        both = set(kept) & set(had)  # what is not stored at all is no fault of order
        in_storage, in_memory = ([id for id in ids if id in both] for ids in (kept, had))
        if in_storage != in_memory:
            places = ", ".join(str(had.index(id)) for id in in_storage)
            violated(
                "the stored messages stand in the order of the agent's history",
                f"another order: stored one after the other are the history's messages {places}",
                played.timeline,
                *played.timeline.of(AgentStopped),
            )

    @requirement(
        "ORD-07",
        source="D: bidirectional streaming, session management, 'Connection Restart Behavior'",
        needs=[Capability.READ_BESIDE_WRITER],
        promise=Durability.MESSAGE,
    )
    def before_restarts(self, run: ScenarioRuns) -> None:
        """When the hook before a connection restart runs, all messages so far are stored."""
        timeline = run(EVERYDAY).timeline
        for call in timeline.hooks("before_connection_restart"):
            if call.position == "early":
                _expect_all_stored(timeline, call, "before the connection restarts, all messages are stored")

    @requirement(
        "ORD-08",
        source="D,A: bidirectional streaming, session management, 'Session Updates'; BidiAgentStopEvent",
        needs=[Capability.READ_BESIDE_WRITER],
        promise=Durability.MESSAGE,
    )
    def stop(self, run: ScenarioRuns) -> None:
        """When stop hooks run, the history is stored as in memory; when stop() has returned, history and state are,
        with what stop hooks changed.
        """
        timeline = run(EVERYDAY).timeline
        for call in timeline.hooks("agent_stop"):
            if call.position == "early":
                _expect_all_stored(timeline, call, "when stop hooks run, the history is stored as in memory")
        for played in (run(EVERYDAY), run(STATE_SET_BY_STOP_HOOK)):
            expect_stored_as_in_memory(played)

    @requirement(
        "ORD-09",
        source="F: a write-ahead rule: who is told of a message may rely on it",
        needs=[Capability.STORAGE_FAULTS, Capability.READ_BESIDE_WRITER],
        promise=Durability.MESSAGE,
    )
    def storage_that_fails(self, run: ScenarioRuns) -> None:
        """When storage fails, the failure reaches the caller, and no hook is told of a message that was not stored."""
        expect_outages_told_of(run(STORAGE_FAULT), "agent.send()")
        expect_other_outages_told_of(run(OTHER_STORAGE_FAULTS))
        expect_outage_of_an_update_told_of(run(UPDATE_STORAGE_FAULT))

    @requirement(
        "ORD-10",
        source=HOOKS_DOCUMENTED,
        needs=[Capability.READ_BESIDE_WRITER],
        sdk=[SdkFeature.MESSAGE_UPDATES],
        promise=Durability.MESSAGE,
        since="2026.12",
    )
    def users_transcripts(self, run: ScenarioRuns) -> None:
        """A transcript of what the user said is stored in full before any hook for its update runs."""
        expect_stored_at_hooks(
            run(INTERLEAVED).timeline, "message_updated", lambda m: m["role"] == "user", "a user's transcript"
        )


def _nearest(stored: list[Message]) -> str:
    """Say what is stored last of what the user or a tool has said: it may be the message, with other bytes."""
    return f"the latest that is stored is {one_message(next((m for m in stored[::-1] if m['role'] == 'user'), None))}"


def _expect_all_stored(timeline: Timeline, call: HookCalled, what: str) -> None:
    assert call.stored is not None
    expect_readable(call.stored, f"when a hook on {call.event} runs", timeline, call)
    expect_same(call.memory or [], call.stored.messages, what, timeline, call)


__all__ = ["PersistenceBeforeHooks"]
