"""A correct session manager whose column for a state has room for 64 KiB, and that says so where a state has more."""

from typing import Any

from strands.types.exceptions import SessionException

from .snapshot_manager import SnapshotFileManager

_ROOM = 65_535


class SmallColumnManager(SnapshotFileManager):
    """Refuses a state that has more bytes than there is room for."""

    def state_of(self, agent: Any) -> dict[str, Any]:
        state = super().state_of(agent)
        size = len(self.pack({"messages": [], "state": state}))
        if size > _ROOM:
            raise SessionException(
                f"the state of agent {agent.agent_id!r} takes {size} bytes: there is room for {_ROOM}"
            )
        return state
