"""perf/run: flags in, a plan; the plan run and checked; report, charts and record out."""

import argparse
import datetime
import json
import os
import pathlib
import signal
import sys
import time

from . import machine, plot, record, report, result, rows, subjects
from .generator import Generator
from .metrics import METRICS
from .plan import Plan
from .session import Session
from .verification import verify

CONFIG = machine.ROOT / "config" / "guide-scrape.yaml"


def arguments(argv):
    parser = argparse.ArgumentParser(prog="perf/run", description=__doc__)
    parser.add_argument("--binary", default=machine.ROOT / "target/release/spanmill", metavar="PATH")
    parser.add_argument("--generator", metavar="PATH", help="whose `generate` makes the load; default: --binary")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PATH[,ENV=VALUE|,--ARGUMENT...]",
                        help="a ready program to compare with; the first runs all rows, others the marked ones")
    parser.add_argument("--all", action="store_true", help="all rows with all peers")
    parser.add_argument("--rows", default="", metavar="REGEX", help="rows whose name matches")
    parser.add_argument("--rounds", type=int, default=5, help="at most: some rows have fewer")
    parser.add_argument("--seconds", type=float, default=10, help="of a usual measurement; some rows take a multiple")
    parser.add_argument("--quick", action="store_true", help="one round of a second: does it work at all?")
    parser.add_argument("--list", action="store_true", help="rows, and how long they take")
    parser.add_argument("--out", type=pathlib.Path, help="default: perf/results/<date>")
    parser.add_argument("--append", action="store_true", help="appends a line to perf/record")
    parser.add_argument("--config", default=CONFIG, metavar="FILE", help="configuration of all programs")
    parser.add_argument("--expect", metavar="FILE", help="configuration to verify by, if another: to see rows fail")
    args = parser.parse_args(argv)
    if args.rounds < 1 or args.seconds <= 0:
        parser.error("rounds and seconds must be above 0")
    if args.append and args.quick:
        parser.error("a quick run is no record")
    try:
        args.subjects = [subjects.Subject(subjects.OURS, str(pathlib.Path(args.binary).resolve())),
                         *map(subjects.parse_peer, args.peer)]
        if not args.list:
            subjects.check(args.subjects)
    except ValueError as error:
        parser.error(str(error))
    args.picked = rows.picked(args.rows)
    if not args.picked:
        parser.error(f"no row matches {args.rows}; see --list")
    return args


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    args = arguments(argv)
    plan = Plan(args.picked, args.subjects, 1 if args.quick else args.rounds, args.seconds, args.quick, args.all)
    if args.list:
        return _list(plan)

    # As with Ctrl-C: every program that was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    usable = machine.cores()
    # On one core they share it; absolute figures say little then.
    program_core, generator_core = usable[0], usable[1 % len(usable)]
    everywhere = set(usable)
    cores = {"apart": {program_core}, "together": {program_core}, "free": everywhere}
    load_before, started = machine.load_average(), datetime.datetime.now(datetime.timezone.utc)
    begun = time.monotonic()
    say = lambda text: print(f"{time.monotonic() - begun:7.0f} s  {text}", file=sys.stderr, flush=True)
    say(f"{len(plan.rows)} rows, about {plan.estimate_seconds() / 60:.0f} minutes; load average {load_before}")

    binary = args.generator or args.subjects[0].path
    generators = {"apart": Generator(binary, {generator_core}), "together": Generator(binary, {program_core}),
                  "free": Generator(binary, everywhere)}
    session = Session(plan, args.config, generators.get, cores.get, say)
    verified = verify(session, plan, generators["free"], args.expect, everywhere)
    say("verified; the timed part begins")
    # The harness itself, and the scraper in it, belong to the generator's side.
    os.sched_setaffinity(0, {generator_core})
    session.run()
    os.sched_setaffinity(0, usable)

    document = result.document(session, {
        "started": started.isoformat(timespec="seconds"), "elapsed_seconds": time.monotonic() - begun,
        "command": machine.command(argv), "machine": machine.describe(usable), **machine.commit(),
        "programs": [subject.describe() for subject in args.subjects], "config": pathlib.Path(args.config).name,
        "cores": {"program": program_core, "generator": generator_core}, "verified": verified,
        "load_before": load_before, "load_after": machine.load_average(), "quick": args.quick,
        "rounds": plan.rounds, "seconds": plan.seconds_of(rows.Row("", "", "", "")),
    })
    out = args.out or machine.ROOT / "perf" / "results" / started.date().isoformat()
    write(document, out)
    say(f"written to {out}")
    if args.append:
        say(f"appended to {record.append(document)}")
    failed = result.failures(document)
    for row, program, reason in failed:
        say(f"FAILED {row}, {program}: {reason}")
    return 1 if failed else 0


def write(document, out):
    """The report, the document it was made of, and the charts."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_text(json.dumps(document, indent=1) + "\n")
    (out / "report.md").write_text(report.markdown(document))
    for section in dict.fromkeys(row["section"] for row in document["rows"]):
        (out / f"{result.slug(section)}.svg").write_text(plot.section(document, section))
    chart = plot.ratios(document)
    if chart:
        (out / "ratios.svg").write_text(chart)


def _list(plan):
    for row in plan.rows:
        metric = METRICS[row.headline]
        who = "all peers" if row.all_peers else ""
        print(f"{row.name:44} {f'{metric.title}, {metric.unit}':28} {plan.rounds_of(row)} x {plan.seconds_of(row):4g} s  {who}")
    print(f"{len(plan.rows)} rows with {len(plan.subjects)} programs: about {plan.estimate_seconds() / 60:.0f} minutes")
    return 0
