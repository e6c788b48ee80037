"""Services of the tests: each started once, where a test asks for one. Without its server, the test is skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from session_conformance.harness.services import NoService, Place, Services


@pytest.fixture(scope="session")
def closed_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have temporary files in a folder that no other user can enter, as some systems have it."""
    folder = tmp_path_factory.mktemp("closed")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        yield


@pytest.fixture(scope="session")
def services(closed_folder: None) -> Iterator[Services]:
    found = Services({})
    yield found
    found.stop()


@pytest.fixture
def new_place(services: Services) -> Iterator[Callable[[str], Place]]:
    made: list[Place] = []

    def make(service: str) -> Place:
        try:
            made.append(services[service].new_place(f"test_{len(made)}"))
        except NoService as reason:
            pytest.skip(str(reason))
        return made[-1]

    yield make
    for place in made:
        place.drop()
