"""Services: a server that was started for the run or runs already, and places on it, one for each workspace."""

from __future__ import annotations

import contextlib
import re
import signal
import time
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from .keeping import Keeping
from .process import START_LIMIT_S, ServerProcess
from .programs import EXTRA, NoService, Program
from .seam import Seam

_PAUSE_S = 0.01
"""In seconds: how long to wait before a server that is starting is asked again."""


@dataclass(frozen=True)
class Address:
    """Where a server is, and how a client logs in.

    Attributes:
        host: Its host.
        port: Its port.
        user: The user's name, or "".
        password: The user's password, or "".
        database: The database that connections are for, or "".
        options: What a URL says after its question mark.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    options: str = ""

    @property
    def short(self) -> str:
        """What follows ``scheme://`` in a URL."""
        quoted = [urllib.parse.quote(part, safe="") for part in (self.user, self.password)]
        who = ":".join(part for part in quoted if part) if self.user else f":{quoted[1]}" if self.password else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        options = f"?{self.options}" if self.options else ""
        return f"{who}{'@' if who else ''}{host}:{self.port}/{self.database}{options}"


class Service(ABC):
    """A server of one kind.

    Attributes:
        name: What placeholders begin with: ``postgres`` for ``{postgres_url}``.
        schemes: What URLs of this kind begin with; the first is what places' URLs have.
        usual_port: Where such servers listen if a URL does not say.
        program: Its executable.
        parts: What placeholders end with, after the name and ``_``.
        user: Whom it runs as where this process is root's, if it refuses to run as root.
        stop_signal: What ends it at once, and lets it remove what it has outside its folder.
        is_ours: Whether this run started it, and may kill it.

    Args:
        given: The URL of one that runs already, or None to start one.

    Raises:
        NoService: It cannot be started, or does not answer.
    """

    name: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]
    usual_port: ClassVar[int]
    program: ClassVar[Program]
    parts: ClassVar[tuple[str, ...]] = ("url", "address", "host", "port", "user", "password", "database")
    user: ClassVar[str] = ""
    stop_signal: ClassVar[int] = signal.SIGTERM

    def __init__(self, given: str | None = None) -> None:
        self.is_ours = given is None
        self._places: dict[str, Place] = {}
        self._process: ServerProcess | None = None
        if given is not None:
            self.scheme, self.address = self._parsed(given)
        else:
            self.scheme = self.schemes[0]
            self.address = self._started()
        try:
            self._meet()
        except NoService:
            self.stop()
            raise

    # -- what each kind says of itself ---------------------------------------------------------------------

    @abstractmethod
    def _prepare(self, process: ServerProcess, program: Path) -> Address:
        """Prepare the folder of a server, and return how one is let in; its port is not known yet."""

    @abstractmethod
    def _command(self, process: ServerProcess, program: Path, port: int) -> list[str]:
        """Return the command line that starts it."""

    @abstractmethod
    def _greet(self) -> None:
        """See that the server answers, and that places can be made there."""

    @abstractmethod
    def _make(self, name: str) -> str:
        """Make an empty place, and return what is the database of its URL."""

    @abstractmethod
    def _empty(self, database: str) -> None:
        """Remove all that is stored in a place, while the place stays."""

    @abstractmethod
    def _drop(self, database: str) -> None:
        """Remove a place and all that is stored in it, whoever is connected to it."""

    @abstractmethod
    def _keeping(self, host: str, port: int, database: str) -> Keeping:
        """Return what keeps bytes in a place in the least of round trips, through a client at an address."""

    # -- what some kinds can do ----------------------------------------------------------------------------

    def lifetimes(self, database: str) -> list[float]:
        """Return how long what is stored in a place will still be there, in seconds, of all that expires by itself."""
        return []

    def age(self, database: str, seconds: float) -> None:  # noqa: B027 - nothing does, where a kind does not say so
        """Let what is stored in a place, and expires by itself, be older by some seconds than it is."""

    def contents(self, database: str) -> Mapping[str, bytes]:
        """Return what is stored in a place, as a client is given it, by the table, or key, that it is in.

        Empty where that is not known of a server of this kind.
        """
        return {}

    def refusing_writes(self, database: str) -> contextlib.AbstractContextManager[object] | None:
        """Return what lets the server answer each write to a place with an error, as a full one does, while entered.

        What is read is answered as ever. None where a server of this kind is not made to do so.
        """
        return None

    def secret_login(self) -> tuple[str, str] | None:
        """Return a user and a password that can be found in a text, or None where clients have no password to give."""
        return (self.address.user, self.address.password) if self.address.password else None

    # -- places --------------------------------------------------------------------------------------------

    def new_place(self, name: str) -> Place:
        """Make a place behind a seam of its own.

        Args:
            name: Small letters, digits and ``_``; no other place has it.

        Raises:
            NoService: The server refuses it.
        """
        try:
            database = self._make(name)
        except Exception as error:
            raise NoService(f"{self.name} makes no place for a test: {_one_line(error)}") from error
        self._places[name] = place = Place(self, name, database)
        return place

    def stop(self) -> None:
        """Drop every place, and end the server if this run started it."""
        for place in list(self._places.values()):
            place.seam.stop()
            if not self.is_ours:
                with contextlib.suppress(Exception):  # the next place may be dropped where this one cannot
                    self._drop(place.database)
        self._places.clear()
        if self._process is not None:
            self._process.stop()

    def values(self, place: Place) -> dict[str, str]:
        """Return what stands for the placeholders: ``{postgres_url}`` and the parts of it, say."""
        server = self.address
        user, password = place.login or (server.user, server.password)
        where = Address("127.0.0.1", place.seam.port, user, password, place.database, server.options)
        found = {
            "url": f"{self.scheme}://{where.short}",
            "address": where.short,
            "host": where.host,
            "port": str(where.port),
            "user": where.user,
            "password": where.password,
            "database": where.database,
        }
        return {f"{self.name}_{part}": value for part, value in found.items()}

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables that clients need."""
        return {}

    # -- the server ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def killed(self) -> Iterator[None]:
        """Kill the server (``SIGKILL``), and start it again on the same data when the while is over.

        Raises:
            NoService: It does not come back.
        """
        assert self._process is not None, "a server that runs already is not killed"
        with contextlib.ExitStack() as away:
            for place in self._places.values():
                away.enter_context(place.seam.refusing())
            self._process.kill()
            try:
                yield
            finally:
                self._process.start_again()
                self._meet()

    def _meet(self) -> None:
        """Greet the server, again and again while it says that it is still starting.

        Raises:
            NoService: It refuses, or does not become ready.
        """
        until = time.monotonic() + START_LIMIT_S
        while True:
            try:
                return self._greet()
            except NoService:
                raise
            except ImportError as error:
                raise NoService(f"the harness needs {error.name} to prepare {self.name}: {EXTRA}") from error
            except Exception as error:
                if not self._is_starting(error) or time.monotonic() > until:
                    where = f"at {self.address.host}:{self.address.port}"
                    raise NoService(f"{self.name} {where} does not answer the harness: {_one_line(error)}") from error
            time.sleep(_PAUSE_S)

    def _is_starting(self, error: Exception) -> bool:
        """Whether an error means that the server accepts connections, and is not ready yet."""
        return False

    @property
    def can_be_killed(self) -> bool:
        """Whether the harness may kill it: this run started it, as a process of its own."""
        return self._process is not None

    @property
    def is_running(self) -> bool:
        """Whether it runs, as far as this process knows."""
        return self._process is None or self._process.is_running

    def revived(self) -> str | None:
        """Start it again, on the same data, where it has ended by itself.

        Returns:
            What it logged last, or None where it runs.

        Raises:
            NoService: It does not come back.
        """
        if self._process is None or self._process.accepts_connections:
            return None
        words = self.last_words
        self._process.kill()
        self._process.start_again()
        self._meet()
        return words

    @property
    def last_words(self) -> str:
        """What it logged last."""
        return "" if self._process is None else self._process.last_words()

    def _started(self) -> Address:
        program = self.program.find(f"{self.name}={self.schemes[0]}://...")
        process = ServerProcess(f"{self.name} ({program})", self.user, self.stop_signal)
        try:
            address = self._prepare(process, program)
            process.start(lambda port: self._command(process, program, port))
        except BaseException:
            process.stop()
            raise
        self._process = process
        return Address("127.0.0.1", process.port, address.user, address.password, address.database)

    def _parsed(self, url: str) -> tuple[str, Address]:
        parts = urllib.parse.urlsplit(url)
        example = f"{self.schemes[0]}://user:password@127.0.0.1:{self.usual_port}/"
        try:
            port = parts.port or self.usual_port
        except ValueError:
            port = 0
        if parts.scheme.partition("+")[0] not in self.schemes or not parts.hostname or not port:
            shown = concealed(url)
            raise NoService(f"--service {self.name}: {shown!r} is no URL of one: expected one such as {example}")
        user, password = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
        database = urllib.parse.unquote(parts.path.strip("/"))
        return parts.scheme, Address(parts.hostname, port, user, password, database, parts.query)


class Place:
    """A place on a service: an empty database, say, and the seam through which a backend reaches it.

    Attributes:
        service: The service.
        name: Its name, which no other place of the run has.
        database: What its URL calls it.
        seam: What stands between it and its clients.
        login: The user and the password that its URL has, or None for those of its server.
    """

    def __init__(self, service: Service, name: str, database: str) -> None:
        self.service = service
        self.name = name
        self.database = database
        self.login: tuple[str, str] | None = None
        self.seam = Seam(service.address.host, service.address.port)
        self.seam.start()

    @property
    def values(self) -> dict[str, str]:
        """What stands for the placeholders of its service."""
        return self.service.values(self)

    @property
    def lifetimes(self) -> list[float]:
        """How long what is stored in it will still be there, in seconds, of all that expires by itself."""
        return self.service.lifetimes(self.database)

    def age(self, seconds: float) -> None:
        """Let what is stored in it, and expires by itself, be older by some seconds than it is."""
        self.service.age(self.database, seconds)

    def contents(self) -> Mapping[str, bytes]:
        """Return what is stored in it, as a client is given it, by the table, or key, that it is in."""
        return self.service.contents(self.database)

    def keeping(self) -> Keeping:
        """Return what keeps bytes in it, in the least of round trips, and through the seam, as any client does."""
        return self.service._keeping("127.0.0.1", self.seam.port, self.database)

    def empty(self) -> None:
        """Remove all that is stored in it."""
        self.service._empty(self.database)

    def drop(self) -> None:
        """Remove it, cut every connection to it, and serve it no more."""
        self.seam.stop()
        if self.service._places.pop(self.name, None) is not None:
            self.service._drop(self.database)


def concealed(url: str) -> str:
    """Return a URL without its password."""
    return re.sub(r"(?<=:)[^:@/]+(?=@)", "***", url)


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
