"""perf/run with the real program: numbers where all is well, none where it is not."""
import json
import subprocess
import sys
from pathlib import Path

from program import BINARY, ROOT

GUIDE = ROOT / "config/guide-scrape.yaml"


def run(out, *more):
    return subprocess.run([sys.executable, ROOT / "perf/run", "--quick", "--binary", BINARY, "--out", out, *more],
                          capture_output=True, text=True, timeout=300)


def test_a_quick_run_measures_and_checks(tmp_path):
    done = run(tmp_path, "--rows", "^(span/grpc/none/800B/512|start/first-reply)$")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "result.json").read_text())
    figures = {row["name"]: row["programs"]["spanmill"]["figures"][row["headline"]] for row in document["rows"]}
    assert set(figures) == {"span/grpc/none/800B/512", "start/first-reply"}
    assert all(len(values) == 1 and values[0] > 0 for values in figures.values()), figures
    assert document["verified"] == document["to_verify"] == 1
    text = (tmp_path / "report.md").read_text()
    assert "FAILED" not in text and "span/grpc/none/800B/512" in text
    assert (tmp_path / "cpu-a-span.svg").exists()


def test_a_peer_behind_a_wrapper_that_does_not_exec_has_no_number_and_ends(tmp_path):
    wrapper, pids = tmp_path / "wrapper", tmp_path / "pids"
    wrapper.write_text(f'#!/bin/sh\n{BINARY} "$@" &\necho $! >> {pids}\nwait\n')
    wrapper.chmod(0o755)
    done = run(tmp_path / "out", "--rows", "^(span/grpc/none/800B/512|memory/idle)$", "--peer", f"peer={wrapper}")
    assert done.returncode == 1, done.stderr
    for row in json.loads((tmp_path / "out/result.json").read_text())["rows"]:
        assert row["programs"]["spanmill"]["figures"] and not row["programs"]["peer"]["figures"], row["name"]
        assert row["programs"]["peer"]["failed"].startswith("verification"), row["name"]
    command_lines = [Path(f"/proc/{pid}/cmdline") for pid in pids.read_text().split()]
    assert not [path for path in command_lines if path.exists() and str(BINARY).encode() in path.read_bytes()]


def test_a_row_whose_result_is_not_as_expected_has_no_number(tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(GUIDE.read_text().replace("buckets: [1ms, 5ms,", "buckets: [2ms, 5ms,"))
    assert other.read_text() != GUIDE.read_text()
    done = run(tmp_path / "out", "--rows", "^span/grpc/none/800B/512$", "--expect", other)
    assert done.returncode == 1, done.stderr
    [row] = json.loads((tmp_path / "out/result.json").read_text())["rows"]
    cell = row["programs"]["spanmill"]
    assert cell["figures"] == {} and "verification" in cell["failed"]
    assert "**FAILED**" in (tmp_path / "out/report.md").read_text()
