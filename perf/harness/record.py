"""The record: one line of JSON for each full run, in one file for each class of machine. Only appended."""

import json
import pathlib

from . import result
from .machine import ROOT, machine_class

FOLDER = ROOT / "perf" / "record"
FORMAT = 1
KEPT = ("started", "commit", "dirty", "machine", "load_before", "load_after", "rounds", "seconds")
# Documents and lines of before have none.
KEPT_SINCE = ("generator_sha256", "config_sha256")


def line(document):
    """What is kept of a run: the rounds' values of every figure that counts."""
    rows = {}
    for row in document["rows"]:
        values = {name: result.headline_values(row, name) for name in row["programs"]}
        of_each = lambda key: {name: cell[key] for name, cell in row["programs"].items() if cell.get(key)}
        rows[row["name"]] = {
            "headline": row["headline"],
            "programs": {name: [float(f"{value:.6g}") for value in of] for name, of in values.items() if of},
            "failed": of_each("failed"),
            "limited": of_each("limited"),
        }
    about = {**{key: document[key] for key in KEPT}, **{key: document.get(key) for key in KEPT_SINCE}}
    programs = {program["name"]: program["version"] for program in document["programs"]}
    return {"record": FORMAT, **about, "programs": programs, "rows": rows}


def append(document, folder=FOLDER):
    path = pathlib.Path(folder) / f"{machine_class(document['machine'])}.jsonl"
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line(document), separators=(",", ":")) + "\n")
    return path


def load(name):
    """A record line from `FILE` (a run's JSON) or `FILE.jsonl[@WHICH]`: a number, or a commit's beginning.

    Without @WHICH it is the last line. Raises ValueError when there is no such line.
    """
    # The path itself may hold an @.
    path, _, which = (name, "", "") if "@" not in name or pathlib.Path(name).exists() else name.rpartition("@")
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if not path.endswith(".jsonl"):
        document = json.loads(text)
        if document.get("format") != result.FORMAT:
            raise ValueError(f"{path} is no report of perf/run in format {result.FORMAT}")
        return line(document)
    lines = [json.loads(one) for one in text.splitlines() if one.strip()]
    if which and not which.lstrip("-").isdigit() or len(which) >= 7:
        found = [one for one in lines if one["commit"].startswith(which)]
    else:
        index = int(which or -1)
        found = lines[index:][:1] if -len(lines) <= index < len(lines) else []
    if not found:
        raise ValueError(f"{path} has no line {which or -1}")
    return found[-1]
