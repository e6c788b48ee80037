"""Text conversations: what a script makes an ``Agent`` do, step by step, and what is recorded of it."""

from typing import Any

import pytest
from session_conformance.harness import Script, Session, TextAgent, ToolCall, play
from session_conformance.harness.conversations.text_agent import SUMMARY
from session_conformance.harness.models import fails_here
from session_conformance.harness.scripts import Cancel, EndStream, HookRaises, SendAudio, Step, Timeout
from session_conformance.harness.timeline import (
    AgentAtRest,
    Asked,
    Failed,
    Happened,
    HookCalled,
    ModelStarted,
    ProcessStarted,
    ToolRan,
    texts,
)


@pytest.fixture
def make(session: Session) -> Any:
    return lambda id="text", **about: Session(session.backend, session.workspace, id, text_agent=TextAgent(**about))


def whys(timeline: Any) -> list[str]:
    return [rest.why for rest in timeline.of(AgentAtRest)]


def test_each_invocation_ends_before_the_next_step(make: Any) -> None:
    timeline = play(make(), Script().user("one").assistant("two").user("three").assistant("four"))
    assert [texts(start.messages) for start in timeline.of(ModelStarted)] == [["one"], ["one", "two", "three"]]
    assert whys(timeline) == ["the invocation ends (end_turn)"] * 2
    assert texts(timeline.of(AgentAtRest)[-1].memory) == ["one", "two", "three", "four"]
    assert not timeline.of(Failed)


def test_each_position_of_a_hook_is_told_in_order(make: Any) -> None:
    calls = play(make(), Script().user("one").assistant("two")).of(HookCalled)
    assert [call.position for call in calls if call.event == "message_added"] == [
        "early", "constructor", "added", "last"
    ] * 2  # fmt: skip


def test_what_is_stored_is_read_at_hooks_calls_and_ends(make: Any) -> None:
    timeline = play(make(), Script().user("one").assistant("two"))
    [start], [rest] = timeline.of(ModelStarted), timeline.of(AgentAtRest)
    assert start.stored is not None
    assert texts(start.stored.messages) == ["one"]
    assert rest.stored is not None
    assert rest.stored.messages == rest.memory
    unseen = play(make("unseen"), Script().user("one").assistant("two"), observing=False)
    assert unseen.of(ModelStarted)[0].stored is None


def test_a_held_tool_goes_on_when_it_is_released(make: Any) -> None:
    script = Script().user("go").calls_together(ToolCall("t", {}, "held", held=True)).releases("held").assistant("ok")
    timeline = play(make(), script)
    assert [ran.what for ran in timeline.of(ToolRan)] == ["begins", "ends"]
    assert len(timeline.of(ModelStarted)) == 2


def test_an_invocation_that_nothing_answers_is_torn_down_at_the_end(make: Any) -> None:
    timeline = play(make(), Script().user("is anybody there?").restarts_process().user("and now?").assistant("yes"))
    assert whys(timeline) == ["the invocation is torn down", "the invocation ends (end_turn)"]


def test_a_process_without_an_invocation_comes_to_rest_too(make: Any) -> None:
    assert whys(play(make(), Script().starts().stops())) == ["the process is about to end"]


def test_it_is_cancelled_while_the_model_streams(make: Any) -> None:
    timeline = play(make(), Script().user("go").then(Cancel(), EndStream()))
    assert whys(timeline) == ["the invocation ends (cancelled)"]


def test_a_failing_model_fails_the_invocation_and_no_later_one(make: Any) -> None:
    script = Script().fails("stream").user("one").user("two").emits(fails_here()).user("three").assistant("four")
    timeline = play(make(), script)
    assert [failed.where for failed in timeline.of(Failed)] == ["agent.invoke_async()"] * 2
    assert whys(timeline) == ["the invocation fails"] * 2 + ["the invocation ends (end_turn)"]


