"""A finished run as one JSON document, and what it says about goals. The report and the record read this."""

import re
from dataclasses import asdict

from . import spread
from .metrics import METRICS
from .subjects import OURS

FORMAT = 1


def document(session, about):
    """`about` is all that is not a row: machine, command, programs, times."""
    return {"format": FORMAT, **about, "rows": [_row(session, row) for row in session.plan.rows]}


def _row(session, row):
    plan = session.plan
    return {
        "name": row.name, "section": row.section, "headline": row.headline, "load": asdict(row.load),
        "goal": {key: value for key, value in asdict(row.goal).items() if value is not None},
        "note": row.note, "place": row.place, "rounds": plan.rounds_of(row), "seconds": plan.seconds_of(row),
        "programs": {name: asdict(cell) for name, cell in session.cells[row.name].items()},
    }


def headline_values(row, program=OURS):
    """The rounds' values of the figure that counts; empty when it failed or was not run."""
    return row["programs"].get(program, {}).get("figures", {}).get(row["headline"], [])


def judged_values(row, program=OURS):
    """The same, for ratios and goals; empty also when they are only a lower bound."""
    return [] if row["programs"].get(program, {}).get("limited") else headline_values(row, program)


def peers(document):
    return [program["name"] for program in document["programs"] if program["name"] != OURS]


def advantages(row):
    """Peer -> how many times better ours is, in the figure that counts."""
    ours, lower = judged_values(row), METRICS[row["headline"]].lower_is_better
    found = {}
    for name in row["programs"]:
        theirs = judged_values(row, name)
        if name != OURS and ours and theirs:
            found[name] = spread.advantage(ours, theirs, lower)
    return found


def goals(document):
    """`(row, what, wanted, found, met)` of each goal that can be judged."""
    rows = {row["name"]: row for row in document["rows"]}
    first = next(iter(peers(document)), None)
    judged = []
    for row in document["rows"]:
        goal, values = row["goal"], judged_values(row)
        if not values:
            continue
        metric = METRICS[row["headline"]]
        if "most" in goal:
            found = max(values) if metric.every_round else spread.summary(values)["median"]
            judged.append((row["name"], f"{metric.title}, {metric.unit}".strip(", "), goal["most"], found,
                           found <= goal["most"]))
        of = judged_values(rows[goal["of"]]) if goal.get("of") in rows else []
        if of:
            found = spread.ratio(values, of)
            if found:
                judged.append((row["name"], f"times {goal['of']}", goal["factor"], found["ratio"],
                               found["ratio"] <= goal["factor"]))
        better = advantages(row).get(first)
        if "ratio" in goal and better:
            judged.append((row["name"], f"times better than {first}", goal["ratio"], better["ratio"],
                           better["ratio"] >= goal["ratio"]))
    return judged


def failures(document):
    return [(row["name"], name, cell["failed"]) for row in document["rows"]
            for name, cell in row["programs"].items() if cell["failed"]]


def not_won(document):
    """`(row, peer, advantage, verdict)` where ours is not better beyond doubt."""
    found = []
    for row in document["rows"]:
        for name, better in advantages(row).items():
            said = spread.verdict(better)
            if said != "better" and not _both_zero(row, name):
                found.append((row["name"], name, better, said))
    return found


def _both_zero(row, name):
    return not any(headline_values(row)) and any(headline_values(row, name))


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
