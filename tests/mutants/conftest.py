"""What the tests of mutants share: each judges in this process, and the collector of garbage is asked after each."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def quickly_collected() -> Iterator[None]:
    """Keep what is there before from the collector: it was collected once, and there is more of it than of the rest."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
