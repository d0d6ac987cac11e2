"""What perf/run refuses before an hour is spent, and where it writes."""
import json

import pytest
from documents import document
from harness import cli, machine, output

BINARY = ["--binary", "/bin/true"]


def refused(capsys, *argv):
    with pytest.raises(SystemExit) as ended:
        cli.arguments([*BINARY, *map(str, argv)])
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(("argv", "what"), [
    (["--quick"], "--quick"), (["--rows", "span"], "--rows"), (["--expect", "other.yaml"], "--expect"),
    (["--rounds", "3"], "other rounds"), (["--seconds", "1"], "other seconds"),
])
def test_only_whole_runs_are_appended_to_the_record(monkeypatch, capsys, argv, what):
    monkeypatch.setattr(machine, "commit", lambda: {"commit": "a" * 40, "dirty": False})
    cli.arguments([*BINARY, "--append"])
    assert f"no line of the record is made with {what}" in refused(capsys, "--append", *argv)
    cli.arguments([*BINARY, *argv])


def test_only_what_is_committed_is_appended_to_the_record(monkeypatch, capsys):
    monkeypatch.setattr(machine, "commit", lambda: {"commit": "a" * 40, "dirty": True})
    assert "not committed" in refused(capsys, "--append")
    cli.arguments(BINARY)


def write(folder, text):
    folder.mkdir()
    (folder / "result.json").write_text(text)


def test_a_full_run_is_never_overwritten(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(output, "RESULTS", tmp_path)
    made = document([])
    day = made["started"][:10]
    assert output.folder_for(made) == tmp_path / day
    write(tmp_path / day, json.dumps(made))
    assert output.folder_for(made) == tmp_path / f"{day}-2"
    write(tmp_path / f"{day}-2", "half a file")
    assert output.folder_for(made) == tmp_path / f"{day}-3"
    for name in (day, f"{day}-2"):
        assert "holds the result of a full run" in refused(capsys, "--out", tmp_path / name)


def test_quick_runs_overwrite_each_other(monkeypatch, tmp_path):
    monkeypatch.setattr(output, "RESULTS", tmp_path)
    made = {**document([]), "quick": True}
    for _ in range(2):
        folder = output.folder_for(made)
        assert folder == tmp_path / "quick"
        output.write(made, folder)
    cli.arguments([*BINARY, "--out", str(folder)])