def test_where_nobody_asks_the_model_its_answer_does_not_happen(make: Any) -> None:
    script = Script().then(HookRaises("message_added")).user("one").assistant("two").calls("t").releases("t")
    timeline = play(make(), script)
    assert [event.what for event in timeline.of(Happened)] == [
        f"the model is not asked, so the script's {what} does not happen"
        for what in ("answer", "tool call", "tool result")
    ]


def test_interrupts_are_answered_in_another_process(make: Any) -> None:
    asking = (ToolCall("a", {}, "a", asks="a?"), ToolCall("b", {}, "b", asks="b?", asked_by="hook"))
    script = Script().user("go").calls_together(*asking).restarts_process().answers({"sure": True}, *asking)
    timeline = play(make(), script.assistant("done"))
    [asked] = timeline.of(Asked)
    assert [interrupt["reason"] for interrupt in asked.interrupts] == ["a?", "b?"]
    assert [ran.what for ran in timeline.of(ToolRan)] == ["is answered {'sure': True}", "begins", "ends"] * 2
    assert texts(timeline.of(AgentAtRest)[-1].memory)[-1] == "done"


def test_structured_output_is_asked_for(make: Any) -> None:
    use = {"toolUseId": "b", "name": "Booking", "input": {"city": "Paris", "nights": 2}}
    answer = ({"type": "tool_use_blocks", "tool_uses": [use]}, {"type": "response_stop"})
    timeline = play(make(), Script().user("book", structured=True).emits(*answer))
    assert "Booking" in timeline.of(ModelStarted)[0].tools
    assert whys(timeline) == ["the invocation ends (tool_use)"]


def test_a_window_and_a_summary_shorten_the_history(make: Any) -> None:
    talk = Script().user("one").assistant("two").user("three").assistant("four")
    windowed = play(make("window", window=2), talk).of(AgentAtRest)[-1]
    assert (texts(windowed.memory), windowed.removed) == (["three", "four"], 2)
    summarized = play(make("summary", summarizes=True), talk.fails("overflow").user("five").assistant("six"))
    assert texts(summarized.of(AgentAtRest)[-1].memory) == [SUMMARY, "three", "four", "five", "six"]
    again = play(make("summary", summarizes=True), Script().starts())
    [opened] = again.of(ProcessStarted)
    assert texts(opened.memory) == [SUMMARY, "three", "four", "five", "six"]
    assert opened.managed["removed_message_count"] == 2
    assert make("summary", summarizes=True).read().removed == 2


def test_a_stateful_model_keeps_the_history_itself(make: Any) -> None:
    timeline = play(make(stateful=True), Script().user("one").assistant("two").user("three").assistant("four"))
    starts = timeline.of(ModelStarted)
    assert [texts(start.messages) for start in starts] == [["one"], ["three"]]
    assert [start.options["model_state"].get("turn") for start in starts] == [None, 1]


@pytest.mark.parametrize("step", [SendAudio(), Timeout()])
def test_a_step_that_text_agents_do_not_have_is_refused_in_words(make: Any, step: Step) -> None:
    with pytest.raises(ValueError, match=f"the step '{step.op}' is none of a conversation with Agent"):
        play(make(), Script().then(step))


def test_a_failing_call_that_text_models_do_not_have_is_refused_in_words(make: Any) -> None:
    with pytest.raises(ValueError, match="a text model has no 'restart'"):
        play(make(), Script().fails("restart"))


def test_one_invocation_at_a_time(make: Any) -> None:
    with pytest.raises(RuntimeError, match="while another one is under way"):
        play(make(), Script().user("one").user("two"))


def test_it_is_played_in_processes_of_its_own(make: Any) -> None:
    held = ToolCall("t", {}, "held", held=True)
    script = Script().user("one").calls_together(held).restarts_process("killed").user("two").assistant("three")
    timeline = play(make(), script, fresh_processes=True)
    assert [start.fresh for start in timeline.of(ProcessStarted)] == [True, True]
    assert texts(timeline.of(AgentAtRest)[-1].memory)[-2:] == ["two", "three"]
    assert "one" in texts(timeline.of(ModelStarted)[-1].messages)
