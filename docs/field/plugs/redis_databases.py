"""strands-redis-session-manager on Redis."""

import redis
from redis_session_manager import RedisSessionManager
from session_conformance.harness import Workspace


def open_session(session_id: str, workspace: Workspace) -> RedisSessionManager:
    """Open a session."""
    return RedisSessionManager(session_id, redis_client=redis.Redis.from_url(workspace.values["redis_url"]))
