"""citadeldb-strands-agents: a file in the workspace. Sessions are read by key, so the embedder need not understand."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from citadeldb_strands_agents import CitadelSessionManager
from session_conformance.harness import Workspace


class Embedder:
    """Gives each text the same direction."""

    dim = 4
    metric = "cosine"
    model_id = "constant-4"

    def embed_with_cancel(self, texts: Sequence[str], cancel_token: Any) -> list[list[float]]:
        """Return a vector for each text."""
        return [[1.0, 0.0, 0.0, 0.0] for _ in texts]


# "Construct them on the same thread", says its documentation: a file that is open belongs to the thread that opened it.
THREAD = ThreadPoolExecutor(1)


def open_session(session_id: str, workspace: Workspace) -> CitadelSessionManager:
    """Open a session, on the thread that opens all of them."""
    path = str(workspace.folder / "sessions.cdl")
    opened = THREAD.submit(CitadelSessionManager, session_id, path, key="a passphrase", embedder=Embedder())
    return opened.result()
