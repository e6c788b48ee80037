"""The search for a smaller case that fails ends after so many attempts, and what it ends with still fails."""

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from session_conformance.fixtures.properties import ShrinkingAttempts, without_local_constants


@pytest.mark.parametrize("most", [0, 5, None])
def test_what_is_found_fails_however_few_attempts_there_are(most: int | None) -> None:
    attempts, tried = ShrinkingAttempts(most), []

    @seed(1)
    @settings(max_examples=100, database=None, report_multiple_bugs=False)
    @given(st.lists(st.integers(0, 2000), max_size=4))
    def small(case: list[int]) -> None:
        if not attempts.worth_trying(case):
            return
        tried.append(list(case))
        if sum(case) > 1000:
            attempts.failed(case)
            raise ValueError(case)

    with pytest.raises(ValueError, match=r"\[") as failed, without_local_constants():
        small()
    first = next(number for number, case in enumerate(tried) if sum(case) > 1000)
    new = [case for number, case in enumerate(tried[first + 1 :], first + 1) if case not in tried[:number]]
    assert sum(tried[-1]) > 1000
    assert tried[-1] == failed.value.args[0]
    assert most is None or len(new) <= most
    assert most is not None or tried[-1] == [1001]
