"""TOL: tools. A model accepts the history that comes back, tool uses and results included."""

from __future__ import annotations

from session_conformance.fixtures import ConformanceSuite
from session_conformance.harness import (
    Capability,
    ScenarioRuns,
    Timeline,
    expect_no_failure,
    expect_same,
    requirement,
    unpaired_tools,
    violated,
)
from session_conformance.harness.backends import Durability
from session_conformance.harness.sdk import SdkFeature
from session_conformance.harness.timeline import AgentStopped, Failed, ModelStarted, one_message, same

from .scenarios import (
    DIRECT_TOOL_CALL,
    EVERYDAY,
    KILLED_BETWEEN_USE_AND_RESULT,
    KILLED_IN_TOOL,
    ODD_TOOLS,
    SAME_TOOL_IDS,
    TEXT_PROCESSES,
    TOOL_SETS_STATE,
    expect_no_made_up_success,
    expect_readable,
    expect_stored,
    has_block,
    results_of,
)


class Tools(ConformanceSuite):
    """TOL: tools."""

    @requirement(
        "TOL-01", source="D: bidirectional streaming, session management, 'Session Updates' (tool execution saved)"
    )
    def pairs(self, run: ScenarioRuns) -> None:
        """Tool use and result are stored as an adjacent pair, with their ids."""
        played = run(EVERYDAY)
        expect_no_failure(played.timeline)
        expect_readable(played.stored, "after the conversation")
        for message in played.memory:
            if has_block(message, "toolUse", "toolResult"):
                calls = [call for call in played.timeline.hooks("message_added") if call.message == message]
                expect_stored(message, played.stored.messages, "is stored", played.timeline, *calls[:1])
        unpaired = unpaired_tools(played.stored.messages)
        if unpaired is not None:
            violated(
                "each tool use is followed by its result", unpaired, played.timeline, *played.timeline.of(AgentStopped)
            )

    @requirement(
        "TOL-02", source="A: BidiToolUseBlocksEvent, 'tool calls to execute together'", sdk=[SdkFeature.TOOL_GROUPS]
    )
    def parallel_group(self, run: ScenarioRuns) -> None:
        """A parallel tool group is stored whole, results in its order."""
        played = run(EVERYDAY)
        wanted = ["where-1", "weather-2", "weather-3"]
        for kind in ("tool_dispatch", "tool_result"):
            groups = [
                [result["toolUseId"] for result in results_of([message], kind=kind)]
                for message in played.stored.messages
            ]
            if wanted not in groups:
                violated(
                    f"one stored message ({kind}) has the results of {wanted}, in this order",
                    f"the stored results are {[group for group in groups if group]}",
                    played.timeline,
                    *[
                        call
                        for call in played.timeline.hooks("message_added")
                        if call.message and results_of([call.message], kind=kind)
                    ][-1:],
                )

    @requirement("TOL-03", source="A: ToolResult.status, 'success' or 'error'")
    def tool_that_raises(self, run: ScenarioRuns) -> None:
        """A tool that raises is stored with status error."""
        played = run(EVERYDAY)
        stored = results_of(played.stored.messages, kind="tool_result")
        statuses = {str(result["toolUseId"]): result["status"] for result in stored}
        wanted = {"tool-4": "success", "where-1": "success", "weather-2": "error", "weather-3": "success"}
        if statuses != wanted:
            violated(f"{wanted}", f"{statuses}", played.timeline, *played.timeline.of(AgentStopped))

    @requirement("TOL-04", source="B: harness-sdk #859, #1274, #2025, #3651", needs=[Capability.FRESH_PROCESS])
    def ended_during_a_tool(self, run: ScenarioRuns) -> None:
        """A session that ended during a tool restores to a history a model accepts: every use has one result, no stray
        result.
        """
        for scenario in (KILLED_IN_TOOL, KILLED_BETWEEN_USE_AND_RESULT):
            timeline = run(scenario).timeline
            expect_no_failure(timeline, allowed=["HookError"])
            starts = timeline.of(ModelStarted)
            if len(starts) < 2:
                violated("the session opens again and the model starts", "it does not", timeline, *timeline.of(Failed))
            for start in starts[1:]:
                unpaired = unpaired_tools(start.messages)
                if unpaired is not None:
                    violated(
                        f"{scenario.name}: the restored history is one that a model accepts", unpaired, timeline, start
                    )
        for scenario in ODD_TOOLS:
            timeline = run(scenario).timeline
            expect_no_failure(timeline)
            for start in timeline.of(ModelStarted)[1:]:
                unpaired = unpaired_tools(start.messages)
                if unpaired is not None:
                    violated(
                        f"{scenario.name}: the restored history is one that a model accepts", unpaired, timeline, start
                    )

    @requirement(
        "TOL-05",
        source="A: sync_agent, called with each message 'in case the agent state was updated'",
        needs=[Capability.READ_BESIDE_WRITER],
        promise=Durability.MESSAGE,
    )
    def state_changed_by_a_tool(self, run: ScenarioRuns) -> None:
        """State changed by a tool is stored with its result."""
        timeline: Timeline = run(TOOL_SETS_STATE).timeline
        expect_no_failure(timeline)
        told = [
            call
            for call in timeline.hooks("message_added")
            if call.message is not None and results_of([call.message], kind="tool_result") and call.position == "last"
        ]
        if not told:
            violated("the tool's result is added", "no hook was told of it", timeline)
        before_model = [start for start in timeline if start.at > told[0].at and getattr(start, "stored", None)]
        stored = getattr(before_model[0], "stored", None)
        assert stored is not None
        expect_readable(stored, "after the tool", timeline, told[0])
        if not same(stored.state.get("seat"), "12A"):
            violated(
                "with the tool's result, the state it set is stored: {'seat': '12A'}",
                f"the stored state is {stored.state!r}",
                timeline,
                told[0],
                before_model[0],
            )

    @requirement("TOL-06", source="A: BidiAgent.tool, record_direct_tool_call", sdk=[SdkFeature.DIRECT_TOOL_CALLS])
    def direct_tool_call(self, run: ScenarioRuns) -> None:
        """A direct tool call (agent.tool.name(...)) is stored where the agent records it."""
        played = run(DIRECT_TOOL_CALL)
        expect_no_failure(played.timeline)
        recorded = [message for message in played.memory if has_block(message, "toolUse", "toolResult")]
        if len(recorded) != 2:
            violated(
                "the agent records the call",
                f"{[one_message(m) for m in recorded]}",
                played.timeline,
                *played.timeline.of(AgentStopped),
            )
        expect_readable(played.stored, "after the conversation")
        for message in played.memory[:4]:  # what the agent records of the call: request, use, result, answer
            stops = played.timeline.of(AgentStopped)
            expect_stored(message, played.stored.messages, "is stored", played.timeline, *stops)

    @requirement(
        "TOL-07",
        source="B: harness-sdk #1200, #2050: models that give no ids, whose tools' names were taken for them",
        since="2026.12",
    )
    def same_ids_in_several_turns(self, run: ScenarioRuns) -> None:
        """Tool uses of one id, each in a turn of its own, keep their own results, in place."""
        played = run(SAME_TOOL_IDS)
        expect_no_failure(played.timeline)
        stop = played.timeline.of(AgentStopped)[0]
        expect_same(stop.memory, played.processes[1].memory, "uses and results of one id are restored as they were")

    @requirement(
        "TOL-08",
        source="A,B: ToolResult.status, 'the status of the tool execution'; RepositorySessionManager, 'filling gaps"
        " with error results'; harness-sdk #859",
        needs=[Capability.FRESH_PROCESS],
        since="2026.12",
    )
    def nothing_made_up_succeeded(self, run: ScenarioRuns) -> None:
        """A tool whose process was killed before it ended is never restored as one that succeeded: a result that is
        made up for it says error.
        """
        expect_no_made_up_success(run(KILLED_IN_TOOL), {"never-1", "never-2"})
        expect_no_made_up_success(run(KILLED_BETWEEN_USE_AND_RESULT), {"orphan"})
        expect_no_made_up_success(run(TEXT_PROCESSES), {"never-2"})
