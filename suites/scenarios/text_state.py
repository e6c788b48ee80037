"""The scenarios of a text agent's state: what is in it, and who sets it, when."""

from __future__ import annotations

from typing import Any

from session_conformance.harness import Scenario, Script, TextAgent, ToolCall
from session_conformance.harness.scripts import DeleteState, StopHookSetsState

STRUCTURED_STATE: dict[str, Any] = {
    "order": {"lines": [{"name": "thé vert 茶 🍵", "price": 3.75, "sizes": [[1, [2.0, []]], {}]}], "paid": False},
    "counts": {"large": 2**63 + 1, "zero": 0, "none": None, "half": 0.5, "whole": 1.0, "small": 1e-7, "minus": -1},
    "λέξη": "ναι",
    "empty": "",
    "none": None,
    "no one": [],
    "nothing": {},
    "off": False,
}
"""Deep, with floats, booleans, null, a large integer, keys and texts in other scripts, and all that Python takes for
false."""

_ONE_CHANGE_MORE = [
    Script().sets_state("turn", number).user(f"turn {number}").assistant(f"it is turn {number}") for number in range(10)
]

STATE_THAT_CHANGES = (
    Script()
    .sets_state("order", STRUCTURED_STATE["order"])
    .sets_state("counts", STRUCTURED_STATE["counts"])
    .sets_state("λέξη", STRUCTURED_STATE["λέξη"])
    .sets_state("empty", STRUCTURED_STATE["empty"])
    .sets_state("none", STRUCTURED_STATE["none"])
    .sets_state("no one", STRUCTURED_STATE["no one"])
    .sets_state("nothing", STRUCTURED_STATE["nothing"])
    .sets_state("off", STRUCTURED_STATE["off"])
    .sets_state("given up", {"soon": True})
    .sets_state("trail", ["Turin", "Asti"])
    .user("one")
    .assistant("two")
    .restarts_process()
    .deletes_state("given up")
    .sets_state("order", {**STRUCTURED_STATE["order"], "paid": True, "lines": []})
    .sets_state("flags", {"seen": True, "level": 1})
    .sets_state("trail", ["Turin", "Alba"])
    .user("three")
    .assistant("four")
    .restarts_process()
    .sets_state("flags", {"seen": 1, "level": 1.0})
    .user("five")
    .assistant("six")
    .restarts_process()
    .sets_state("order", {"paid": True})
    .sets_state("counts", {"zero": 0})
    .sets_state("trail", ["Cuneo", "Alba", "Asti"])
    .user("less")
    .assistant("of it")
    .restarts_process()
    .sets_state("shop", "closed")
    .user("is it open?")
    .assistant("no")
    .deletes_state("shop")
    .user("and now?")
    .assistant("yes")
    .restarts_process()
    .then(*(step for change in _ONE_CHANGE_MORE[:5] for step in change.steps))
    .restarts_process()
    .then(*(step for change in _ONE_CHANGE_MORE[5:] for step in change.steps))
    .restarts_process()
    .user("seven")
    .assistant("eight")
    .then(*(DeleteState(key) for key in (*STRUCTURED_STATE, "flags", "trail", "turn")))
    .user("nine")
    .assistant("ten")
    .restarts_process()
)
"""Keys are set, changed within, and deleted again, and each time another process opens the session.

Then nothing changes but the type of two values: Python takes 1, 1.0 and True for equal, and JSON does not. Values lose
keys that they had, and a list changes where it does not grow. One process leaves the state
as it found it, and had another one stored meanwhile. One value changes so often that versions have numbers of two
digits, which stand elsewhere where they are sorted as texts; and at last there is nothing left.
"""

TEXT_STATE = Scenario("a structured state", STATE_THAT_CHANGES, observing=False, text_agent=TextAgent())

STATE_OF_A_VOICE = Scenario("a structured state of a voice agent", STATE_THAT_CHANGES, observing=False)

TEXT_STATE_AT_THE_END = Scenario(
    "state that is set where an invocation fails, and by its last hook",
    Script()
    .user("book a seat")
    .fails("stream")
    .calls_together(ToolCall("book", {}, "book-1", result="booked", state={"seat": "12A"}))
    .then(StopHookSetsState("ended", "well"))
    .user("thank you")
    .assistant("you are welcome")
    .fails("stream")
    .then(StopHookSetsState("ended", "badly"))
    .user("are you there?")
    .restarts_process()
    .user("and now?")
    .assistant("I am"),
    text_agent=TextAgent(),
)
"""A tool sets state, and then the model fails; a hook of the latest order sets it, after an answer and a failure."""
