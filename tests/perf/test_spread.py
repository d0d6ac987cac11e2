"""Medians, intervals and what may be said of them."""
from harness import spread


def test_a_summary_holds_median_extremes_and_deviation():
    found = spread.summary([3, 1, 2, 10, 4])
    assert found == {"median": 3, "min": 1, "max": 10, "n": 5, "mad": 1}


def test_less_is_better_unless_more_is():
    assert spread.advantage([100], [300], lower_is_better=True)["ratio"] == 3
    assert spread.advantage([100], [300], lower_is_better=False)["ratio"] == 1 / 3


def test_the_same_values_give_the_same_interval_and_it_holds_the_ratio():
    ours, theirs = [100, 104, 98, 101, 99], [300, 330, 290, 310, 305]
    found = spread.advantage(ours, theirs, True)
    assert found == spread.advantage(ours, theirs, True)
    assert found["low"] <= found["ratio"] <= found["high"]
    assert found["chance"] == 2 / 252
    assert 290 / 104 <= found["low"] < found["high"] <= 330 / 98


def test_what_lies_apart_is_told_and_what_overlaps_is_not():
    apart = spread.advantage([10, 11, 12, 10, 11], [20, 21, 22, 20, 21], True)
    assert spread.verdict(apart) == "better"
    assert spread.verdict(spread.advantage([20, 21, 22, 20, 21], [10, 11, 12, 10, 11], True)) == "worse"
    assert spread.verdict(spread.advantage([10, 30, 20, 15, 25], [11, 29, 21, 16, 24], True)) == "no difference seen"


def test_chance_is_counted_over_all_ways_to_part_the_values():
    assert spread.chance([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == spread.chance([6, 7, 8, 9, 10], [1, 2, 3, 4, 5]) == 2 / 252
    # One exchange of neighbours makes two more ways as far apart, and is no longer beyond doubt.
    assert spread.chance([1, 2, 3, 4, 6], [5, 7, 8, 9, 10]) == 4 / 252
    assert spread.chance([1, 1, 1, 1, 1], [1, 1, 1, 1, 1]) == 1
    assert spread.chance(range(20), range(20, 40)) < spread.DOUBT < spread.chance(range(0, 40, 2), range(1, 40, 2))


def test_a_median_ahead_is_not_enough_to_be_told_apart():
    found = spread.advantage([10, 11, 12, 13, 30], [20, 21, 22, 23, 24], True)
    assert found["ratio"] > 1.5 and spread.verdict(found) == "no difference seen"


def test_too_few_values_have_no_interval_and_only_a_large_difference_counts():
    few = [10, 11, 12, 13]
    assert spread.advantage(few, [20, 21, 22, 23, 24], True)["low"] is None
    assert spread.verdict(spread.advantage(few, [20, 21, 22, 23, 24], True)) == "better"
    assert spread.verdict(spread.advantage([20, 21], [10], True)) == "worse"
    assert spread.verdict(spread.advantage([10], [12], True)) == spread.TOO_FEW
    assert spread.verdict(spread.advantage([10], [12], True), single_percent=10) == "better"
    assert spread.verdict(spread.advantage([12], [10], True), single_percent=10) == "worse"


def test_nothing_has_no_ratio():
    assert spread.verdict(spread.advantage([0, 0, 0], [20, 21, 22], True)) == "no ratio"
