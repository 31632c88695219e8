"""How sure a difference between two shares is: published figures, and what holds for any counts."""

from math import comb
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sharing.proportions import chance, difference, reach, wilson

Z = 1.959964


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # The score method: R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_wilsons(count: int, of: int, low: float, high: float) -> None:
    assert wilson(count, of, Z) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    # Method 10: R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, table II.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_newcombes(first: Any, second: Any, low: float, high: float) -> None:
    assert difference(*first, *second, Z) == pytest.approx((low, high), abs=5e-5)


counts = st.integers(1, 5_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
reaches = st.floats(0.1, 8)


@given(counts, counts, reaches)
def test_an_interval_holds_what_was_seen_and_is_turned_round_with_its_sides(first: Any, second: Any, z: float) -> None:
    low, high = difference(*first, *second, z)
    seen = first[0] / first[1] - second[0] / second[1]
    assert low - 1e-9 <= seen <= high + 1e-9
    assert difference(*second, *first, z) == pytest.approx((-high, -low), abs=1e-9)
    assert -1 - 1e-9 <= low <= high <= 1 + 1e-9


@given(counts, counts, st.integers(1, 10_000))
def test_the_more_was_looked_at_the_less_is_sure(first: Any, second: Any, comparisons: int) -> None:
    assert difference(*first, *second, reach(comparisons))[0] >= difference(*first, *second, reach(comparisons * 2))[0]


def test_one_comparison_reaches_two_standard_deviations_and_a_thousand_reach_four() -> None:
    assert reach(1) == pytest.approx(1.96, abs=0.005)
    assert reach(1_000) == pytest.approx(4.056, abs=0.005)


small = st.integers(1, 40).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(small, small)
def test_chance_is_the_part_of_all_ways_to_deal_it_out_that_are_so_extreme(first: Any, second: Any) -> None:
    (count, of), (other, other_of) = first, second
    both = count + other
    ways = [comb(of, n) * comb(other_of, both - n) for n in range(count, min(of, both) + 1)]
    assert chance(*first, *second) == pytest.approx(sum(ways) / comb(of + other_of, both), rel=1e-6)


def test_two_of_two_against_none_of_four_come_about_once_in_fifteen_times() -> None:
    assert chance(2, 2, 0, 4) == pytest.approx(1 / 15)
    assert chance(5_000, 5_000, 0, 5_000) == pytest.approx(0, abs=1e-300)
