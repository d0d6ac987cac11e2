"""perf/compare: two records told apart."""
import json

import pytest
from documents import cell, document, row
from harness import compare, record

FAST, SLOW = [100, 102, 98, 101, 99], [130, 133, 128, 131, 129]


def line(cpu, spans=None, failed=""):
    rows = [row("cpu", "cpu_ns_a_span", {"spanmill": cell("cpu_ns_a_span", cpu, failed)})]
    if spans:
        rows.append(row("throughput", "spans_a_second", {"spanmill": cell("spans_a_second", spans)}))
    return record.line(document(rows))


def verdicts(before, after):
    return {name: said for name, _, _, said in compare.rows(before, after)}


def test_faster_and_slower_follow_which_way_the_figure_goes():
    assert verdicts(line(FAST, FAST), line(SLOW, SLOW)) == {"cpu": "slower", "throughput": "faster"}
    assert verdicts(line(SLOW, SLOW), line(FAST, FAST)) == {"cpu": "faster", "throughput": "slower"}
    assert verdicts(line(FAST, FAST), line(FAST, FAST)) == {"cpu": "no difference seen", "throughput": "no difference seen"}


def test_only_a_slowdown_beyond_doubt_fails():
    found = compare.rows(line(FAST), line(SLOW))
    # 128 / 102 is the least that the values allow.
    assert compare.slower_beyond(found, 20) == ["cpu"]
    assert compare.slower_beyond(found, 40) == []
    assert compare.slower_beyond(compare.rows(line(SLOW), line(FAST)), 0) == []


def test_a_row_that_fails_now_is_said():
    assert compare.failed_since(line(FAST), line([], failed="lost spans")) == ["cpu"]
    assert compare.failed_since(line([], failed="lost spans"), line([], failed="lost spans")) == []


def test_few_rounds_tell_only_a_large_difference():
    few, slow = [100, 101, 99], [120, 121, 122]
    assert verdicts(line(few), line(slow)) == {"cpu": "too few rounds"}
    found = compare.rows(line(few), line(slow), single_percent=15)
    assert [said for *_, said in found] == ["slower"]
    assert compare.slower_beyond(found, 50) == ["cpu"]
    assert compare.slower_beyond(compare.rows(line(few), line(slow)), 0) == []


def test_from_nothing_to_something_is_slower_whatever_is_let_pass():
    found = compare.rows(line([0] * 5), line([7] * 5))
    assert [(better["high"], said) for _, _, better, said in found] == [(0, "slower")]
    assert compare.slower_beyond(found, 1_000) == ["cpu"]


def test_lower_bounds_are_not_compared():
    bound = row("cpu", "cpu_ns_a_span", {"spanmill": cell("cpu_ns_a_span", SLOW, limited="killed")})
    bound = record.line(document([bound]))
    assert verdicts(line(FAST), bound) == verdicts(bound, line(FAST)) == {"cpu": "a lower bound only"}


def test_two_programs_of_one_run_are_told_apart():
    cells = {"spanmill": cell("cpu_ns_a_span", SLOW), "previous": cell("cpu_ns_a_span", FAST)}
    run = record.line(document([row("cpu", "cpu_ns_a_span", cells)], peers=("previous",)))
    found = compare.rows(run, run, program_before="previous")
    assert [(name, said) for name, _, _, said in found] == [("cpu", "slower")]


def test_what_differs_beside_the_program_is_said():
    other = {**line(FAST, FAST), "generator_sha256": "3" * 64, "seconds": 1.0}
    said = compare.text(line(FAST), other, [], [])
    assert "different generators" in said and "different lengths" in said
    assert "machines" not in said and "configurations" not in said
    assert "throughput" in said and "only in B" in said
    assert "different" not in compare.text(line(FAST), line(FAST), [], [])
    assert "only in A" in compare.text(other, line(FAST), [], [])


def test_a_path_may_hold_an_at_sign(tmp_path):
    folder = tmp_path / "a@b"
    folder.mkdir()
    path = record.append(document([]), folder)
    assert record.load(str(path)) == record.load(f"{path}@0") == record.load(f"{path}@{'a' * 8}")


def test_records_are_read_from_reports_and_lines(tmp_path, capsys):
    report = tmp_path / "result.json"
    report.write_text(json.dumps(document([row("cpu", "cpu_ns_a_span", {"spanmill": cell("cpu_ns_a_span", SLOW)})])))
    for commit, values in (("b" * 40, FAST), ("c" * 40, SLOW)):
        rows = [row("cpu", "cpu_ns_a_span", {"spanmill": cell("cpu_ns_a_span", values)})]
        path = record.append(document(rows, commit=commit), tmp_path)
    assert path.name == "a-cpu-2-cores.jsonl"
    assert record.load(str(path))["commit"] == "c" * 40
    assert record.load(f"{path}@0")["commit"] == record.load(f"{path}@{'b' * 12}")["commit"] == "b" * 40
    with pytest.raises(ValueError):
        record.load(f"{path}@7")

    assert compare.main([f"{path}@0", str(report), "--fail-above", "3"]) == 1
    assert "slower" in capsys.readouterr().out
    assert compare.main([f"{path}@0", f"{path}@0", "--fail-above", "3"]) == 0
    assert compare.main([f"{path}@0", str(report)]) == 0
