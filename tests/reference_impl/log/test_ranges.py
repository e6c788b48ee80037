"""Sets of ids, held as the fewest ranges: what a window has passed takes two numbers, in whatever order it came."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from session_conformance.reference_impl.log.ranges import Ranges

IDS = st.integers(0, 20)


@given(st.lists(st.tuples(st.booleans(), IDS)))
def test_they_are_a_set_in_as_few_ranges_as_there_can_be(steps: list[tuple[bool, int]]) -> None:
    ranges, expected = Ranges(), set[int]()
    for adds, id in steps:
        (ranges.add if adds else ranges.discard)(id)
        (expected.add if adds else expected.discard)(id)
    assert {id for id in range(-1, 22) if id in ranges} == expected
    assert [id for first, last in ranges.pairs() for id in range(first, last + 1)] == sorted(expected)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges.pairs()))
    assert Ranges(ranges.pairs()).pairs() == Ranges.of(expected).pairs() == ranges.pairs()
    assert bool(ranges) == bool(expected)
