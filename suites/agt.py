"""AGT: the text agent. What holds for a voice that is streamed holds for an ``Agent`` that is invoked."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from session_conformance.fixtures import ConformanceSuite, NewSession
from session_conformance.harness import (
    Capability,
    Level,
    Run,
    ScenarioRuns,
    Script,
    Session,
    TextAgent,
    Timeline,
    expect_no_failure,
    expect_same,
    play,
    read_in_fresh_process,
    requirement,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.models import ScriptedTextModel
from session_conformance.harness.sdk import FEATURES, Message, SdkFeature
from session_conformance.harness.timeline import (
    AgentAtRest,
    Asked,
    Failed,
    HookCalled,
    ModelStarted,
    ProcessStarted,
    ToolRan,
    content_of,
    difference,
    one_message,
    same,
    texts,
    without_made_up_answers,
)

from .scenarios import (
    ACCOUNT,
    BLOCKS,
    CONSTRUCTOR_MESSAGES,
    PASSWORD,
    PINNED,
    TAKEN_BACK,
    TEXT_ANSWERED_AT_ONCE,
    TEXT_ANSWERED_IN_PARTS,
    TEXT_COMPRESSED,
    TEXT_CONTENT,
    TEXT_CUT_RESULTS,
    TEXT_CUT_SHORT,
    TEXT_DIRECT_TOOL_CALL,
    TEXT_EVERYDAY,
    TEXT_GIVEN_MESSAGES,
    TEXT_GUARDRAIL,
    TEXT_GUARDRAIL_TRIMMED,
    TEXT_INTERRUPT,
    TEXT_MERGED,
    TEXT_MERGED_TRIMMED,
    TEXT_MODEL_ERRORS,
    TEXT_OVERFLOW,
    TEXT_PER_TURN,
    TEXT_PINNED_SUMMARY,
    TEXT_PINNED_WINDOW,
    TEXT_PROCESSES,
    TEXT_RAISING_HOOKS,
    TEXT_STATE,
    TEXT_STATE_AT_THE_END,
    TEXT_STATEFUL,
    TEXT_STORAGE_FAULT,
    TEXT_STRUCTURED,
    TEXT_SUMMARY,
    TEXT_WINDOW,
    TRIMMED,
    expect_answered,
    expect_apart_on_one_manager,
    expect_asked_within_a_tool,
    expect_each_tool_once,
    expect_gone_at_each_look,
    expect_last_state_told_of,
    expect_nowhere_at_rest,
    expect_opened_by_others,
    expect_opened_with_unknown_record,
    expect_outages_told_of,
    expect_own,
    expect_readable,
    expect_restored_as_left,
    expect_restored_but_for_torn_down,
    expect_stored,
    expect_stored_as_in_memory,
    expect_stored_at_hooks,
    expect_twins_refused,
    expect_windows_apart,
    has_block,
    in_one_loop_after_another,
    pinned_in_the_middle,
    redacted_by_a_guardrail,
    results_of,
    set_back,
    torn_down_as_it_is_stored,
)

AT_ONCE = "A: SessionManager, 'changes ... should be persisted immediately after they are changed'"
SYNC = "A: SessionManager.register_hooks, 'for each message appended ... store that message in the session'"


class TextAgents(ConformanceSuite):
    """AGT: the text agent."""

    @requirement("AGT-01", source="D,A: session management; RepositorySessionManager.initialize")
    def second_manager(self, run: ScenarioRuns) -> None:
        """A second manager with a second agent restores a text agent's history and state exactly: order, roles,
        content, tracking ids, metadata.
        """
        played = run(TEXT_EVERYDAY)
        expect_no_failure(played.timeline)
        if len(played.memory) != 10:
            violated("the conversation has ten messages", f"{len(played.memory)}", played.timeline)
        expect_restored_as_left(played)
        if not same(played.stored.state, {"plan": {"step": 1}, "seat": "12A"}):
            violated("the state that the application and a tool set", f"{played.stored.state!r}", played.timeline)
        structured = run(TEXT_STATE)
        expect_no_failure(structured.timeline)
        expect_restored_as_left(structured)
        in_loops = run.once(in_one_loop_after_another)
        expect_no_failure(in_loops.timeline)
        if texts(in_loops.memory) != ["one", "two", "three", "four", "five", "six"]:
            violated("three calls, three answers", f"{texts(in_loops.memory)}", in_loops.timeline)
        expect_restored_as_left(in_loops)

    @requirement(
        "AGT-02",
        source="A: ConversationManager.restore_from_session, removed_message_count",
    )
    def conversation_managers(self, run: ScenarioRuns) -> None:
        """What a sliding window or a summary left of the history is what is restored, right after it and later: the
        same messages, the same summary, the same count of removed messages.
        """
        for scenario in TRIMMED:
            played = run(scenario)
            expect_no_failure(played.timeline)
            if not any(rest.removed for rest in played.timeline.of(AgentAtRest)):
                violated("the conversation manager removes messages", "it removes none", played.timeline)
            expect_restored_as_left(played)
        cut = run(TEXT_CUT_RESULTS)
        expect_no_failure(cut.timeline)
        if not any("truncated" in str(rest.memory) for rest in cut.timeline.of(AgentAtRest)):
            violated("the conversation manager cuts a tool's result", "it does not", cut.timeline)
        expect_restored_as_left(cut)

    @requirement(
        "AGT-03",
        source="D,A: interrupts, 'interrupts are session managed in-between return and user response'",
        needs=[Capability.FRESH_PROCESS],
    )
    def interrupts(self, run: ScenarioRuns, new_session: NewSession) -> None:
        """Interrupts, of a tool and of a hook ahead of one, are answered in another process: each tool of the group
        runs once, is given its answer, and all results come back; what was answered is asked no more. So is one of an
        agent that is a tool itself, and why it asked is restored as it was.
        """
        self._answered(run(TEXT_INTERRUPT), [["Delete it?", "Transfer it?"]])
        self._answered(run(TEXT_ANSWERED_AT_ONCE), [["Delete it?", "Transfer it?"]])
        self._answered(run(TEXT_ANSWERED_IN_PARTS), [["Delete it?", "Transfer it?"], ["Delete it?"]])
        expect_asked_within_a_tool(new_session())

    def _answered(self, played: Run, questions: list[list[str]]) -> None:
        """Expect that an agent asks this, each time, and goes on with the answers."""
        timeline = played.timeline
        asked = [sorted(str(one["reason"]) for one in event.interrupts) for event in timeline.of(Asked)]
        if asked != questions:
            violated(f"the user is asked {questions}", f"{asked}", timeline, *timeline.of(Asked), *timeline.of(Failed))
        expect_no_failure(timeline)
        ran = [tool.tool_use_id for tool in timeline.of(ToolRan) if tool.what == "begins"]
        if sorted(ran) != ["delete-2", "lookup-3", "transfer-1"]:
            violated("each of the three tools runs once", f"these run: {ran}", timeline, *timeline.of(ToolRan))
        answered = [tool.tool_use_id for tool in timeline.of(ToolRan) if tool.what == "is answered 'yes'"]
        if sorted(answered) != ["delete-2", "transfer-1"]:
            violated("both are given the answer 'yes'", f"{answered}", timeline, *timeline.of(ToolRan))
        results = {str(result["toolUseId"]): result["content"] for result in results_of(played.stored.messages)}
        wanted = {
            "transfer-1": [{"text": "transferred"}],
            "delete-2": [{"text": "deleted"}],
            "lookup-3": [BLOCKS["image"]],
        }
        if results != wanted:
            violated(f"the results {wanted} are stored", f"{results}", timeline, *timeline.of(AgentAtRest)[-1:])
        expect_answered(played.stored.messages, "the stored history", played, *timeline.of(AgentAtRest)[-1:])
        expect_restored_as_left(played)

    @requirement("AGT-04", source="A: Model.stateful, 'whether the model manages conversation state server-side'")
    def stateful_models(self, run: ScenarioRuns) -> None:
        """A stateful model is given back its state, and is sent the new messages alone, never the old ones."""
        played = run(TEXT_STATEFUL)
        expect_no_failure(played.timeline)
        starts = played.timeline.of(ModelStarted)
        if len(starts) != 4:
            violated("the model is asked four times", f"{len(starts)} times", played.timeline, *starts)
        states = [dict(start.options["model_state"]) for start in starts]
        left = [{}, *({"turn": turn, "response_id": f"response-{turn}"} for turn in (1, 2, 3))]
        if states != left:
            violated(
                f"the model is given the state that it left, in the second process too: {left}",
                f"it is given {states}",
                played.timeline,
                *starts,
            )
        if texts(starts[-1].messages) != ["five"] or played.processes[1].memory:
            violated(
                "a new agent has no old messages, and sends none: the model is given 'five'",
                f"it is given {texts(starts[-1].messages)}",
                played.timeline,
                played.processes[1],
                starts[-1],
            )

    @requirement(
        "AGT-05",
        source="D: session management, 'Basic usage'",
        needs=[Capability.FRESH_PROCESS],
        promise=Durability.MESSAGE,
    )
    def several_processes(self, run: ScenarioRuns) -> None:
        """A conversation goes on in one process after another, stopped or killed: each restores all that was said
        before, and its model is told of it.
        """
        played = run(TEXT_PROCESSES)
        timeline = played.timeline
        expect_no_failure(timeline)
        if len(played.processes) != 4:
            violated("four processes open the session", f"{len(played.processes)} do", timeline, *played.processes)
        told: list[Message] = []
        for event in timeline:
            if isinstance(event, HookCalled) and event.position == "early" and event.message is not None:
                told.append(event.message)
            elif isinstance(event, ProcessStarted) and event.number:
                found = without_made_up_answers(event.memory, told)
                expect_same(told, found, "a new process restores all that was said before", timeline, event)
        fresh = read_in_fresh_process(played.session)
        expect_readable(fresh, "in a fresh process", timeline)
        expect_same(played.memory, fresh.messages, "a fresh process restores the history exactly", timeline)
        last = timeline.of(ModelStarted)[-1]
        missing = {"remember the milk", "and the bread", "and the eggs"} - set(texts(last.messages))
        if missing:
            violated("the last process's model is told of all three", f"{sorted(missing)} are missing", timeline, last)

    @requirement("AGT-06", source="A: RepositorySessionManager.initialize")
    def constructor_messages(self, run: ScenarioRuns) -> None:
        """Messages given to a text agent's constructor are stored for a new session, and give way to the stored ones
        for an old session.
        """
        played = run(TEXT_GIVEN_MESSAGES)
        expect_no_failure(played.timeline)
        expect_same(
            CONSTRUCTOR_MESSAGES,
            played.stored.messages[:2],
            "the constructor's messages are stored",
            played.timeline,
            *played.timeline.of(AgentAtRest),
        )
        expect_restored_as_left(played)
        if len(played.stored.messages) != 6:
            violated(
                "the second agent's constructor adds none: six messages are stored",
                f"{texts(played.stored.messages)}",
                played.timeline,
                *played.processes[1:],
            )

    @requirement("AGT-07", source=AT_ONCE, needs=[Capability.READ_BESIDE_WRITER], promise=Durability.MESSAGE)
    def before_hooks(self, run: ScenarioRuns) -> None:
        """Each message of a text agent is stored before any hook for its addition runs, wherever the hook was
        registered.
        """
        expect_stored_at_hooks(run(TEXT_EVERYDAY).timeline, "message_added", lambda m: True, "a message")

    @requirement("AGT-08", source=AT_ONCE, needs=[Capability.READ_BESIDE_WRITER], promise=Durability.MESSAGE)
    def before_the_model(self, run: ScenarioRuns) -> None:
        """What a text model is asked with is what is stored by then, also right after the history was trimmed or
        summarized for it.
        """
        for scenario in (TEXT_EVERYDAY, TEXT_OVERFLOW, TEXT_SUMMARY):
            played = run(scenario)
            for start in played.timeline.of(ModelStarted):
                assert start.stored is not None
                expect_readable(start.stored, "when the model is asked", played.timeline, start)
                differs = difference(start.messages, start.stored.messages, content_of)
                if differs is not None:
                    violated(
                        f"{scenario.name}: what the model is asked with is what is stored by then",
                        f"what is stored is {differs}",
                        played.timeline,
                        start,
                    )
        # The SDK tells no session manager of what is removed right before a call. Until the next message is added, the
        # longer history is as good: nothing that was said is missing in it.
        for scenario in (TEXT_PER_TURN, TEXT_COMPRESSED):
            played = run(scenario)
            added = {told.message["tracking_id"] for told in played.timeline.hooks("message_added") if told.message}
            for start in played.timeline.of(ModelStarted):
                assert start.stored is not None
                expect_readable(start.stored, "when the model is asked", played.timeline, start)
                for message in start.messages:
                    if message.get("tracking_id") in added:
                        what = "is stored by the time the model is asked with it"
                        expect_stored(message, start.stored.messages, what, played.timeline, start)

    @requirement("AGT-09", source=SYNC)
    def hooks_that_raise(self, run: ScenarioRuns) -> None:
        """A hook that raises does not undo or prevent what was stored of a text agent."""
        played = run(TEXT_RAISING_HOOKS)
        timeline = played.timeline
        expect_no_failure(timeline, allowed=["HookError", "EventLoopException"])
        raising = [call for call in timeline.of(HookCalled) if call.raises]
        for call in raising:
            assert call.message is not None
            what = "is stored although a hook for it raised"
            expect_stored(call.message, played.stored.messages, what, timeline, call)
        expect_restored_as_left(played)

    @requirement("AGT-10", source="A: Agent, tool results; ToolResult.status, 'success' or 'error'")
    def tools(self, run: ScenarioRuns) -> None:
        """Tool uses and results of a text agent are stored as adjacent pairs, a parallel group whole and in its order,
        with the status of each.
        """
        played = run(TEXT_EVERYDAY)
        expect_no_failure(played.timeline)
        stops = played.timeline.of(AgentAtRest)
        expect_readable(played.stored, "after the conversation")
        expect_answered(played.stored.messages, "the stored history", played, *stops)
        groups = [
            [(result["toolUseId"], result["status"]) for result in results_of([message])]
            for message in played.stored.messages
            if has_block(message, "toolResult")
        ]
        wanted = [
            [("where-1", "success"), ("weather-2", "error"), ("weather-3", "success")],
            [("seat-4", "success")],
        ]
        if groups != wanted:
            violated(f"the results {wanted} are stored", f"{groups}", played.timeline, *stops)

    @requirement("AGT-11", source="B: harness-sdk #859, #1274, #2025, #3651", needs=[Capability.FRESH_PROCESS])
    def killed_in_a_tool(self, run: ScenarioRuns) -> None:
        """A text agent that was killed while a tool ran goes on with a history that a model accepts: every use has one
        result, no result stands alone.
        """
        played = run(TEXT_PROCESSES)
        expect_no_failure(played.timeline)
        for start in played.timeline.of(ModelStarted):
            expect_answered(start.messages, "what the model is asked with", played, start)
        expect_answered(played.stored.messages, "the stored history", played, *played.timeline.of(AgentAtRest)[-1:])

    @requirement(
        "AGT-12",
        source="A: sync_agent, called with each message 'in case the agent state was updated'",
        needs=[Capability.READ_BESIDE_WRITER],
        promise=Durability.MESSAGE,
    )
    def state_changed_by_a_tool(self, run: ScenarioRuns) -> None:
        """When a text model is given a tool's result, the state that the tool set is stored."""
        timeline = run(TEXT_EVERYDAY).timeline
        starts = [start for start in timeline.of(ModelStarted) if _last_result(start) == "seat-4"]
        if len(starts) != 1:
            violated("the model is given the result of seat-4", "it is not", timeline, *timeline.of(Failed))
        stored = starts[0].stored
        assert stored is not None
        expect_readable(stored, "when the model is given a tool's result", timeline, starts[0])
        if not same(stored.state.get("seat"), "12A"):
            violated("the stored state has {'seat': '12A'}", f"it is {stored.state!r}", timeline, starts[0])

    @requirement("AGT-13", source="A,B: ContentBlock, ToolResultContent; harness-sdk #1864")
    def content(self, run: ScenarioRuns) -> None:
        """Every kind of content that goes through a text agent comes back as it was: what users send, what models
        stream (signatures, redacted reasoning, citations), what tools give back, bytes and numbers to the last bit.
        """
        played = run(TEXT_CONTENT)
        expect_no_failure(played.timeline)
        if len(played.memory) != 4:
            violated("the conversation has four messages", f"{len(played.memory)}", played.timeline)
        expect_restored_as_left(played)

    @requirement("AGT-14", source=AT_ONCE)
    def models_that_fail(self, run: ScenarioRuns) -> None:
        """A text model that fails, at once or in mid-stream, leaves stored what was said before and nothing of its
        half answer, and the conversation goes on.
        """
        played = run(TEXT_MODEL_ERRORS)
        expect_no_failure(played.timeline, allowed=["ScriptedFailure"])
        wanted = ["one", "two", "three, and the model fails at once", "four, and the model fails in mid-stream",
                  "five", "six"]  # fmt: skip
        expect_readable(played.stored, "after the conversation", played.timeline)
        if texts(played.stored.messages) != wanted:
            violated(f"{wanted} are stored", f"{texts(played.stored.messages)}", played.timeline,
                     *played.timeline.of(Failed))  # fmt: skip
        expect_restored_as_left(played)

    @requirement(
        "AGT-15",
        source="A,B: Agent.cancel; MaxTokensReachedException, 'the partial message has been added'; langgraph #5503",
        sdk=[SdkFeature.CANCELLED_ANSWERS],
    )
    def answers_cut_short(self, run: ScenarioRuns) -> None:
        """After an answer was cut short (cancelled while the model streams or a tool runs, out of tokens, torn down
        with its task) what memory holds is what is restored, and a model accepts it; torn down as a message is stored,
        that message alone may be missing, and the same agent goes on.
        """
        played = run(TEXT_CUT_SHORT)
        expect_no_failure(played.timeline, allowed=["MaxTokensReachedException"])
        expect_restored_as_left(played)
        expect_answered(played.stored.messages, "the stored history", played, *played.timeline.of(AgentAtRest)[-1:])
        expect_restored_but_for_torn_down(run.once(torn_down_as_it_is_stored))

    @requirement("AGT-16", source="A: Agent.invoke_async, structured_output_model")
    def structured_output(self, run: ScenarioRuns) -> None:
        """The messages of structured output are stored, those by which the SDK insists on it too, and a model accepts
        them.
        """
        played = run(TEXT_STRUCTURED)
        expect_no_failure(played.timeline)
        given = {str(result["toolUseId"]) for result in results_of(played.stored.messages)}
        if given != {"at-once", "when-told"}:
            violated("both structured outputs are stored", f"{sorted(given)} are", played.timeline,
                     *played.timeline.of(AgentAtRest))  # fmt: skip
        expect_restored_as_left(played)
        expect_answered(played.stored.messages, "the stored history", played, *played.timeline.of(AgentAtRest)[-1:])

    @requirement("AGT-17", source="A: RedactContentEvent; SessionManager.redact_latest_message")
    def guardrail(self, run: ScenarioRuns) -> None:
        """What a guardrail redacts through a text agent comes back redacted: what the user typed, what a tool gave
        back, and what the model answered; everything else comes back as it was.
        """
        typed, given = ("[input redacted]", "[answer redacted]"), ("[result redacted]", "[no answer]")
        for scenario, instead in ((TEXT_GUARDRAIL, (*typed, *given)), (TEXT_GUARDRAIL_TRIMMED, typed)):
            played = run(scenario)
            expect_no_failure(played.timeline)
            expect_readable(played.stored, "after the conversation", played.timeline)
            found = [text for text in (PASSWORD, ACCOUNT, "I know it") if text in str(played.stored.messages)]
            if found:
                violated(f"{scenario.name}: what was redacted is not restored", f"{found} are", played.timeline,
                         *played.timeline.of(ModelStarted))  # fmt: skip
            for text in instead:
                if text not in str(played.stored.messages):
                    violated(f"{scenario.name}: {text!r} stands in its place", "it does not", played.timeline,
                             *played.timeline.of(AgentAtRest))  # fmt: skip
            expect_restored_as_left(played)

    @requirement(
        "AGT-18",
        level=Level.SHOULD,
        source="F: redaction is meant to remove data at rest",
        needs=[Capability.AT_REST],
    )
    def redacted_bytes(self, run: ScenarioRuns) -> None:
        """What a guardrail redacted through a text agent is nowhere in the stored bytes."""
        played = run(TEXT_GUARDRAIL)
        expect_gone_at_each_look(run.once(redacted_by_a_guardrail))
        for text in (PASSWORD, ACCOUNT):
            expect_nowhere_at_rest(text, played, *played.timeline.of(AgentAtRest))

    @requirement("AGT-19", source="A: Agent.tool, record_direct_tool_call")
    def direct_tool_call(self, run: ScenarioRuns) -> None:
        """A direct tool call of a text agent (agent.tool.name(...)) is stored where the agent records it."""
        played = run(TEXT_DIRECT_TOOL_CALL)
        expect_no_failure(played.timeline)
        recorded = [message for message in played.memory if has_block(message, "toolUse", "toolResult")]
        if len(recorded) != 2:
            violated("the agent records the call", f"{[one_message(m) for m in recorded]}", played.timeline)
        expect_restored_as_left(played)

    @requirement(
        "AGT-20",
        source="A: SessionManager.register_hooks, 'after an agent was invoked, sync it with the session'",
        needs=[Capability.READ_BESIDE_WRITER],
    )
    def at_rest(self, run: ScenarioRuns) -> None:
        """When an invocation has ended, however it ended, history and state are stored as in memory."""
        for scenario in (
            TEXT_EVERYDAY,
            TEXT_MODEL_ERRORS,
            *([TEXT_CUT_SHORT] if SdkFeature.CANCELLED_ANSWERS in FEATURES else []),
            TEXT_STRUCTURED,
            TEXT_WINDOW,
            TEXT_SUMMARY,
            TEXT_STATE_AT_THE_END,
        ):
            expect_stored_as_in_memory(run(scenario))

    @requirement("AGT-21", source="A: SessionAgent.agent_id")
    def beside_a_voice_agent(self, new_session: NewSession) -> None:
        """Text agents and a voice agent (each with an agent_id of its own) in one session never mix, neither their
        histories nor their states.
        """
        voice = new_session(agent_id="voice")
        text, other = (
            Session(voice.backend, voice.workspace, voice.session_id, agent_id, TextAgent())
            for agent_id in ("text", "other")
        )
        for turn in range(3):
            says = Script().sets_state("voice", turn).user(f"voice {turn}")
            expect_no_failure(play(voice, says, observing=False))
            for agent in (text, other):
                says = Script().sets_state(agent.agent_id, turn).user(f"{agent.agent_id} {turn}").assistant("yes")
                expect_no_failure(play(agent, says, observing=False))
        expect_own(voice, ["voice 0", "voice 1", "voice 2"], {"voice": 2})
        for agent in (text, other):
            wanted = [said for turn in range(3) for said in (f"{agent.agent_id} {turn}", "yes")]
            expect_own(agent, wanted, {agent.agent_id: 2})
        expect_apart_on_one_manager(replace(new_session(), text_agent=TextAgent()))
        expect_windows_apart(new_session())

    @requirement("AGT-22", source="B: harness-sdk #4420")
    def merged_input(self, run: ScenarioRuns) -> None:
        """Input that a text agent merges into its last message replaces that message in storage: same position, same
        tracking id, once.
        """
        for scenario in (TEXT_MERGED, TEXT_MERGED_TRIMMED):
            played = run(scenario)
            expect_no_failure(played.timeline, allowed=["ScriptedFailure"])
            expect_restored_as_left(played)

    @requirement("AGT-23", source="B: harness-sdk #4027, #4087, #4088")
    def pinned_messages(self, run: ScenarioRuns) -> None:
        """Messages that are pinned, so that neither a sliding window nor a summary removes them, come back where they
        stood, pinned as they were, and what was removed behind them does not.
        """
        for scenario in (TEXT_PINNED_WINDOW, TEXT_PINNED_SUMMARY):
            played = run(scenario)
            expect_no_failure(played.timeline)
            expect_restored_as_left(played)
            if "one" not in texts(played.memory) or "three" in texts(played.memory):
                violated("of the first messages, those that are pinned are kept", f"{texts(played.memory)}",
                         played.timeline, *played.timeline.of(AgentAtRest))  # fmt: skip
        pinned = run.once(pinned_in_the_middle)
        expect_no_failure(pinned.timeline)
        expect_restored_as_left(pinned)
        held = [PINNED in texts(rest.memory) for rest in pinned.timeline.of(AgentAtRest)]
        if held != [False, True, True, True, True, False]:
            violated("the window keeps the message as long as it is pinned", f"{held}", pinned.timeline)

    @requirement(
        "AGT-24",
        source="F: a write-ahead rule: who is told of a message may rely on it",
        needs=[Capability.STORAGE_FAULTS, Capability.READ_BESIDE_WRITER],
        promise=Durability.MESSAGE,
    )
    def storage_that_fails(self, run: ScenarioRuns) -> None:
        """When storage fails while a text agent is invoked (as what the user said, a tool use, an answer, or a state
        that changed after it is to be stored), the failure reaches the caller, no hook is told of a message that was
        not stored, and what a hook was ever told of stays stored.
        """
        played = run(TEXT_STORAGE_FAULT)
        expect_outages_told_of(played, "agent.invoke_async()")
        expect_last_state_told_of(played, "seat", "12A", "agent.invoke_async()")
        expect_readable(played.stored, "after the conversation", played.timeline)
        uses = {
            block["toolUse"]["toolUseId"]
            for message in played.stored.messages
            for block in message["content"]
            if "toolUse" in block
        }
        for told in played.timeline.hooks("message_added"):
            if told.position == "early" and told.message is not None:
                if any(result["toolUseId"] not in uses for result in results_of([told.message])):
                    continue  # its use was lost, as the caller was told, and a restore may drop what answers nothing
                what = "of which a hook was told, is stored at the end"
                expect_stored(told.message, played.stored.messages, what, played.timeline, told)

    @requirement(
        "AGT-25",
        source="A,B: RepositorySessionManager.initialize, 'the agent_id of an agent must be unique in a session'",
    )
    def same_agent_twice(self, new_session: NewSession) -> None:
        """A second text agent of the same agent_id on one manager is refused with SessionException."""
        expect_twins_refused(
            new_session(),
            lambda manager: TextAgent().build(ScriptedTextModel(Timeline()), agent_id="twin", session_manager=manager),
        )

    @requirement("AGT-26", source="A: AgentInitializedEvent restores; it is no event that changes a session")
    def restored_again_and_again(self, new_session: NewSession) -> None:
        """A text agent's session restores any number of times, before its first message and after it: nothing that a
        reader sees changes, and storage does not grow with each restore.
        """
        new = new_session()
        session = Session(new.backend, new.workspace, new.session_id, text_agent=TextAgent())
        for what, script, said in (
            ("no message yet", Script(), []),
            ("a message and its answer", Script().sets_state("seat", 1).user("one").assistant("two"), ["one", "two"]),
        ):
            timeline = play(session, script, observing=False)
            expect_no_failure(timeline)
            sizes = []
            for _ in range(5):
                expect_own(session, said, {"seat": 1} if said else {}, timeline)
                sizes.append(session.workspace.bytes_stored())
            if all(earlier < later for earlier, later in pairwise(sizes)):
                violated(
                    f"with {what}, storage does not grow with each restore",
                    f"it has {sizes} bytes after each of five restores",
                    timeline,
                )

    @requirement("AGT-27", source="A: Agent.load_snapshot, 'restore agent state from a previously captured snapshot'",
                 since="2026.12")  # fmt: skip
    def set_back(self, run: ScenarioRuns) -> None:
        """A text agent that is set back with load_snapshot and goes on is restored as it is in memory: what was taken
        back does not come back.
        """
        played = run.once(set_back)
        expect_no_failure(played.timeline)
        found = [text for text in texts(played.stored.messages) if TAKEN_BACK in text]
        if found:
            violated("what was taken back does not come back", f"{found} do", played.timeline,
                     *played.timeline.of(AgentAtRest)[-1:])  # fmt: skip
        expect_restored_as_left(played)

    @requirement("AGT-28", source="A: ConversationManager.restore_from_session; D: session management, exceptions",
                 since="2026.12")  # fmt: skip
    def made_otherwise(self, new_session: NewSession) -> None:
        """A session that is opened with another conversation manager, or whose record this SDK cannot restore, is
        restored, or refused with an SDK exception, and stays as it is.
        """
        expect_opened_by_others(new_session())
        expect_opened_with_unknown_record(new_session("unknown"))

    @requirement(
        "AGT-29",
        source="A: strands.experimental.checkpoint, 'pair with a SessionManager for cross-process state continuity'",
        needs=[Capability.FRESH_PROCESS],
        since="2026.12",
    )
    def killed_at_checkpoints(self, new_session: NewSession) -> None:
        """An agent that is killed at each checkpoint, and gone on with from it in a new process, runs no tool again
        that has run, leaves out none, and gives the model each result.
        """
        expect_each_tool_once(new_session())


def _last_result(start: ModelStarted) -> str | None:
    results = results_of(start.messages[-1:])
    return str(results[-1]["toolUseId"]) if results else None


__all__ = ["TextAgents"]
