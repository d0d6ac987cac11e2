"""The recorded cases, with the compatibility gate and without it."""
from pathlib import Path

import pytest
from goldens import differences, play

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/case.yaml"))
# Until application metrics act, only these families of a case are compared.
ONLY = {"02-guide-scrape-units": r"acs_traces_span_metrics_"}


def compare(case, folder, scrapes):
    expected = {path.name: path.read_text() for path in folder.glob("scrape*.txt")}
    assert expected.keys() == scrapes.keys()
    found = []
    for name in sorted(expected):
        found += [f"{name}: {line}" for line in differences(expected[name], scrapes[name], ONLY.get(case.name))]
    assert not found, "\n" + "\n".join(line[:300] for line in found[:20]) + f"\n{len(found)} differences"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_with_the_gate_it_is_the_record(case):
    compare(case, case / "compat", play(case, ["--feature-gates=spanmill.collectorCompat"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_without_the_gate_it_differs_only_as_written_down(case):
    folder = case / "default" if (case / "default").exists() else case / "compat"
    compare(case, folder, play(case, []))


def test_a_difference_is_seen():
    text = (CASES[0] / "compat/scrape.txt").read_text()
    assert differences(text, text) == []
    name = 'acs_traces_span_metrics_calls{'
    at = text.index(name)
    end = text.index("\n", at)
    line = text[at:end]
    changed = line.replace("} ", "} 9", 1)
    assert differences(text, text.replace(line, changed))
    assert differences(text, text.replace(line + "\n", ""))
    assert differences(text, text.replace('span_kind="SPAN_KIND_INTERNAL"', 'span_kind="x"'))
