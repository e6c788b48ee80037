"""What the tests of mutants share: each judges in this process, and the collector of garbage is asked after each."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def _quickly_collected(quickly_collected: None) -> None: ...
