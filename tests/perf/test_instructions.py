"""The checker of the instruction budgets: what it reads out of callgrind's output, and what it says."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "perf"))
import budgets  # noqa: E402

CASE = "path/800B/512"
BUDGETS = {CASE: 2_000.0}
FUNCTIONS = {CASE: {"decode::walk": 1_580.0, "groups::observe": 300.0, "memcpy < decode::walk": 60.0}}

OUTPUT = """\
# callgrind format
events: Ir
fl=(1) a.rs
fn=(1) decode::walk::h0123456789abcdef
10 100
+2 20
cfi=(2) b.rs
cfn=(2) memcpy'decode::walk
calls=3 0
* 60
11 5
fi=(2)
-3 7
fe=(1)

fn=(2)
0 60
fn=(3) groups::observe
cfn=(1)
calls=1 10
20 192
21 8
"""


def count(walk=1_580, observe=300, copy=60, rest=60):
    functions = {"decode::walk": walk, "groups::observe": observe, "memcpy < decode::walk": copy}
    functions.update({f"small::{index}": rest / 10 for index in range(10)})
    return budgets.Count.of(functions, 1, "span")


def compare(counts, recorded=None, functions=None, **options):
    lines, failed = budgets.compare(counts, BUDGETS if recorded is None else recorded,
                                    FUNCTIONS if functions is None else functions, **options)
    return "\n".join(lines), failed


def test_what_a_callee_took_is_not_the_callers_own():
    assert budgets.self_costs(OUTPUT) == {"decode::walk": 132, "memcpy < decode::walk": 60, "groups::observe": 8}


@pytest.mark.parametrize(("written", "plain"), [
    ("decode::walk::h0123456789abcdef", "decode::walk"),
    ("decode::walk.llvm.123456", "decode::walk"),
    ("memcpy'decode::walk::h0123456789abcdef", "memcpy < decode::walk"),
    ("recursive'2", "recursive"),
    ("recursive'2'caller", "recursive < caller"),
])
def test_names_are_the_same_in_every_build(written, plain):
    assert budgets.plain(written) == plain


def test_the_same_count_passes():
    said, failed = compare({CASE: count()})
    assert not failed
    assert said.startswith("ok")


def test_one_function_that_grew_by_four_percent_of_the_case_fails_and_is_named():
    said, failed = compare({CASE: count(walk=1_660)})
    assert failed
    assert f"FAILED  {CASE}: 2,080 a span, budget 2,000, +4.0 %" in said
    assert "decode::walk +5.1 % (1,580 -> 1,660 a span)" in said
    assert "groups::observe" not in said


def test_the_function_that_grew_most_comes_first():
    said, _ = compare({CASE: count(walk=1_600, observe=400)})
    assert said.index("groups::observe") < said.index("decode::walk")


def test_a_function_that_the_record_lacks_is_named_as_new():
    new = count()
    new = budgets.Count.of({**new.functions, "arrow::validate": 90}, 1, "span")
    said, failed = compare({CASE: new})
    assert failed
    assert "arrow::validate is new among the dear ones (90.0 a span)" in said


def test_growth_without_a_dear_function_says_so():
    said, failed = compare({CASE: count(rest=160)}, functions={CASE: count().functions})
    assert failed
    assert said.count("small::") == 6
    many = budgets.Count.of({**count().functions, **{f"tiny::{index}": 1 for index in range(100)}}, 1, "span")
    assert "in functions below 0.5% of the case each" in compare({CASE: many})[0]


def test_two_percent_more_passes():
    said, failed = compare({CASE: count(walk=1_620)})
    assert not failed
    assert "+2.0 %" in said


def test_a_gain_passes_and_asks_for_a_new_record():
    said, failed = compare({CASE: count(walk=1_400)})
    assert not failed
    assert said.startswith("BETTER")
    assert f"perf/instructions --record '{CASE}'" in said


def test_what_is_counted_again_is_what_is_above_its_budget():
    counts = {CASE: count(walk=1_660), "scrape/text": count(), "new": count()}
    assert budgets.above(counts, {**BUDGETS, "scrape/text": 2_000.0}) == [CASE]


def test_a_case_without_a_budget_fails():
    said, failed = compare({CASE: count(), "path/800B/10": count()})
    assert failed
    assert "path/800B/10" in said and "no budget" in said


def test_a_budget_that_was_not_counted_fails_unless_only_some_cases_were_asked_for():
    budgets_of_two = {**BUDGETS, "scrape/text": 100.0}
    said, failed = compare({CASE: count()}, budgets_of_two)
    assert failed
    assert "scrape/text has a budget and was not counted" in said
    assert not compare({CASE: count()}, budgets_of_two, every=False)[1]


def test_a_count_of_nothing_is_an_error():
    with pytest.raises(ValueError):
        budgets.Count.of({}, 100, "span")
    with pytest.raises(ValueError):
        budgets.Count.of({"walk": 100}, 0, "span")


def test_a_run_twice_as_long_less_the_run_is_what_its_requests_cost():
    once, twice = {"start": 900, "walk": 100, "gone": 3}, {"start": 900, "walk": 200, "grow": 7}
    assert budgets.less(twice, once) == {"walk": 100, "grow": 7, "gone": -3}


def test_a_case_that_cannot_be_counted_fails_beside_the_others():
    broken = {"request/http": RuntimeError("it ended\nbadly"), "scrape": KeyError()}
    counts, errors = budgets.parted({CASE: count(), **broken})
    assert list(counts) == [CASE]
    assert budgets.broken(errors) == [
        "FAILED  request/http was not counted: it ended", "          badly",
        "FAILED  scrape was not counted: KeyError()"]


def test_the_least_of_several_counts_is_kept():
    first, again = {CASE: count(), "scrape": count(walk=100)}, {CASE: count(walk=1_500)}
    assert {case: one.total for case, one in budgets.least(first, again).items()} == {CASE: 1_920, "scrape": 520}
    assert budgets.least(again, first)[CASE].total == 1_920


def test_other_tools_are_told():
    recorded = {"rustc": "1.95.0", "valgrind": "3.19.0"}
    assert budgets.unlike(recorded, {"rustc": "1.95.0", "valgrind": "3.24.0", "libc": "2.36"}) == [
        ("valgrind", "3.19.0", "3.24.0")]


def test_what_is_written_is_read_again(tmp_path):
    path, functions_path = tmp_path / "budgets.toml", tmp_path / "functions.toml"
    one = count()
    path.write_text(budgets.written({"rustc": "rustc 1.95.0"}, {CASE: (one.total, one.unit)}))
    functions_path.write_text(budgets.written_functions({CASE: one.top()}))
    assert f'"{CASE}" = 2000.00 # a span' in path.read_text().splitlines()
    read, functions = budgets.read(path), budgets.read(functions_path)
    assert read["tools"] == {"rustc": "rustc 1.95.0"}
    assert not compare({CASE: one}, read["instructions"], functions)[1]
    # Functions below the share that is worth a line are left out.
    assert set(functions[CASE]) == set(FUNCTIONS[CASE])


def test_the_committed_budgets_have_their_functions():
    folder = Path(__file__).parents[2] / "perf"
    recorded = budgets.read(folder / "budgets.toml")["instructions"]
    functions = budgets.read(folder / "budgets-functions.toml")
    assert recorded
    assert recorded.keys() == functions.keys()
    for case, total in recorded.items():
        assert 0.5 * total < sum(functions[case].values()) <= 1.01 * total, case
