"""The services of a run: each started when the first workspace asks for it, and none that nobody asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from .dynamodb import DynamoDB
from .mongodb import MongoDB
from .mysql import MySQL
from .postgres import Postgres
from .programs import NoService
from .redis import Redis, Valkey
from .service import Service

KINDS: dict[str, type[Service]] = {kind.name: kind for kind in (Postgres, MySQL, Redis, Valkey, MongoDB, DynamoDB)}
"""The services that there are, by what their placeholders begin with."""

PLACEHOLDERS: dict[str, str] = {f"{name}_{part}": name for name, kind in KINDS.items() for part in kind.parts}
"""Which service each placeholder belongs to: ``postgres_url`` to ``postgres``, say."""


def given_services(texts: Iterable[str]) -> dict[str, str]:
    """Return the URLs of services that run already, by their names, from ``NAME=URL`` as the command line has it.

    Raises:
        NoService: A text is not of that form.
    """
    given: dict[str, str] = {}
    for text in texts:
        name, separator, url = text.partition("=")
        if not separator or not url:
            raise NoService(f"--service {name!r} is not of the form NAME=URL (example: postgres=postgresql://...)")
        given[name] = url
    return given


class Services:
    """The services of a run.

    Args:
        given: The URLs of those that run already, by their names.
        surround: Given the environment variables that a service's clients need, sets them.

    Raises:
        NoService: A name is unknown.
    """

    def __init__(
        self, given: Mapping[str, str], surround: Callable[[Mapping[str, str]], object] = lambda values: None
    ) -> None:
        for name in given:
            if name not in KINDS:
                raise NoService(f"--service {name}: there is no service of this name: expected {', '.join(KINDS)}")
        self._given = dict(given)
        self._surround = surround
        self._running: dict[str, Service | NoService] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Service:
        """Return a service, started now if it was not before.

        Raises:
            NoService: It cannot be started, or does not answer; it is not tried a second time.
        """
        with self._lock:
            if name not in self._running:
                try:
                    self._running[name] = service = KINDS[name](self._given.get(name))
                    self._surround(service.environment())
                except NoService as error:
                    self._running[name] = error
            found = self._running[name]
        if isinstance(found, NoService):
            raise found
        return found

    def stop(self) -> None:
        """Drop every place, and end every server that was started."""
        for service in self.running:
            service.stop()
        self._running.clear()

    @property
    def running(self) -> list[Service]:
        """The services that were started or found so far."""
        return [service for service in self._running.values() if isinstance(service, Service)]
