"""The places of one workspace: one on each service that its backend asks for, made when it asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .registry import PLACEHOLDERS, Services
from .service import Place


class Places(Mapping[str, str]):
    """What a workspace has for backends on servers, by the name of its placeholder.

    A service is started, and a place made on it, when something of it is asked for. In another process, where it is
    sent with its workspace, it is a plain dict of what had been asked for here.

    Args:
        services: The services of the run.
        name: What places are called, on every service: small letters, digits and ``_``.
        known: More values, which need no service.
        asked_for: The names of services that were asked for, shared by the workspaces of a backend.
    """

    def __init__(self, services: Services, name: str, known: Mapping[str, str], asked_for: set[str]) -> None:
        self._services = services
        self._name = name
        self._known = dict(known)
        self._asked_for = asked_for
        self._made: dict[str, Place] = {}
        for service in sorted(asked_for):  # which other processes cannot make
            self.place(service)

    def place(self, service: str) -> Place:
        """Return the place on a service, made now if it was not before.

        Raises:
            NoService: There is no such service to be had.
        """
        if service not in self._made:
            self._made[service] = self._services[service].new_place(self._name)
            self._asked_for.add(service)
        return self._made[service]

    @property
    def made(self) -> list[Place]:
        """The places that were made."""
        return list(self._made.values())

    def drop(self) -> None:
        """Remove the places, with all that is stored in them."""
        while self._made:
            self._made.popitem()[1].drop()

    def __getitem__(self, name: str) -> str:
        if name in self._known:
            return self._known[name]
        return self.place(PLACEHOLDERS[name]).values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in PLACEHOLDERS

    def __iter__(self) -> Iterator[str]:
        yield from self._known
        for place in self._made.values():
            yield from place.values

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
