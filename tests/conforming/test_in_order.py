"""What is stored late is in order where memory has it; what was told of in another order is not."""

from typing import Any

import pytest
from session_conformance.harness import Reading, Timeline, Violation
from session_conformance.harness.timeline import AgentStopped, HookCalled
from session_conformance.suites.scenarios.on_the_wire import expect_once_and_in_order


def message(id: str) -> Any:
    return {"role": "user", "content": [{"text": id}], "tracking_id": id}


BEFORE, MEANWHILE, AFTERWARDS = map(message, ("before", "meanwhile", "afterwards"))
TIMELINE = Timeline(
    [
        HookCalled(event="message_added", position="early", message=BEFORE),
        HookCalled(event="message_added", position="early", message=AFTERWARDS),
        AgentStopped(memory=[BEFORE, MEANWHILE, AFTERWARDS]),
    ]
)


def test_what_failed_may_be_stored_with_the_next_message() -> None:
    for stored in ([BEFORE, MEANWHILE, AFTERWARDS], [BEFORE, AFTERWARDS]):
        expect_once_and_in_order(TIMELINE, Reading(messages=stored), "here")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([BEFORE, AFTERWARDS, MEANWHILE], "the order stays"),
        ([AFTERWARDS, BEFORE], "the order stays"),
        ([BEFORE, BEFORE], "stored once"),
    ],
)
def test_another_order_or_one_twice_is_a_violation(stored: list[Any], expected: str) -> None:
    with pytest.raises(Violation, match=expected):
        expect_once_and_in_order(TIMELINE, Reading(messages=stored), "here")
