"""Scripts: every step survives its JSON form, and a form that is no script is refused in words."""

import json
from typing import Any

import pytest
from session_conformance.harness import Script, ScriptError, ToolCall
from session_conformance.harness.scripts import (
    Add,
    CleanUp,
    DeleteSession,
    DirectToolCall,
    EndStream,
    HookRaises,
    HookReads,
    Merge,
    NodeWill,
    Release,
    RestartProcess,
    Send,
    SendAudio,
    SetState,
    Step,
    StopHookSetsState,
    StorageFails,
    StorageFailsBehind,
    StorageWorks,
    as_python,
)
from session_conformance.harness.scripts.steps import all_steps

EVERYTHING = (
    Script()
    .settings(auto_restart=False, restart_after_s=480, restartable=False)
    .starts()
    .user("a lone surrogate \ud800, and NUL \0")
    .user([{"text": "look"}, {"image": {"format": "png", "source": {"bytes": b"\x89PNG\0\xff"}}}])
    .then(SendAudio(b"\0\1"))
    .assistant("Hello  Alice")
    .reasons("thinking")
    .hears("what the user said")
    .says("what the model said")
    .barges_in("cut short")
    .calls("weather", city="Paris", returns=[{"json": {"$bytes": "like a marker"}}])
    .calls_together(
        ToolCall("search", {"q": 1}, "held", held=True), ToolCall("other", {}, "raises", error="no", state={"k": 1.5})
    )
    .then(Release("held"))
    .timeout(Send("during"), options={"handle": "abc"})
    .scheduled_restart()
    .fails("restart", times=None)
    .cancels()
    .sets_state("key", [1, None, True])
    .deletes_state("key")
    .adds({"role": "user", "content": [{"text": "added"}]})
    .redacts("[gone]")
    .together(Send("one"), Send("two"))
    .then(DirectToolCall("weather", {"city": "Rome"}), HookRaises("message_updated"), StopHookSetsState("k", 1))
    .then(
        StorageFails(),
        StorageWorks(),
        StorageFailsBehind("k", 2),
        EndStream(),
        NodeWill("right", "wait", ("left",)),
        Merge("more"),
    )
    .answers({"yes": True}, ToolCall("ask", {}, "asking", asks="Really?", asked_by="hook"), to=("Really?",))
    .stops()
    .restarts_process("killed")
    .given({"role": "user", "content": [{"text": "given to the constructor"}]})
    .then(HookReads("message_updated"))
    .elsewhere(Send("I am another"), agent_id="other")
    .elsewhere(Send("I am in another session"), session_id="other")
    .restarts_process("stopped", DeleteSession(), DeleteSession("other"), CleanUp(1))
    .user("again")
)


def steps_of(script: Script) -> set[type[Step]]:
    return {type(step) for step in all_steps(script.steps)}


def test_every_step_survives_the_json_form() -> None:
    assert steps_of(EVERYTHING) == set(Step.__subclasses__())
    again = Script.from_json(EVERYTHING.to_json())
    assert again == EVERYTHING
    assert json.loads(again.to_json()) == json.loads(EVERYTHING.to_json())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "a list of steps under 'steps'"),
        ('{"steps": 1}', "a list of steps under 'steps'"),
        ('{"steps": [], "speed": 2}', "unknown settings ['speed']"),
        ('{"steps": [{"op": "sing"}]}', "unknown step 'sing': expected one of add, answer"),
        ('{"steps": ["send"]}', "unknown step"),
        ('{"steps": [{"op": "send", "loud": true}]}', "step 'send' has no 'loud': expected ['content', 'structured']"),
        ('{"steps": [{"op": "call_tools", "calls": [{"nom": "x"}]}]}', "step 'call_tools'"),
        ('{"steps": [{"op": "together", "steps": 3}]}', "step 'together'"),
    ],
)
def test_what_is_no_script_is_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(ScriptError) as caught:
        Script.from_json(text)
    assert told in str(caught.value)


def test_a_script_falls_into_processes() -> None:
    script = Script().user("a").restarts_process().user("b").restarts_process("killed")
    assert [([type(step) for step in part.steps], end) for part, end, _ in script.segments()] == [
        ([Send], "stopped"),
        ([Send], "killed"),
        ([], "stopped"),
    ]


def test_ids_are_unique_and_pieces_lose_nothing() -> None:
    script = Script().says("a b").says("a b").assistant(" two  blanks ").assistant("x").calls("t").calls("t")
    ids = [call.id for call in script.tool_calls()]
    assert len(set(ids)) == 2
    streams: dict[Any, str] = {}
    for step in script.steps:
        for event in getattr(step, "events", ()):
            if event["type"].endswith("_start") and "content_id" in event:
                assert event["content_id"] not in streams, "a stream's id was used twice"
                streams[event["content_id"]] = ""
            elif event["type"] in ("text_delta", "transcript_delta"):
                streams[event["content_id"]] += event["delta"]
    assert sorted(text for text in streams.values() if text) == sorted(["a b", "a b", " two  blanks ", "x"])


def test_steps_do_not_share_their_script() -> None:
    short = Script().user("one")
    longer = short.then(SetState("k", 1), Add({"role": "user", "content": []}), RestartProcess())
    assert (len(short.steps), len(longer.steps)) == (1, 4)


def test_a_script_is_written_as_the_python_that_makes_it() -> None:
    made: dict[str, Any] = {}
    exec(as_python(EVERYTHING), made)
    assert made["script"].to_json() == EVERYTHING.to_json()


def test_python_reads_as_a_person_writes_it() -> None:
    script = Script().user("My name is Alice").assistant("Hello Alice").calls("weather", city="Paris").timeout()
    assert as_python(script) == (
        "from session_conformance.harness import Script\n\n"
        "script = (\n"
        "    Script()\n"
        '    .user("My name is Alice")\n'
        '    .assistant("Hello Alice")\n'
        '    .calls("weather", city="Paris")\n'
        "    .timeout()\n"
        ")\n"
    )


@pytest.mark.parametrize("value", [1, 1.0, True, float("inf"), None, [()], {"a": b"\0"}, "'", "\"'\n\\"])
def test_values_keep_their_types_in_python(value: Any) -> None:
    script = Script().sets_state("key", value).calls("note", returns=value, value=value)
    made: dict[str, Any] = {}
    exec(as_python(script), made)
    assert repr(made["script"]) == repr(script)
