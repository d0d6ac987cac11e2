"""Two records told apart, row by row: a permutation test over the rounds decides, not the eye."""

import argparse

from . import record, spread
from .metrics import METRICS
from .subjects import OURS

WORDS = {"better": "faster", "worse": "slower"}
# What must be the same, or the figures say something of that as well.
SAME = {
    "machine": "machines: the figures say nothing about the program", "generator_sha256": "generators",
    "config_sha256": "configurations", "rounds": "numbers of rounds", "seconds": "lengths of a measurement",
}


def rows(before, after, program=OURS, program_before=None, single_percent=spread.SINGLE_PERCENT):
    """`(name, headline, times better, verdict)` of each row that both records have."""
    found = []
    for name, row in after["rows"].items():
        was = before["rows"].get(name)
        if was is None or was["headline"] != row["headline"]:
            continue
        old, new = was["programs"].get(program_before or program), row["programs"].get(program)
        if not old or not new:
            continue
        if (program_before or program) in was.get("limited", {}) or program in row.get("limited", {}):
            found.append((name, row["headline"], None, "a lower bound only"))
            continue
        better = spread.advantage(new, old, METRICS[row["headline"]].lower_is_better)
        found.append((name, row["headline"], better, _verdict(better, old, new, single_percent)))
    return found


def _verdict(better, old, new, single_percent):
    if better is None:
        return "no difference seen" if old == new else "no ratio"
    said = spread.verdict(better, single_percent)
    return WORDS.get(said, said)


def slower_beyond(found, percent):
    """Rows that are slower, of which even the lower end of the slowdown's interval is above `percent`.

    The slowdown is the inverse of `times better`, so its lower end is the inverse of the upper one. A row of
    too few rounds has no interval: what makes it slower at all is enough.
    """
    return [name for name, _, better, said in found
            if said == "slower" and (better["high"] is None or better["high"] < 1 / (1 + percent / 100))]


def failed_since(before, after, program=OURS, program_before=None):
    """Rows that had figures and now fail."""
    return [name for name, row in after["rows"].items() if program in row["failed"]
            and before["rows"].get(name, {}).get("programs", {}).get(program_before or program)]


def unmatched(before, after):
    """`(row, why)` of those that cannot be told apart, because one record lacks them or counts something else."""
    found = [(name, "only in A") for name in before["rows"] if name not in after["rows"]]
    for name, row in after["rows"].items():
        if name not in before["rows"]:
            found.append((name, "only in B"))
        elif before["rows"][name]["headline"] != row["headline"]:
            found.append((name, "another figure counts in B"))
    return found


def text(before, after, found, failed):
    lines = [f"A {before['commit'][:12]} of {before['started']}", f"B {after['commit'][:12]} of {after['started']}"]
    lines += [f"!!! different {what}" for key, what in SAME.items() if before.get(key) != after.get(key)]
    lines.append(f"{'row':44} {'figure':18} {'B times better than A':>28}")
    for name, headline, better, said in found:
        shown = "-" if better is None else f"{better['ratio']:.3f}"
        if better and better["low"] is not None:
            shown += f" ({better['low']:.3f} to {better['high']:.3f})"
        lines.append(f"{name:44} {METRICS[headline].title:18} {shown:>28}  {said}")
    lines += [f"{name:44} FAILED in B" for name in failed]
    lines += [f"{name:44} {why}" for name, why in unmatched(before, after)]
    return "\n".join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="perf/compare", description=__doc__)
    parser.add_argument("before", metavar="A", help="result.json of perf/run, or RECORD.jsonl[@LINE or @COMMIT]")
    parser.add_argument("after", metavar="B", help="the same; without @ it is the last line")
    parser.add_argument("--program", default=OURS)
    parser.add_argument("--program-before", metavar="NAME", help="another one of A: two programs of one run")
    parser.add_argument("--fail-above", type=float, metavar="PERCENT",
                        help="exit status 1 when a row is slower by more than that beyond doubt, or failed")
    parser.add_argument("--fail-above-single", type=float, default=spread.SINGLE_PERCENT, metavar="PERCENT",
                        help="what makes a row of too few rounds slower or faster; default: %(default)g")
    args = parser.parse_args(argv)
    try:
        before, after = record.load(args.before), record.load(args.after)
    except (OSError, ValueError, KeyError) as error:
        parser.error(str(error))
    names = args.program, args.program_before
    found = rows(before, after, *names, single_percent=args.fail_above_single)
    failed = failed_since(before, after, *names)
    if not found and not failed:
        parser.error("the two have no row in common")
    print(text(before, after, found, failed))
    if args.fail_above is None:
        return 0
    slower = slower_beyond(found, args.fail_above)
    for name in slower:
        print(f"{name} is slower beyond what is let pass")
    return 1 if slower or failed else 0
