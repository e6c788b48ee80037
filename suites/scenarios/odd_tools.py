"""Scenarios of tool uses and results that were stored in an odd order, which a restore puts right."""

from __future__ import annotations

from typing import Any

from session_conformance.harness import Scenario, Script


def _message(role: str, number: int, *content: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(content), "tracking_id": f"00000000-0000-4000-8000-{number:012d}"}


def _use(number: int, *ids: str) -> dict[str, Any]:
    uses = [{"toolUse": {"toolUseId": id, "name": "note", "input": {}}} for id in ids]
    return _message("assistant", number, *uses)


def _result(number: int, *ids: str) -> dict[str, Any]:
    return _message(
        "user",
        number,
        *(
            {"toolResult": {"toolUseId": id, "status": "success", "content": [{"text": f"done {number}"}]}}
            for id in ids
        ),
    )


def _stored(name: str, *messages: dict[str, Any]) -> Scenario:
    script = Script().starts().adds(_message("user", 1, {"text": "note it"}))
    for message in messages:
        script = script.adds(message)
    return Scenario(name, script.restarts_process().user("go on"), observing=False)


ODD_TOOLS = (
    _stored("an empty message behind a tool use", _use(2, "a"), _message("assistant", 3)),
    _stored(
        "an empty message between a tool use and its result",
        _use(2, "a"),
        _message("assistant", 3),
        _result(4, "a"),
    ),
    _stored("a second result for a tool use", _use(2, "a"), _result(3, "a"), _result(4, "a")),
    _stored("two results for a tool use in one message", _use(2, "a"), _result(3, "a", "a")),
    _stored("a message between a tool use and its result", _use(2, "a"), _message("user", 3, {"text": "wait"}),
            _result(4, "a")),
    _stored("one result of two, and the other one later", _use(2, "a", "b"), _result(3, "a"), _result(4, "b")),
    _stored("a result that answers nothing", _result(2, "never-asked"), _message("assistant", 3, {"text": "noted"})),
    _stored("a tool use behind one that was never answered", _use(2, "a"), _use(3, "b"), _result(4, "b")),
)  # fmt: skip
"""What is left of a group of tools where a process was killed, or two wrote."""

SAME_TOOL_IDS = Scenario(
    "tool uses of one id",
    Script()
    .starts()
    .adds(_message("user", 1, {"text": "note it"}))
    .adds(_use(2, "note"))
    .adds(_result(3, "note"))
    .adds(_message("assistant", 4, {"text": "noted"}))
    .adds(_message("user", 5, {"text": "note that, too"}))
    .adds(_use(6, "note"))
    .adds(_result(7, "note"))
    .adds(_message("assistant", 8, {"text": "noted, too"}))
    .restarts_process()
    .user("go on"),
    observing=False,
)
"""A model that gives its calls no ids, whose tool's name is taken for one: each turn's use has the same."""
