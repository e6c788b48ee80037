"""Scripts as Python code: the builder calls that make a script, to be read, pasted and run."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any

from .script import Script
from .steps import (
    Add,
    CallTools,
    Cancel,
    DeleteState,
    Elsewhere,
    Emit,
    Fail,
    Redact,
    Release,
    RestartProcess,
    ScheduledRestart,
    Send,
    SetState,
    Start,
    Step,
    Stop,
    Timeout,
    Together,
    ToolCall,
    step_to_json,
)


def as_python(script: Script) -> str:
    """Return code that imports what it needs and makes the script under the name ``script``."""
    writer = _Writer()
    calls = [*writer.settings(script), *writer.steps(script)]
    body = "script = Script()" + "".join(f"\n    {call}" for call in calls)
    if calls:
        body = "script = (\n    Script()" + "".join(f"\n    {call}" for call in calls) + "\n)"
    return f"{writer.imports()}\n\n{body}\n"


class _Writer:
    """Writes builder calls, and notes which names they need."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def imports(self) -> str:
        """Return the import statements of what was written."""
        lines = ["from session_conformance.harness import Script"]
        if self._names:
            lines.append(f"from session_conformance.harness.scripts import {', '.join(sorted(self._names))}")
        return "\n".join(lines)

    def settings(self, script: Script) -> Iterator[str]:
        """Yield the calls for what a script says beside its steps."""
        plain = Script()
        changed = {
            name: getattr(script, name)
            for name in ("auto_restart", "restart_after_s", "restartable", "system_prompt")
            if getattr(script, name) != getattr(plain, name)
        }
        if changed:
            yield f".settings({', '.join(f'{name}={self.value(value)}' for name, value in changed.items())})"
        if script.messages:
            yield f".given({', '.join(self.value(message) for message in script.messages)})"

    def steps(self, script: Script) -> Iterator[str]:
        """Yield one call a step."""
        made = Script()
        for step in script.steps:
            yield self._call(made, step)
            made = made.then(step)

    def _call(self, made: Script, step: Step) -> str:
        """Return the call that adds a step to what was made so far: the one a person would write, if there is one."""
        for name, arguments, named in _candidates(step):
            try:
                built = getattr(made, name)(*arguments, **named)
            except (TypeError, ValueError):
                continue
            if len(built.steps) == len(made.steps) + 1 and _same(built.steps[-1], step):
                written = [self.value(argument) for argument in arguments]
                written += [f"{key}={self.value(value)}" for key, value in named.items()]
                return f".{name}({', '.join(written)})"
        return f".then({self.value(step)})"

    def value(self, value: Any) -> str:
        """Return an expression for a step, a tool call, or plain data."""
        if isinstance(value, Step | ToolCall):
            return self._made(value)
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        if isinstance(value, dict):
            items = (f"{self.value(key)}: {self.value(item)}" for key, item in value.items())
            return f"{{{', '.join(items)}}}"
        if isinstance(value, list):
            return f"[{', '.join(map(self.value, value))}]"
        if isinstance(value, tuple):
            return f"({', '.join(map(self.value, value))}{',' * (len(value) == 1)})"
        written = repr(value)
        if isinstance(value, str) and '"' not in written and "\\'" not in written:
            return f'"{written[1:-1]}"'
        return written

    def _made(self, value: Step | ToolCall) -> str:
        self._names.add(type(value).__name__)
        arguments = []
        positional = True
        for field in fields(value):
            given = getattr(value, field.name)
            if field.default is not MISSING and type(given) is type(field.default) and given == field.default:
                positional = False
            else:
                arguments.append(self.value(given) if positional else f"{field.name}={self.value(given)}")
        return f"{type(value).__name__}({', '.join(arguments)})"


def _same(left: Step, right: Step) -> bool:
    """Whether two steps are the same, also in the types of their values: 1, 1.0 and True are three."""
    return repr(step_to_json(left)) == repr(step_to_json(right))


_Candidate = tuple[str, tuple[Any, ...], dict[str, Any]]


def _candidates(step: Step) -> Iterator[_Candidate]:
    """Yield the builder calls that may make a step, the most telling first."""
    if isinstance(step, Emit):
        yield from _of_emit(step)
    elif isinstance(step, CallTools):
        if len(step.calls) == 1:
            [call] = step.calls
            if all(_can_be_named(key) for key in call.input):
                told = {"returns": call.result} if call.result != "done" else {}
                told |= {"raises": call.error} if call.error is not None else {}
                yield "calls", (call.name,), {**told, **call.input}
        yield "calls_together", step.calls, {}
    elif isinstance(step, Timeout):
        yield "timeout", step.during, {"options": step.options} if step.options is not None else {}
    elif isinstance(step, Elsewhere):
        places = {"session_id": step.session_id, "agent_id": step.agent_id}
        yield "elsewhere", step.steps, {name: value for name, value in places.items() if value is not None}
    elif isinstance(step, Send):
        yield "user", (step.content,), {"structured": True} if step.structured else {}
    elif isinstance(step, Fail):
        yield "fails", (step.call,), {"times": step.times} if step.times != 1 else {}
    elif isinstance(step, RestartProcess):
        plain = step.how == "stopped" and not step.meanwhile
        yield "restarts_process", () if plain else (step.how, *step.meanwhile), {}
    elif isinstance(step, Together):
        yield "together", step.steps, {}
    elif type(step) in _PLAIN:
        yield _PLAIN[type(step)], tuple(getattr(step, field.name) for field in fields(step)), {}


_PLAIN: dict[type[Step], str] = {
    Release: "releases", ScheduledRestart: "scheduled_restart", Cancel: "cancels", Start: "starts",
    Stop: "stops", SetState: "sets_state", DeleteState: "deletes_state", Add: "adds", Redact: "redacts",
}  # fmt: skip
"""The builder's methods that take just what the step has."""


def _of_emit(step: Emit) -> Iterator[_Candidate]:
    said = "".join(str(event.get("delta", "")) for event in step.events)
    for name in ("assistant", "reasons", "hears", "says", "barges_in"):
        yield name, (said,), {}
    yield "emits", step.events, {}


def _can_be_named(key: str) -> bool:
    return key.isidentifier() and not keyword.iskeyword(key) and key not in ("self", "name", "returns", "raises")
