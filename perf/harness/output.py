"""Where the files of a run go: a folder that holds no full run's result yet."""

import itertools
import json

from . import plot, report, result
from .machine import ROOT

RESULTS = ROOT / "perf" / "results"
NAME = "result.json"


def folder_for(document):
    """A folder of the day, with -2, -3, ... where a full run was written; quick runs share one."""
    wanted = RESULTS / ("quick" if document["quick"] else document["started"][:10])
    others = (wanted.with_name(f"{wanted.name}-{count}") for count in itertools.count(2))
    return next(folder for folder in itertools.chain([wanted], others) if not holds_full_run(folder))


def holds_full_run(folder):
    """Whether an hour's work would be overwritten; what cannot be read may be one."""
    path = folder / NAME
    if not path.exists():
        return False
    try:
        return not json.loads(path.read_text())["quick"]
    except (ValueError, LookupError, TypeError):
        return True


def write(document, folder):
    """The report, the document it was made of, and the charts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text(json.dumps(document, indent=1) + "\n")
    (folder / "report.md").write_text(report.markdown(document))
    for section in dict.fromkeys(row["section"] for row in document["rows"]):
        (folder / f"{result.slug(section)}.svg").write_text(plot.section(document, section))
    chart = plot.ratios(document)
    if chart:
        (folder / "ratios.svg").write_text(chart)
