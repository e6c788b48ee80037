"""A correct session manager of another design: a stream of Redis holds what happened, and is folded when it is read.

What an entry replaces is deleted with the same script, so that a redacted text is nowhere. A stream numbers its entries
by the server's clock: what comes in place of an older entry has the number of a place of its own.
"""

from .server_managers import Change, RedisTeams

SCRIPT = """
local stream, places, changes = unpack(KEYS)
if redis.call('SADD', changes, ARGV[1]) == 0 then return 0 end
local last = redis.call('HGET', places, 'last')
for number = 2, #ARGV, 3 do
    local kind, id, body = ARGV[number], ARGV[number + 1], ARGV[number + 2]
    local name = (kind == 'state') and 'state' or ('of:' .. id)
    local known = (kind == 'state' or id ~= '') and redis.call('HGET', places, name)
    if kind == 'append' and known and known ~= last then known = false end
    local place = known or redis.call('HINCRBY', places, 'next', 1)
    if kind ~= 'replace' or known then
        local old = known and redis.call('HGET', places, 'entry:' .. place)
        local entry = redis.call('XADD', stream, '*', 'kind', kind == 'state' and 'state' or 'message',
            'place', place, 'body', body)
        if old then redis.call('XDEL', stream, old) end
        redis.call('HSET', places, 'entry:' .. place, entry)
        if kind == 'state' or id ~= '' then redis.call('HSET', places, name, place) end
        if kind == 'append' then last = tostring(place); redis.call('HSET', places, 'last', place) end
    end
end
return 1
"""


class RedisStreamManager(RedisTeams):
    """Adds an entry for each change, in a script that the server runs whole."""

    def keys(self, agent_id: str) -> list[str]:
        changes = super().keys(agent_id)[0]
        return [changes.removesuffix("changes") + what for what in ("stream", "places", "changes")]

    def load(self, agent_id: str) -> tuple[bytes, list[bytes]] | None:
        state, messages = None, {}
        for _, entry in self._client.xrange(self.keys(agent_id)[0]):
            if entry[b"kind"] == b"state":
                state = entry[b"body"]
            else:
                messages[int(entry[b"place"])] = entry[b"body"]
        return None if state is None else (state, [messages[place] for place in sorted(messages)])

    def store(self, agent_id: str, id: str, changes: list[Change]) -> None:
        keys = self.keys(agent_id)
        self._client.eval(SCRIPT, len(keys), *keys, id, *(part for change in changes for part in change))
