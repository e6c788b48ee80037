"""Programs: where a server's executable is to be found, and which packages bring it where it is not."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class NoService(Exception):
    """A server that a backend needs cannot be started or reached. The text is one line that says what to do."""


EXTRA = "pip install 'strands-session-conformance[servers]'"


@dataclass(frozen=True)
class Program:
    """A server's executable, and the ways to it.

    Attributes:
        names: What it is called, in the order of preference.
        places: Patterns of folders in which distributions put it outside the ``PATH``; of several the newest is used.
        wheels: Packages on PyPI that bring it, each with the folder in it.
        debian: The package of Debian and Ubuntu that brings it.
    """

    names: tuple[str, ...]
    places: tuple[str, ...] = ()
    wheels: tuple[tuple[str, str], ...] = ()
    debian: str = ""

    def find(self, option: str) -> Path:
        """Return the executable: that of the ``PATH``, of the distribution, or of a package from PyPI.

        Args:
            option: What names a server that runs already, for the error.

        Raises:
            NoService: There is none.
        """
        found = next(self._found(), None)
        if found is None:
            ways = [EXTRA] if self.wheels else []
            ways += [f"apt-get install {self.debian}"] if self.debian else []
            ways += [f"or name a server that runs: --service {option}"]
            raise NoService(f"no {' or '.join(self.names)} is on this machine: {', '.join(ways)}")
        return found

    def _found(self) -> Iterator[Path]:
        # A stand-in on the PATH is preferred to the server itself in a wheel, as the user's machine has it.
        for name in self.names:
            on_path = shutil.which(name)
            if on_path is not None:
                yield Path(on_path)
            for pattern in self.places:
                folders = sorted(Path("/").glob(pattern.lstrip("/")), key=_by_version, reverse=True)
                yield from (folder / name for folder in folders if (folder / name).is_file())
            yield from in_wheels(self.wheels, name)


def in_wheels(wheels: tuple[tuple[str, str], ...], name: str) -> Iterator[Path]:
    """Yield the files of a name in packages that are installed, each given with its folder there."""
    for package, inside in wheels:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            yield from sorted(Path(spec.origin).parent.glob(f"{inside}/{name}"))


def _by_version(folder: Path) -> list[int]:
    return [int(part) for part in folder.parts if part.isdigit()]
