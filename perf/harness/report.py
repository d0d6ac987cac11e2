"""The document of a run as Markdown: what was measured where, goals, what is lost, every row."""

from . import result, spread
from .metrics import METRICS
from .subjects import OURS

# Figures beside the one that counts, where they fit into a table: the others are in the JSON.
BESIDE = ("p50_ms", "p99_ms", "p99_9_ms", "max_ms", "spans_a_second", "cpu_ns_a_span", "rate", "scrapes",
          "scrape_cpu_ms", "scrape_bytes", "scrape_lines", "rss_before_scrape_mib", "rss_peak_mib",
          "bytes_a_label_set_unscraped", "refused_requests", "unanswered_requests", "lost_percent", "exit_seconds",
          "stripped_mb")


def number(value):
    """Four digits that count, thousands apart."""
    if value == 0:
        return "0"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) < 100 else f"{value:.1f}"


def interval(found):
    if found is None:
        return "-"
    text = f"{found['ratio']:.2f}"
    return text if found["low"] is None else f"{text} ({found['low']:.2f} to {found['high']:.2f})"


def cell(cell_of, headline):
    if cell_of is None:
        return "-"
    if cell_of["failed"]:
        return f"**FAILED**: {_in_table(cell_of['failed'])}"
    values = cell_of["figures"].get(headline)
    if not values:
        return "**FAILED**: no figure"
    found = spread.summary(values)
    text = (">= " if cell_of["limited"] else "") + number(found["median"])
    return text if found["n"] == 1 else f"{text} ({number(found['min'])}..{number(found['max'])})"


def _in_table(text):
    text = text.replace("|", "\\|").replace("\n", " ")
    return text if len(text) < 160 else text[:157] + "..."


def markdown(document):
    parts = [_head(document), _goals(document), _not_won(document), _failures(document)]
    sections = dict.fromkeys(row["section"] for row in document["rows"])
    for section in sections:
        parts.append(_section(document, section, [row for row in document["rows"] if row["section"] == section]))
    parts.append("The split of CPU into receive, spanmetrics and the rest is not measured here: it is no figure of a "
                 "process.\n")
    return "\n".join(part for part in parts if part)


def _head(document):
    machine = document["machine"]
    dirty = ", with changes that are not committed" if document["dirty"] else ""
    lines = [
        "# Measured rows", "",
        "Read ratios first: absolute figures move with the machine. A figure is the median of the rounds, with the "
        "smallest and the largest; ratios have a 95 % interval by bootstrap over rounds, where there are "
        f"{spread.ROUNDS_MIN} and more. `>=` is a lower bound, for the reason beside it, and has no ratio.", "",
        f"- Command: `{document['command']}`",
        f"- Commit: {document['commit']}{dirty}; {document['started']}, {document['elapsed_seconds'] / 60:.0f} minutes",
        f"- Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_mib']} MiB, kernel "
        f"{machine['kernel']}{', guest' if machine['guest'] else ''}"
        f"{', two threads of one core' if document['cores']['siblings'] else ''}; load average before "
        f"{document['load_before']}, after {document['load_after']}",
        f"- Program on core {document['cores']['program']}, generator and scraper on core "
        f"{document['cores']['generator']}; rows that say so together on the first, unpinned rows on all; one configuration for all: "
        f"`{document['config']}`",
    ]
    for program in document["programs"]:
        more = " ".join([*(f"{key}={value}" for key, value in program["env"].items()), *program["arguments"]])
        lines.append(f"- {program['name']}: {program['version']}{f', {more}' if more else ''}; sha256 "
                     f"{program['sha256'][:16]}")
    lines.append(f"- Correct before timing, to the last bucket: {document['verified']} of {document['to_verify']} pairs "
                 "of program and load; after it, every span acknowledged is counted.")
    if document["quick"]:
        lines.append("- **Quick: one round of a second. A smoke test; no figure here means anything.**")
    return "\n".join(lines) + "\n"


def _goals(document):
    judged = result.goals(document)
    lines = ["## Goals", "", f"{sum(met for *_, met in judged)} met of {len(judged)}.", ""]
    missed = [goal for goal in judged if not goal[-1]]
    if missed:
        lines += ["| missed | what | goal | found |", "|---|---|---|---|"]
        lines += [f"| {name} | {what} | {number(wanted)} | {number(found)} |" for name, what, wanted, found, _ in missed]
    return "\n".join(lines) + "\n" if judged else ""


def _not_won(document):
    found, names = result.not_won(document), result.peers(document)
    if not names:
        return ""
    lines = [f"## Where {OURS} does not win", ""]
    if not found:
        lines.append("In no row that has a ratio.")
    else:
        lines += ["| row | beside | times better | |", "|---|---|---|---|"]
        lines += [f"| {row} | {peer} | {interval(better)} | {said} |" for row, peer, better, said in found]
    return "\n".join(lines) + "\n"


def _failures(document):
    found = result.failures(document)
    if not found:
        return ""
    lines = ["## Failed", "", "These rows have no number, for this reason:", ""]
    lines += [f"- {row}, {program}: {reason}" for row, program, reason in found]
    return "\n".join(lines) + "\n"


def _section(document, section, rows):
    names = [OURS, *result.peers(document)]
    lines = [f"## {section}", "", f"![{section}]({result.slug(section)}.svg)", ""]
    lines.append(f"| row | what | {' | '.join(names)} | times better | goal | design: Collector |")
    lines.append("|---|---|" + "---|" * (len(names) + 3))
    for row in rows:
        metric = METRICS[row["headline"]]
        cells = [cell(row["programs"].get(name), row["headline"]) for name in names]
        better = "; ".join(f"{interval(one)} {name if len(names) > 2 else ''}".strip()
                           for name, one in result.advantages(row).items())
        what = f"{metric.title}, {metric.unit}".strip(", ")
        design = number(row["goal"]["collector"]) if "collector" in row["goal"] else "-"
        line = [row["name"], what, *cells, better or "-", _goal(row), design]
        lines.append(f"| {' | '.join(line)} |")
    beside = [line for row in rows for name in names for line in _beside(row, name)]
    if beside:
        lines += ["", "Beside it, medians:", "", *beside]
    return "\n".join(lines) + "\n"


def _goal(row):
    goal, parts = row["goal"], []
    if "most" in goal:
        parts.append(number(goal["most"]))
    if "ratio" in goal:
        parts.append(f"{goal['ratio']:g} times")
    if "factor" in goal:
        parts.append(f"{goal['factor']:g} times {goal['of']}")
    return ", ".join(parts) or "-"


def _beside(row, name):
    cell_of = row["programs"].get(name)
    if cell_of is None or cell_of["failed"]:
        return
    texts = []
    for key in BESIDE:
        values = cell_of["figures"].get(key)
        if values and key != row["headline"]:
            metric = METRICS[key]
            texts.append(f"{metric.title} {number(spread.summary(values)['median'])} {metric.unit}".strip())
    if cell_of["label_sets"] is not None:
        texts.append(f"{cell_of['label_sets']:,} label sets")
    texts += [f"**{note}**" for note in cell_of["notes"]]
    if row["note"]:
        texts.append(row["note"])
    if texts:
        yield f"- {row['name']}, {name}: {'; '.join(texts)}"
