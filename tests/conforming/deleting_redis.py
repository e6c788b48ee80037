"""A correct session manager on Redis that can delete: a set has the keys of each session."""

from typing import Any
from urllib.parse import quote

from .server_managers import Change, RedisTeams


class DeletingRedisManager(RedisTeams):
    """Notes each key before it is written, and deletes all that are noted at once, with the set."""

    def index(self, session_id: str) -> str:
        return f"{quote(session_id, safe='')}:keys"

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        self._client.sadd(self.index(self.session_id), *self.keys(agent_id))
        super().store(agent_id, id, changes)

    def sync_multi_agent(self, source: Any, **kwargs: Any) -> None:
        self.attempt(lambda: self._client.sadd(self.index(self.session_id), self.team_key(source)))
        super().sync_multi_agent(source, **kwargs)

    def delete_session(self, session_id: str) -> None:
        def delete() -> None:
            keys = self._client.smembers(self.index(session_id))
            self._client.delete(*keys, self.index(session_id))

        self.attempt(delete)
