"""The scripted model: every output event of the SDK, every failure, and a record of all that it is given."""

import asyncio
import typing
from collections.abc import Callable

import pytest
from session_conformance.harness import (
    Conversation,
    Script,
    ScriptedBidiModel,
    Session,
    TeamConversation,
    TextConversation,
    Timeline,
    ToolCall,
    play,
)
from session_conformance.harness.scripts import (
    CleanUp,
    DeleteSession,
    EndStream,
    RestartProcess,
    Send,
    SendAudio,
    Step,
    stream,
)
from session_conformance.harness.sdk import OutputTranslator
from session_conformance.harness.timeline import Failed, ModelEmitted, ModelReceived, ModelStarted
from strands.bidi.models import BidiModel, Restartable
from strands.bidi.types import events as sdk_events

EVENTS: dict[str, dict[str, object]] = {
    "connection_start": {"connection_id": "c", "model": "scripted"},
    "connection_restart": {"reason": "scheduled"},
    "connection_warning": {"time_left_s": 5},
    "response_start": {"response_id": "r"},
    "audio_start": {"content_id": "a"},
    "audio_delta": {"content_id": "a", "audio": "AAAA", "format": "pcm", "sample_rate": 16000, "channels": 1},
    "audio_stop": {"content_id": "a"},
    "barge_in": {},
    "response_stop": {"response_id": "r"},
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    "connection_stop": {"connection_id": "c", "reason": "user_request"},
    "tool_use_blocks": {"tool_uses": [{"toolUseId": "t", "name": "n", "input": {}}]},
}
STREAMED = {"text": {}, "reasoning": {}, "transcript": {"role": "user"}}
for kind, about in STREAMED.items():
    EVENTS[f"{kind}_start"] = {"content_id": "s", **about}
    EVENTS[f"{kind}_delta"] = {"content_id": "s", "delta": "d", **about}
    EVENTS[f"{kind}_stop"] = {"content_id": "s", **about}
EVENTS["text_block"] = {"text": "t", "content_id": "s"}
EVENTS["reasoning_block"] = {"text": "t", "content_id": "s"}
EVENTS["transcript_block"] = {"transcript": "t", "role": "user", "content_id": "s"}


@pytest.fixture(params=[True, False], ids=["restartable", "plain"])
def script(request: pytest.FixtureRequest) -> Script:
    return Script().settings(restartable=request.param)


def kinds(timeline: Timeline, connection: int = 1) -> list[str]:
    return [event.type for event in timeline.of(ModelEmitted) if event.connection == connection]


def starts(timeline: Timeline) -> list[tuple[str, int, int]]:
    return [(event.call, event.connection, len(event.messages)) for event in timeline.of(ModelStarted)]


@pytest.mark.parametrize("event", typing.get_args(sdk_events.BidiOutputEvent), ids=lambda kind: kind.__name__)
def test_every_output_event_of_the_sdk_can_be_emitted(event: type) -> None:
    name = event.__name__.removeprefix("Bidi").removesuffix("Event")
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    assert type(OutputTranslator().events({"type": snake, **EVENTS[snake]})[0]) is event


