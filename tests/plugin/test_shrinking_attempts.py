"""The search for a smaller case that fails ends after so many attempts, and what it ends with still fails."""

import itertools

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from session_conformance.fixtures.properties import ShrinkingAttempts, without_local_constants


@pytest.mark.parametrize("most", [0, 5, None])
def test_what_is_found_fails_however_few_attempts_there_are(most: int | None) -> None:
    attempts, tried = ShrinkingAttempts(most), []
    drawn = itertools.count()

    @seed(1)
    @settings(max_examples=100, database=None, report_multiple_bugs=False)
    @given(st.lists(st.integers(0, 2000), max_size=4))
    def small(case: list[int]) -> None:
        next(drawn)
        attempts.begin(case)
        tried.append(list(case))
        if sum(case) > 1000:
            attempts.failed(list(case), error := ValueError(case))
            raise error

    with pytest.raises(ValueError, match=r"\[") as failed, without_local_constants():
        attempts.search(small)
    first = next(number for number, case in enumerate(tried) if sum(case) > 1000)
    new = [case for number, case in enumerate(tried[first + 1 :], first + 1) if case not in tried[:number]]
    assert failed.value.args[0] == [case for case in tried if sum(case) > 1000][-1]
    assert most is None or next(drawn) <= len(tried) + 1  # one more, which ended the search: no other was drawn
    assert most is None or len(new) <= most
    assert most is not None or tried[-1] == [1001]
