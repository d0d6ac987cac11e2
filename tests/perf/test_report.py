"""The report of figures made by hand: goals, failures, and where ours does not win."""
import xml.etree.ElementTree

from documents import cell, document, row
from harness import plot, report, result

CPU = "cpu_ns_a_span"
ROWS = [
    row("won", CPU, {"spanmill": cell(CPU, [100, 101, 102]), "peer": cell(CPU, [900, 910, 920])},
        {"most": 110, "ratio": 10, "collector": 1000}),
    row("not won", CPU, {"spanmill": cell(CPU, [100, 101, 102]), "peer": cell(CPU, [50, 51, 52])}, {"factor": 1.5, "of": "won"}),
    row("broken", CPU, {"spanmill": cell(CPU, [], "verification: 3 | differences"), "peer": cell(CPU, [7.0])}),
    row("lost", "lost_spans", {"spanmill": cell("lost_spans", [0, 0]), "peer": cell("lost_spans", [5, 6])}, {"most": 0}, "Loss"),
]


def test_goals_are_judged_one_by_one():
    found = {(name, what): met for name, what, _, _, met in result.goals(document(ROWS))}
    assert found == {
        ("won", "CPU a span, ns"): True, ("won", "times better than peer"): False, ("not won", "times won"): True,
        ("lost", "spans lost"): True,
    }


def test_a_row_that_failed_shows_its_reason_and_no_number():
    text = report.markdown(document(ROWS))
    line = next(line for line in text.splitlines() if line.startswith("| broken"))
    assert "**FAILED**: verification: 3 \\| differences" in line
    assert "## Failed" in text and "- broken, spanmill: verification" in text
    assert result.failures(document(ROWS)) == [("broken", "spanmill", "verification: 3 | differences")]


def test_the_rows_that_are_not_won_have_a_section_of_their_own():
    assert [(name, said) for name, _, _, said in result.not_won(document(ROWS))] == [("not won", "worse")]
    text = report.markdown(document(ROWS))
    section = text.split("## Where spanmill does not win")[1].split("##")[0]
    assert "| not won | peer |" in section and "| won |" not in section


def test_machine_commit_and_what_was_run_stand_in_the_report():
    text = report.markdown(document(ROWS))
    for fact in ("A CPU", "2 cores", "a" * 40, "not committed", "`perf/run`", "load average", "101.0 (100.0..102.0)"):
        assert fact in text, fact


def test_a_lower_bound_is_shown_as_one_and_has_no_ratio_and_no_goal():
    cells = {"spanmill": cell(CPU, [100, 101, 102]), "peer": cell(CPU, [900, 910, 920], limited="killed")}
    cells["peer"]["notes"] = ["killed"]
    made = document([row("bound", CPU, cells, {"most": 110, "ratio": 2})])
    line = next(line for line in report.markdown(made).splitlines() if line.startswith("| bound"))
    assert "| >= 910.0 (900.0..920.0) | - |" in line and "**killed**" in report.markdown(made)
    assert [what for _, what, *_ in result.goals(made)] == ["CPU a span, ns"] and result.not_won(made) == []
    assert "bound" not in plot.ratios(made) and "bound" in plot.section(made, "CPU a span")
    cells["spanmill"]["limited"] = "killed"
    assert result.goals(made) == []


def test_one_round_that_loses_spans_misses_the_goal():
    lost = row("lost", "lost_spans", {"spanmill": cell("lost_spans", [0, 0, 3])}, {"most": 0}, "Loss")
    assert [(found, met) for *_, found, met in result.goals(document([lost], peers=()))] == [(3, False)]


def test_few_rounds_win_only_by_far():
    rows = [row(f"{theirs}", CPU, {"spanmill": cell(CPU, [100]), "peer": cell(CPU, [theirs])}) for theirs in (90, 120, 130)]
    assert [(name, said) for name, _, _, said in result.not_won(document(rows))] == [
        ("90", "too few rounds"), ("120", "too few rounds")]


def test_two_threads_of_one_core_are_said():
    made = document(ROWS)
    assert "two threads of one core" not in report.markdown(made)
    made["cores"]["siblings"] = True
    assert "two threads of one core" in report.markdown(made) and "3 of 4 pairs" in report.markdown(made)


def test_without_a_peer_there_are_no_ratios():
    alone = [row("won", CPU, {"spanmill": cell(CPU, [100])}, {"most": 110})]
    text = report.markdown(document(alone, peers=()))
    assert "does not win" not in text and "1 met of 1" in text
    assert plot.ratios(document(alone, peers=())) is None


def test_charts_are_svg_for_light_and_dark():
    made = document(ROWS)
    for text in (plot.section(made, "CPU a span"), plot.section(made, "Loss"), plot.ratios(made)):
        assert xml.etree.ElementTree.fromstring(text).tag.endswith("svg")
        assert "prefers-color-scheme: dark" in text
    assert "not won" in plot.section(made, "CPU a span")
