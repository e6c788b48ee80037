"""Writes a session with the SDK's own file manager, of whatever release is installed, and what its agents hold.

The sessions in this folder were made with it, one folder a release::

    for release in 1.20.0 1.40.0 1.55.0 1.62.0; do
        uv run --no-project --python 3.11 --with strands-agents==$release python make.py $release
    done
"""

import json
import sys
from pathlib import Path

from strands import Agent, tool
from strands.agent.conversation_manager import SlidingWindowConversationManager
from strands.models import Model
from strands.multiagent import GraphBuilder
from strands.session import FileSessionManager
from strands.types.session import encode_bytes_values


class Says(Model):
    """Says what it is told to; a dict is the use of a tool."""

    stateful = False

    def __init__(self, *script):
        self.script = list(script)

    def update_config(self, **config):
        pass

    def get_config(self):
        return {"model_id": "says"}

    async def structured_output(self, *args, **kwargs):
        yield {}

    async def stream(self, messages, tool_specs=None, system_prompt=None, **kwargs):
        item = self.script.pop(0)
        yield {"messageStart": {"role": "assistant"}}
        if isinstance(item, dict):
            yield {"contentBlockStart": {"start": {"toolUse": {"name": item["tool"], "toolUseId": item["id"]}}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(item["input"])}}}}
        else:
            yield {"contentBlockStart": {"start": {}}}
            yield {"contentBlockDelta": {"delta": {"text": item}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if isinstance(item, dict) else "end_turn"}}


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers.

    Args:
        a: One.
        b: The other.
    """
    return a + b


def main(folder: Path) -> None:
    """Make a session of two agents, one with a window, and a graph, in a folder."""
    window = Agent(
        model=Says("Hello Alice \u2603", {"tool": "add", "id": "use-1", "input": {"a": 1, "b": 2}}, "3", "four", "bye"),
        agent_id="window",
        state={"step": 1, "nested": {"list": [1, None, True]}},
        tools=[add],
        conversation_manager=SlidingWindowConversationManager(window_size=4),
        session_manager=FileSessionManager("kept", storage_dir=str(folder)),
        callback_handler=None,
    )
    window("My name is Alice")
    window("What is 1 + 2?")
    window("And 2 + 2?")
    window.state.set("step", 2)
    window("Good bye")
    given = Agent(
        model=Says("a picture"),
        agent_id="given",
        messages=[
            {"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": b"\x89PNG\x00\xff"}}}]},
            {"role": "assistant", "content": [{"text": "I see"}]},
        ],
        session_manager=FileSessionManager("kept", storage_dir=str(folder)),
        callback_handler=None,
    )
    given("my card is 4111")
    manager = given._session_manager
    given.messages[-2]["content"] = [{"text": "[redacted]"}]
    stored = manager.read_message("kept", "given", 2)
    stored.redact_message = given.messages[-2]
    manager.update_message("kept", "given", stored)
    graph = GraphBuilder()
    graph.add_node(Agent(model=Says("from the node"), name="node", callback_handler=None), "node")
    graph.set_max_node_executions(2)
    graph.set_session_manager(FileSessionManager("kept", storage_dir=str(folder)))
    graph.build()("go")
    held = {
        one.agent_id: {"messages": encode_bytes_values(one.messages), "state": one.state.get()}
        for one in (window, given)
    }
    (folder / "held.json").write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(__file__).parent / sys.argv[1])
