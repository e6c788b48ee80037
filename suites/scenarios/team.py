"""The scenarios of graphs and swarms: where they stop, and who goes on with them."""

from __future__ import annotations

from typing import Literal

from session_conformance.harness import Scenario, Script, Team
from session_conformance.harness.scripts import NodeWill, ProcessEnd, StorageFails, StorageWorks

from .content import BYTES, ODD_TEXT, PIXEL

TASK = "Write a report"
SECOND_TASK = "Write another report"

_ENDS: tuple[ProcessEnd, ...] = ("killed", "stopped")

_KILLED_AT_EACH_NODE = (
    Script()
    .then(NodeWill("write", "wait"))
    .user(TASK)
    .restarts_process("killed")
    .then(NodeWill("check", "wait"))
    .user("go on")
    .restarts_process("killed")
    .user("go on")
    .restarts_process("killed")
    .user(SECOND_TASK)
)
"""In its second node, in its third, and when it had finished."""

GRAPH_KILLED = Scenario(
    "a graph whose process is killed", _KILLED_AT_EACH_NODE, fresh_processes=True, team=Team("graph")
)
SWARM_KILLED = Scenario(
    "a swarm whose process is killed", _KILLED_AT_EACH_NODE, fresh_processes=True, team=Team("swarm")
)

_FAILS = Script().then(NodeWill("write", "fail")).user(TASK).restarts_process().user("go on").user(SECOND_TASK)

GRAPH_FAILS = Scenario("a graph with a node that fails", _FAILS, team=Team("graph"))
SWARM_FAILS = Scenario("a swarm with a node that fails", _FAILS, team=Team("swarm"))

GRAPH_BRANCHES = Scenario(
    "a graph that is killed while one of two branches is at work",
    Script().then(NodeWill("right", "wait", ("left",))).user(TASK).restarts_process("killed").user("go on"),
    fresh_processes=True,
    team=Team(
        "graph",
        ("root", "left", "right", "join"),
        (("root", "left"), ("root", "right"), ("left", "join"), ("right", "join")),
    ),
)

_BINARY = (
    Script()
    .then(NodeWill("check", "fail"))
    .user(
        [
            {"text": TASK},
            {"image": {"format": "png", "source": {"bytes": PIXEL}}},
            {"document": {"format": "pdf", "name": "report", "source": {"bytes": BYTES}}},
            {"text": ODD_TEXT},
        ]
    )
    .restarts_process()
    .user("go on")
)
GRAPH_BINARY = Scenario("a graph with binary content", _BINARY, team=Team("graph", redacted=BYTES))

GRAPH_NESTED = Scenario(
    "a graph with a swarm in it",
    Script().then(NodeWill("check", "fail")).user(TASK).restarts_process().user("go on"),
    team=Team("graph", nested=("write",)),
)

_ASKS = (
    Script()
    .then(NodeWill("write", "ask"))
    .user([{"text": TASK}, {"image": {"format": "png", "source": {"bytes": PIXEL}}}])
    .restarts_process()
    .then(NodeWill("write", "ask"))
    .answers("yes")
)
GRAPH_ASKS = Scenario("a graph that asks the user", _ASKS, team=Team("graph", redacted=BYTES))
SWARM_ASKS = Scenario("a swarm that asks the user", _ASKS, team=Team("swarm", redacted=BYTES))

_ASKS_UNSTORED = Script().then(NodeWill("plan", "ask")).then(StorageFails()).user(TASK).then(StorageWorks())

_KINDS: tuple[Literal["graph", "swarm"], ...] = ("graph", "swarm")

ASKS_UNSTORED, ASKS_UNSTORED_HERE = (
    tuple(
        Scenario(
            f"a {kind} that asks the user while nothing can be stored, in a process that is {end}",
            _ASKS_UNSTORED.restarts_process(end).then(NodeWill("plan", "ask")).answers("yes"),
            fresh_processes=end == "killed",
            team=Team(kind),
        )
        for kind in _KINDS
    )
    for end in _ENDS
)
"""The second ones are for managers that no other process can open, and that cannot be killed then."""

GOES_ON_UNSTORED = tuple(
    Scenario(
        f"a {kind} that is killed in its second node, where nothing could be stored after the first one",
        Script()
        .then(NodeWill("write", "wait"))
        .then(StorageFails())
        .user(TASK)
        .restarts_process("killed")
        .user("go on"),
        fresh_processes=True,
        team=Team(kind),
    )
    for kind in _KINDS
)

GRAPH_ASKS_WITHIN = Scenario(
    "a graph with an agent whose tool asks the user",
    Script()
    .user([{"text": TASK}, {"image": {"format": "png", "source": {"bytes": PIXEL}}}])
    .restarts_process()
    .answers("go ahead"),
    team=Team("graph", asking=("write",), redacted=BYTES),
)