@pytest.mark.parametrize("data", [{"type": "applause"}, {}, {"type": "text_delta", "loud": 1}])
def test_an_event_that_the_sdk_does_not_have_is_refused_in_words(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no output event|cannot be built"):
        OutputTranslator().events(data)


def test_it_is_a_model_of_the_sdk(script: Script, session: Session) -> None:
    assert isinstance(ScriptedBidiModel(Timeline()), BidiModel)
    assert not isinstance(ScriptedBidiModel(Timeline()), Restartable)
    timeline = play(session, script.user("hi").timeout())
    assert [call for call, *_ in starts(timeline)] == ["start", "restart" if script.restartable else "start"]


def test_a_response_reaches_the_agent_in_order(script: Script, session: Session) -> None:
    timeline = play(session, script.user("hi").says("good morning").barges_in("never mind"))
    assert kinds(timeline) == [
        "response_start", "audio_start", "audio_delta", "audio_stop", "transcript_start", "transcript_delta",
        "transcript_delta", "transcript_stop", "usage", "response_stop",
        "response_start", "transcript_start", "transcript_delta", "barge_in", "transcript_stop", "response_stop",
    ]  # fmt: skip
    assert [hook.position for hook in timeline.hooks("barge_in")] == ["early", "constructor", "added", "last"]


def test_what_it_is_given_is_a_copy_of_that_moment(script: Script, session: Session) -> None:
    timeline = play(session, script.user("one").timeout().user("two").timeout(options={"handle": "h"}))
    assert [count for *_, count in starts(timeline)] == [0, 1, 2]
    assert [start.options for start in timeline.of(ModelStarted)] == [{}, {}, {"handle": "h"}]
    assert {start.system_prompt for start in timeline.of(ModelStarted)} == {"You are a patient assistant."}
    assert [sent.content for sent in timeline.of(ModelReceived)] == [[{"text": "one"}], [{"text": "two"}]]


def test_it_is_given_the_tools_and_their_results(script: Script, session: Session) -> None:
    timeline = play(session, script.user("hi").calls("weather", city="Paris", returns="sunny"))
    assert "weather" in timeline.of(ModelStarted)[0].tools
    [result] = [block for sent in timeline.of(ModelReceived) for block in sent.content if "toolResult" in block]
    assert result["toolResult"]["content"] == [{"text": "sunny"}]


@pytest.mark.parametrize("when", ["between turns", "inside a transcript", "while a tool runs"])
def test_timeouts_at_any_point(script: Script, session: Session, when: str) -> None:
    if when == "between turns":
        script = script.user("hi").timeout()
    elif when == "inside a transcript":
        script = script.emits(*stream("open", "transcript", "I was say", role="user")[:-1]).timeout()
    else:
        script = script.calls_together(ToolCall("slow", {}, "t", held=True)).timeout(Send("well?")).releases("t")
    timeline = play(session, script)
    assert not timeline.of(Failed)
    assert len(starts(timeline)) == 2


@pytest.mark.parametrize(
    ("restartable", "times", "failed"),
    [
        (True, 1, [False, True, False, False]),
        (True, None, [False, True, False, True]),
        (False, 1, [False, True, False, False]),
        (False, None, [False, True, True]),  # then there is no connection that could time out
    ],
)
def test_a_restart_fails_once_or_always(
    session: Session, restartable: bool, times: int | None, failed: list[bool]
) -> None:
    script = Script().settings(restartable=restartable).user("hi")
    script = script.fails("restart" if restartable else "start", times=times).timeout().stops().starts()
    timeline = play(session, script.timeout() if len(failed) > 3 else script)
    assert [start.failed for start in timeline.of(ModelStarted)] == failed
    assert timeline.of(Failed)[0].type == "ScriptedFailure"


def test_a_start_and_a_send_fail(script: Script, session: Session) -> None:
    timeline = play(session, script.fails("start").starts().starts().fails("send").user("lost").user("heard"))
    assert [start.failed for start in timeline.of(ModelStarted)] == [True, False]
    assert [sent.failed for sent in timeline.of(ModelReceived)] == [True, False]
    assert [failed.where for failed in timeline.of(Failed)] == ["agent.start()", "agent.send()"]


def test_a_stream_ends(script: Script, session: Session) -> None:
    timeline = play(session, script.user("hi").then(EndStream()))
    assert kinds(timeline) == ["end_stream"]


def test_eight_minutes_pass_at_once(session: Session, new_session: Callable[[], Session]) -> None:
    for restartable in (True, False):
        script = Script().settings(restart_after_s=480, restartable=restartable)
        timeline = play(new_session(), script.user("hi").scheduled_restart().user("on"))
        assert [count for *_, count in starts(timeline)] == [0, 1]


def test_without_auto_restart_the_timeout_reaches_the_caller(script: Script, session: Session) -> None:
    settings = script.settings(auto_restart=False, restartable=script.restartable)
    timeline = play(session, settings.user("hi").timeout())
    assert [failed.where for failed in timeline.of(Failed)] == ["agent.receive()"]
    assert len(starts(timeline)) == 1


def test_live_audio_reaches_the_model_and_no_history(script: Script, session: Session) -> None:
    timeline = play(session, script.then(SendAudio(b"\1\2")))
    [received] = timeline.of(ModelReceived)
    assert received.content[0] == {"audio_delta": {"format": "pcm", "source": {"bytes": b"\1\2"}}}
    assert session.read().messages == []


async def played_by(session: Session) -> set[type[Step]]:
    voice = Conversation(session, Script())
    text = TextConversation(Session(session.backend, session.workspace, "text"), Script())
    team = TeamConversation(Session(session.backend, session.workspace, "team"), Script())
    return {*voice._plays, *text._plays, *team._plays}


def test_some_conversation_knows_each_step(session: Session) -> None:
    assert asyncio.run(played_by(session)) == set(Step.__subclasses__()) - {RestartProcess, DeleteSession, CleanUp}


def test_a_step_that_voice_agents_do_not_have_is_refused_in_words(session: Session) -> None:
    with pytest.raises(ValueError, match="the step 'answer' is none of a conversation with BidiAgent"):
        play(session, Script().answers("yes"))
