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
    assert 290 / 104 <= found["low"] < found["high"] <= 330 / 98


def test_what_lies_apart_is_told_and_what_overlaps_is_not():
    apart = spread.advantage([10, 11, 12, 10, 11], [20, 21, 22, 20, 21], True)
    assert spread.verdict(apart) == "better"
    assert spread.verdict(spread.advantage([20, 21, 22, 20, 21], [10, 11, 12, 10, 11], True)) == "worse"
    assert spread.verdict(spread.advantage([10, 30, 20, 15, 25], [11, 29, 21, 16, 24], True)) == "no difference seen"


def test_one_value_has_no_interval_and_nothing_has_no_ratio():
    assert spread.verdict(spread.advantage([10], [20, 21], True)) == "one value"
    assert spread.verdict(spread.advantage([0, 0, 0], [20, 21, 22], True)) == "no ratio"
