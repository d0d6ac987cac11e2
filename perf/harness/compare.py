"""Two records told apart, row by row: the ratio of medians and its 95 % interval decide, not the eye."""

import argparse

from . import record, spread
from .metrics import METRICS
from .subjects import OURS

WORDS = {"better": "faster", "worse": "slower"}


def rows(before, after, program=OURS):
    """`(name, headline, times better, verdict)` of each row that both records have."""
    found = []
    for name, row in after["rows"].items():
        was = before["rows"].get(name)
        if was is None or was["headline"] != row["headline"]:
            continue
        old, new = was["programs"].get(program), row["programs"].get(program)
        if old and new:
            better = spread.advantage(new, old, METRICS[row["headline"]].lower_is_better)
            found.append((name, row["headline"], better, _verdict(better, old, new)))
    return found


def _verdict(better, old, new):
    if better is None:
        return "no difference seen" if old == new else "no ratio"
    said = spread.verdict(better)
    return WORDS.get(said, said)


def slower_beyond(found, percent):
    """Rows of which even the lower end of the slowdown's interval is above `percent`.

    The slowdown is the inverse of `times better`, so its lower end is the inverse of the upper one.
    """
    return [name for name, _, better, _ in found
            if better and better["high"] and 100 * (1 / better["high"] - 1) > percent]


def failed_since(before, after, program=OURS):
    """Rows that had figures and now fail."""
    return [name for name, row in after["rows"].items()
            if program in row["failed"] and before["rows"].get(name, {}).get("programs", {}).get(program)]


def text(before, after, found, failed):
    lines = [f"A {before['commit'][:12]} of {before['started']}", f"B {after['commit'][:12]} of {after['started']}"]
    if before["machine"] != after["machine"]:
        lines.append("!!! different machines: the figures say nothing about the program")
    lines.append(f"{'row':44} {'figure':18} {'B times better than A':>28}")
    for name, headline, better, said in found:
        shown = "-" if better is None else f"{better['ratio']:.3f}"
        if better and better["low"] is not None:
            shown += f" ({better['low']:.3f} to {better['high']:.3f})"
        lines.append(f"{name:44} {METRICS[headline].title:18} {shown:>28}  {said}")
    lines += [f"{name:44} FAILED in B" for name in failed]
    return "\n".join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="perf/compare", description=__doc__)
    parser.add_argument("before", metavar="A", help="result.json of perf/run, or RECORD.jsonl[@LINE or @COMMIT]")
    parser.add_argument("after", metavar="B", help="the same; without @ it is the last line")
    parser.add_argument("--program", default=OURS)
    parser.add_argument("--fail-above", type=float, metavar="PERCENT",
                        help="exit status 1 when a row is slower by more than that beyond doubt, or failed")
    args = parser.parse_args(argv)
    try:
        before, after = record.load(args.before), record.load(args.after)
    except (OSError, ValueError, KeyError) as error:
        parser.error(str(error))
    found, failed = rows(before, after, args.program), failed_since(before, after, args.program)
    if not found and not failed:
        parser.error("the two have no row in common")
    print(text(before, after, found, failed))
    if args.fail_above is None:
        return 0
    slower = slower_beyond(found, args.fail_above)
    for name in slower:
        print(f"{name} is slower by more than {args.fail_above:g} %")
    return 1 if slower or failed else 0
