"""Twins: what a model is sent after a process has restarted, beside what it would have been sent without that."""

from __future__ import annotations

import json
from typing import Any

from session_conformance.harness import Script, Session, Timeline, play, unpaired_tools, violated
from session_conformance.harness.conversations import TextAgent
from session_conformance.harness.scripts import RestartProcess, Start, Stop
from session_conformance.harness.timeline import ModelStarted, difference, is_pending, to_json

_IDS = "00000000-0000-4000-a000-{:012d}"
"""The SDK's tracking ids are unique within a conversation: generated scripts have those in ``8000`` and ``9000``."""

TO_COME: tuple[Any, ...] = (
    {
        "role": "user",
        "content": [{"text": "What will be?", "aKeyToCome": {"nested": [1, 2.5, None, True]}}],
        "tracking_id": _IDS.format(1),
    },
    {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "Nobody knows.", "signature": "c2lnbmVk"}}},
            {"text": "Who knows", "signature": "b2YgYSB0ZXh0"},
            {"blockToCome": {"bytes": "AAEC", "items": [{"of": "any kind"}]}},
        ],
        "tracking_id": _IDS.format(2),
        "aFieldToCome": "of a message",
    },
)
"""Messages with keys, and a block, that no release of the SDK knows yet."""


def sent(start: ModelStarted) -> str:
    """Return what a model was sent as canonical JSON: keys in order, so that a store may keep them in any."""
    about = {"system_prompt": start.system_prompt, "tools": start.tool_specs, "messages": start.messages}
    return json.dumps(to_json(about), sort_keys=True, ensure_ascii=False)


def expect_same_sent(without: ModelStarted, after: ModelStarted, timeline: Timeline) -> None:
    """Report a violation unless a model is sent the same after a restart as without one."""
    if sent(without) == sent(after):
        return
    found = difference(without.messages, after.messages)
    if found is None and without.messages != after.messages:
        found = _first_difference(to_json(without.messages), to_json(after.messages), "messages")
    if found is None and without.tool_specs != after.tool_specs:
        found = _first_difference(to_json(without.tool_specs), to_json(after.tool_specs), "tools")
    if found is None:
        found = f"the system prompt is {after.system_prompt!r} instead of {without.system_prompt!r}"
    violated("after a restart the model is sent what it would have been sent without one", found, timeline, after)


def _first_difference(one: Any, other: Any, at: str) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            if one.get(key) != other.get(key) or (key in one) != (key in other):
                return _first_difference(one.get(key), other.get(key), f"{at}.{key}")
    if isinstance(one, list) and isinstance(other, list) and len(one) != len(other):
        return f"{at} has {len(other)} instead of {len(one)}: {other} instead of {one}"
    if isinstance(one, list) and isinstance(other, list):
        for index, pair in enumerate(zip(one, other, strict=True)):
            if pair[0] != pair[1]:
                return _first_difference(*pair, f"{at}[{index}]")
    return f"{at} is {other!r} instead of {one!r}"


def expect_voice_twins(session: Session, script: Script) -> bool:
    """Play a script; then a connection is opened without a restart, and one in a new process, and the two compared.

    Returns:
        Whether it says something: a tool use without a result is answered by a restore, and was not before.
    """
    ending = (Stop(), Start(), RestartProcess(), Start())
    timeline = play(session, script.then(*ending), messages=TO_COME, observing=False, same_tools=True)
    starts = timeline.of(ModelStarted)
    if len(starts) < 2 or unpaired_tools(starts[-2].messages) is not None or any(map(is_pending, starts[-2].messages)):
        return False
    expect_same_sent(starts[-2], starts[-1], timeline)
    return True


def expect_text_twins(new_session: Any, script: Script, last: Script) -> None:
    """Play a script with a text agent and go on, once in the same process and once in a new one, and compare."""
    asked = []
    for between in (Script(), Script().restarts_process()):
        whole = script.then(*between.steps, *last.steps)
        timeline = play(new_session(TextAgent()), whole, messages=TO_COME, observing=False, same_tools=True)
        asked.append(_anonymous(timeline.of(ModelStarted)[-1]))
    expect_same_sent(asked[0], asked[1], timeline)


def _anonymous(start: ModelStarted) -> ModelStarted:
    """Return what a model was sent, without what two runs never have in common: ids and times."""
    for number, message in enumerate(start.messages):
        anonymous: dict[str, Any] = dict(message)
        anonymous["tracking_id"] = str(number) if "tracking_id" in message else None
        metadata = dict(anonymous.get("metadata") or {})
        metadata.pop("metrics", None)
        anonymous["metadata"] = metadata
        start.messages[number] = anonymous  # type: ignore[call-overload]
    return start
