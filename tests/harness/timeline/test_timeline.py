"""Timelines: copies of what happened, a JSON form that loses nothing, and a drawing."""

from typing import Any

from session_conformance.harness import Reading, Script, Session, Team, TextAgent, Timeline, ToolCall, Violation, play
from session_conformance.harness.scripts import Send
from session_conformance.harness.sdk import SessionException
from session_conformance.harness.timeline import (
    LIFELINES,
    AgentAtRest,
    Event,
    Failed,
    HookCalled,
    ModelStarted,
    ToolRan,
    UserSent,
    excerpt,
    one_message,
)
from session_conformance.harness.timeline.excerpts import between


def test_every_kind_of_event_survives_the_json_form(session: Session) -> None:
    def new_session(id: str, **about: Any) -> Session:
        return Session(session.backend, session.workspace, id, **about)

    script = Script().user("bytes \ud800").says("hi").calls_together(ToolCall("t", {"b": b"\xff"}, "t", error="no"))
    script = script.timeout().redacts("x").fails("send").user("lost").elsewhere(Send("there"), session_id="other")
    timeline = play(session, script)
    asks = Script().user("hi").calls_together(ToolCall("ask", {}, "ask", asks="Really?"))
    timeline.extend(play(new_session("text", text_agent=TextAgent()), asks))
    timeline.extend(play(new_session("team", team=Team("swarm")), Script().user("hi")))
    seen = {type(event) for event in timeline}
    assert seen == {*Event.__subclasses__(), AgentAtRest}
    again = Timeline.from_json(timeline.to_json())
    assert [type(event) for event in again] == [type(event) for event in timeline]
    assert str(again) == str(timeline)
    assert again.around(*range(len(again))) == timeline.around(*range(len(timeline)))
    assert list(again) == list(timeline)


class _Conflict(SessionException):
    """An author's own exception."""


def test_an_exception_is_judged_by_all_its_classes_in_whatever_process_it_was_raised() -> None:
    timeline = Timeline([Failed.by("agent.send()", _Conflict("in use"))])
    [failed] = Timeline.from_json(timeline.to_json()).of(Failed)
    assert failed.type == "_Conflict"
    assert failed.is_a(ValueError, SessionException)
    assert not failed.is_a(ValueError, OSError)
    assert Failed.by("agent.send()", UnicodeDecodeError("utf-8", b"", 0, 1, "bad")).is_a(ValueError)


def test_what_is_recorded_does_not_change_any_more() -> None:
    message: Any = {"role": "user", "content": [{"text": "then"}]}
    timeline = Timeline()
    timeline.record(ModelStarted(messages=[message]))
    message["content"][0]["text"] = "now"
    assert timeline.of(ModelStarted)[0].messages[0]["content"] == [{"text": "then"}]


def test_a_drawing_shows_what_is_around_and_marks_what_is_meant() -> None:
    stored = Reading(messages=[{"role": "user", "content": [{"text": "s"}]}])
    timeline = Timeline([UserSent(content=str(number)) for number in range(10)])
    timeline.record(HookCalled(event="message_added", position="early", stored=stored))
    timeline.record(HookCalled(event="message_added", position="last", stored=Reading(error="KeyError: 'x'")))
    timeline.record(Failed(where="agent.send()", type="OSError", error="full"))
    assert timeline.around(2, 10, before=1, after=1).splitlines() == [
        "        ...",
        '      1  the user sends "1"',
        '  >   2  the user sends "2"',
        '      3  the user sends "3"',
        "        ...",
        '      9  the user sends "9"',
        "  >  10  hook message_added (early)",
        '           stored: 1 message; last: user ["s"]',
        "     11  hook message_added (last)",
        "           stored: cannot be read: \"KeyError: 'x'\"",
        "        ...",
    ]


def test_an_excerpt_has_what_a_drawing_has_as_plain_data() -> None:
    stored = Reading(messages=[{"role": "user", "content": [{"text": "s"}]}])
    timeline = Timeline([UserSent(content=str(number)) for number in range(10)])
    timeline.record(HookCalled(event="message_added", position="early", stored=stored))
    timeline.record(ToolRan(name="t", tool_use_id="1", what="raises"))
    assert excerpt(timeline, 10, before=1, after=1) == [
        {"at": 9, "kind": "UserSent", "from": "user", "to": "agent", "text": 'the user sends "9"', "marked": False,
         "stored": None},
        {"at": 10, "kind": "HookCalled", "from": "agent", "to": "hooks", "text": "hook message_added (early)",
         "marked": True, "stored": '1 message; last: user ["s"]'},
        {"at": 11, "kind": "ToolRan", "from": "tools", "to": "agent", "text": "tool t (1) raises", "marked": False,
         "stored": None},
    ]  # fmt: skip
    assert excerpt(timeline) == []


def test_every_kind_of_event_is_between_lifelines() -> None:
    for kind in Event.__subclasses__():
        assert set(between(kind())) <= set(LIFELINES)


def test_a_violation_has_the_events_that_its_evidence_draws() -> None:
    timeline = Timeline([UserSent(content=str(number)) for number in range(10)])
    violation = Violation("this", "that", "what was done", timeline, [8])
    assert [event["at"] for event in violation.events] == [4, 5, 6, 7, 8, 9]
    assert violation.evidence.startswith("what was done\n\ntimeline (")
    assert violation.evidence.endswith(timeline.around(8))
    assert str(violation) == f"expected: this\nfound:    that\n\n{violation.evidence}"
    assert (Violation("this", "that").events, Violation("this", "that").evidence) == ([], "")
    assert (Violation("a", "b", timeline=timeline).events, Violation("a", "b", timeline=timeline).evidence) == ([], "")


def test_a_message_is_shown_in_a_few_words() -> None:
    message: Any = {
        "role": "assistant",
        "content": [{"text": "x" * 200}, {"image": {}}, {"reasoningContent": {}}],
        "tracking_id": "0123456789",
        "metadata": {"custom": {"bidi": {"status": "pending"}}},
    }
    shown = one_message(message)
    assert shown.startswith('assistant ["xxx')
    assert shown.endswith('…", image, reasoning] pending #01234567')
    assert len(shown) < 120
    assert one_message(None) == "nothing"
