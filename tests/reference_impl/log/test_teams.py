"""Graphs with a reference manager: what their hooks find stored, and what processes that started together find."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from session_conformance.harness import ScriptedTextModel, Timeline
from session_conformance.harness.models import text_answer
from session_conformance.reference_impl import FileSessionManager
from strands import Agent
from strands.hooks import AfterMultiAgentInvocationEvent, AfterNodeCallEvent, HookProvider, HookRegistry
from strands.multiagent import GraphBuilder
from strands.multiagent.graph import Graph
from strands.types.exceptions import SessionException


def graph(manager: FileSessionManager, *nodes: str, hooks: HookProvider | None = None) -> Graph:
    builder = GraphBuilder()
    for node in nodes:
        model = ScriptedTextModel(Timeline(), answer=lambda _: text_answer("done"))
        builder.add_node(Agent(model=model, callback_handler=None, name=node), node)
    for node, following in pairwise(nodes):
        builder.add_edge(node, following)
    builder.set_entry_point(nodes[0])
    builder.set_graph_id("team")
    builder.set_execution_timeout(60)
    builder.set_session_manager(manager)
    if hooks is not None:
        builder.set_hook_providers([hooks])
    return builder.build()


def stored(folder: Path) -> Any:
    state = FileSessionManager("s", storage_dir=str(folder)).read_multi_agent("s", "team")
    assert state is not None
    return sorted(state["completed_nodes"]), state["status"]


def test_hooks_of_a_graph_find_stored_what_they_are_told_of(tmp_path: Path) -> None:
    found: list[Any] = []

    class Looks(HookProvider):
        def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
            for event in (AfterNodeCallEvent, AfterMultiAgentInvocationEvent):
                registry.add_callback(event, lambda _: found.append(stored(tmp_path)))

    graph(FileSessionManager("s", storage_dir=str(tmp_path)), "plan", "write", hooks=Looks())("begin")
    assert found == [
        (["plan"], "executing"),
        (["plan", "write"], "executing"),
        (["plan", "write"], "completed"),
    ]


def test_who_opened_the_session_first_does_not_reset_what_others_ran_since(tmp_path: Path) -> None:
    early = FileSessionManager("s", storage_dir=str(tmp_path))
    graph(FileSessionManager("s", storage_dir=str(tmp_path)), "plan")("begin")
    graph(early, "plan")
    assert stored(tmp_path) == (["plan"], "completed")


@pytest.mark.parametrize("change", [{"_internal_state": None}, {"next_nodes_to_execute": 7}, {"_internal_state": {}}])
def test_a_state_of_another_release_is_an_error_that_names_it_and_stays(tmp_path: Path, change: Any) -> None:
    first = FileSessionManager("s", storage_dir=str(tmp_path))
    team = graph(first, "plan")
    team("begin")
    state = {**team.serialize_state(), **change}
    team.serialize_state = lambda: state  # type: ignore[method-assign]
    first.sync_multi_agent(team)
    before = FileSessionManager("s", storage_dir=str(tmp_path)).read_multi_agent("s", "team")
    with pytest.raises(SessionException, match=r"Graph 'team'.*session 's' cannot be read by strands-agents \d"):
        graph(FileSessionManager("s", storage_dir=str(tmp_path)), "plan")
    assert FileSessionManager("s", storage_dir=str(tmp_path)).read_multi_agent("s", "team") == before == state
