"""Where a store loses the same at every moment, a requirement has seen enough of it before it has seen all."""

import re
from pathlib import Path

import pytest
from session_conformance.harness import Violation
from session_conformance.harness.backends.plain_stores import PlainRepository

from .judge import judge


def test_power_cuts_that_lose_what_a_kill_would_are_looked_at_a_thousand_times(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    with pytest.raises(Violation) as violated:
        judge(PlainRepository, "DUR-02", tmp_path, pytestconfig)
    counted = re.search(
        r"in (\d+) of (\d+) states they are not \(no more were looked at\), in 0 of", str(violated.value)
    )
    assert counted is not None, str(violated.value)
    assert int(counted[1]) == 1000
