"""Workspaces: the place given to a backend for one test, and the only thing a writer and a reader share."""

from __future__ import annotations

import zlib
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..services import Place, Places, Traffic
from .folder import looked_at


@dataclass(frozen=True)
class Workspace:
    """A fresh folder, and what else a backend may be given.

    Attributes:
        folder: An existing, empty folder that belongs to one test.
        values: More values that constructor parameters and ``{placeholders}`` may ask for by name: ``bucket``,
            ``prefix``, ``endpoint_url`` and ``region_name`` for a backend that keeps its data in S3, and
            ``postgres_url``, ``redis_url`` and the like for one on a server, which is started when it is asked for.
        environment: Environment variables that backends find there, in every process.
    """

    folder: Path
    values: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def placeholders(self, session_id: str | None) -> Mapping[str, str]:
        """Return what ``{name}`` in a backend's arguments stands for; ``{session_id}`` only where one is opened."""
        session = {} if session_id is None else {"session_id": session_id}
        return ChainMap({"workdir": str(self.folder), **session}, self.values)  # type: ignore[arg-type]

    @property
    def unique(self) -> str:
        """A name that no other workspace has, of letters, digits and ``_``: for a table, a schema, a prefix of keys."""
        return self.values.get("unique") or f"conformance_{zlib.crc32(str(self.folder).encode()):08x}"

    @property
    def places(self) -> list[Place]:
        """The places on servers that a backend has asked for here."""
        return self.values.made if isinstance(self.values, Places) else []

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Let nobody reach the servers during a while: connections that are used are cut, new ones refused."""
        with ExitStack() as away:
            for place in self.places:
                away.enter_context(place.seam.away())
            yield

    def quiet(self) -> list[Traffic | int] | None:
        """Return what went over the wire so far: where it is the same later, nothing was changed in between.

        For a bucket that is the requests that may change it; for servers, whose protocols say less, all traffic.

        None where that says nothing: an answer is awaited, or files are kept too, or there is nothing but files.
        """
        seen: list[Traffic | int | None] = [place.seam.quiet for place in self.places]
        if "bucket" in self.values:
            from ..s3 import changes_made

            seen.append(changes_made(self.values["endpoint_url"], self.values["bucket"]))
        quiet = [each for each in seen if each is not None]
        return quiet if quiet and len(quiet) == len(seen) and not any(self.folder.iterdir()) else None

    def drop(self) -> None:
        """Remove the places on servers, with all that is stored in them. The folder stays."""
        if isinstance(self.values, Places):
            self.values.drop()

    def stored(self) -> dict[str, bytes]:
        """Return the contents of every regular file in the folder and every object in the bucket, by path or key."""
        if "bucket" not in self.values:
            return self.stored_files()
        from ..s3 import stored_objects

        return {**self.stored_files(), **stored_objects(self.values)}

    def stored_files(self) -> dict[str, bytes]:
        """Return the contents of every regular file in the folder, by path relative to it.

        Raises:
            FileNotFoundError: Files come and go all the time.
        """
        return looked_at(self._files_seen)

    def _files_seen(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def bytes_stored(self) -> int:
        """Return how many bytes lie in the folder and in the bucket."""
        return sum(len(data) for data in self.stored().values())
