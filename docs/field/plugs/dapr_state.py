"""dapr-ext-strands, with a Dapr client that keeps its state in memory."""

from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

from dapr.ext.strands import DaprSessionManager
from session_conformance.harness import Backend, Workspace


@dataclass
class State:
    """What the session manager calls of a DaprClient."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def get_state(self, store_name: str, key: str, **how: Any) -> SimpleNamespace:
        """Return the value of a key; without one, no data."""
        return SimpleNamespace(data=self.kept.get(key, b""))

    def save_state(self, store_name: str, key: str, value: str, **how: Any) -> None:
        """Keep a value, as the wire carries it."""
        self.kept[key] = value.encode("utf-8")

    def delete_state(self, store_name: str, key: str, **how: Any) -> None:
        """Remove a key."""
        self.kept.pop(key, None)

    def close(self) -> None:
        """Do nothing: the state outlives its clients."""


@cache
def state(place: str) -> State:
    """Return the state store of a workspace."""
    return State()


def open_session(session_id: str, workspace: Workspace) -> DaprSessionManager:
    """Open a session."""
    client: Any = state(str(workspace.folder))
    return DaprSessionManager(session_id, state_store_name="statestore", dapr_client=client)


SESSIONS = Backend(name="dapr-ext-strands", open=open_session, in_process=True)
