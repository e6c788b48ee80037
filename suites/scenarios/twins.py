"""Twins: what a model is sent after a process has restarted, beside what it would have been sent without that."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest
from session_conformance.fixtures import SdkViolation, built_on, excuse, plain_backend, scratch_workspace
from session_conformance.harness import (
    Backend,
    Script,
    Session,
    Timeline,
    Violation,
    expect_no_failure,
    play,
    unpaired_tools,
    violated,
)
from session_conformance.harness.conversations import TextAgent
from session_conformance.harness.scripts import RestartProcess, Send, Start, Stop
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


def talk_of(said: Sequence[str]) -> Script:
    """Return a talk with a text agent: each text is said and answered, and a tool is asked of every other one."""
    talk = Script()
    for number, text in enumerate(said):
        talk = talk.user(text)
        talk = talk.calls("weather", city=text, returns=text) if number % 2 else talk
        talk = talk.assistant(text)
    return talk


def is_talk(script: Script) -> bool:
    """Whether a script is one that :func:`talk_of` has made."""
    return script == talk_of([step.content for step in script.steps if isinstance(step, Send)])


def expect_text_twins(session: Session, script: Script) -> bool:
    """Play a script with a text agent and go on, once in the same process and once in a new one, and compare.

    Returns:
        That it says something.
    """
    last = Script().user("and now?").assistant("so")
    asked = []
    for name, between in (("on", Script()), ("again", Script().restarts_process())):
        own = replace(session, session_id=f"{session.session_id}-{name}", text_agent=TextAgent())
        whole = script.then(*between.steps, *last.steps)
        timeline = play(own, whole, messages=TO_COME, observing=False, same_tools=True)
        expect_no_failure(timeline)
        asked.append(_anonymous(timeline.of(ModelStarted)[-1]))
    expect_same_sent(asked[0], asked[1], timeline)
    return True


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


Kind = Literal["voice", "text"]
"""What kind of agent a pair of twins is told by."""

_EXPECT = {"voice": expect_voice_twins, "text": expect_text_twins}


@dataclass
class PairsOfTwins:
    """Compares pairs of twins on a backend, and keeps the latest that differs.

    What a repository or a storage does wrong counts, unless the SDK's manager does it over a plain one too, with just
    that script.

    Attributes:
        first: Where they are played, each in a session of its own.
        config: pytest's configuration.
        compared: How many pairs say something, and are alike.
        excused: How many differ as they do under the SDK's manager over any repository or storage.
        told: What was said last of one of these.
        failed: The latest pair that differs: its agent, its script, and the violation.
    """

    first: Session
    config: pytest.Config
    compared: int = 0
    excused: int = 0
    told: str = ""
    failed: tuple[Kind, Script, Violation] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def compare(self, kind: Kind, script: Script) -> None:
        """Play a pair and compare it.

        Raises:
            Violation: The two differ, and that is the backend's doing.
        """
        try:
            self.compared += _EXPECT[kind](replace(self.first, session_id=f"twin-{next(self._numbers)}"), script)
        except Violation as violation:
            plain = plain_backend(self.first.backend.interface)
            same = None if plain is None else self._over(plain, kind, script)
            if same is None:
                self.failed = (kind, script, violation)
                raise
            self.excused, self.told = self.excused + 1, excuse(self.first.backend, same)

    def conclude(self) -> None:
        """Say that no pair says anything of the backend, where that is so.

        Raises:
            SdkViolation: All that differ do so under the SDK's manager over any store, and none is alike.
        """
        if self.excused and not self.compared:
            raise SdkViolation(self.told)

    @property
    def inherited(self) -> str:
        """The SDK's class that the backend has what failed from, or "" where it is its own."""
        if self.failed is None:
            return ""
        below = built_on(self.first.backend, self.config)
        shown = any(self._over(plain, *self.failed[:2]) is not None for plain in below.plain)
        return below.name if shown else ""

    def _over(self, plain: Backend, kind: Kind, script: Script) -> Violation | None:
        with scratch_workspace(plain, self.config) as workspace:
            try:
                _EXPECT[kind](Session(plain, workspace), script)
            except Violation as same:
                return same
        return None
