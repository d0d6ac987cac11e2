"""perf/run: flags in, a plan; the plan run and checked; report, charts and record out."""

import argparse
import datetime
import os
import pathlib
import signal
import sys
import time

from . import machine, output, record, result, rows, subjects
from .generator import Generator
from .metrics import METRICS
from .plan import ROUNDS, SECONDS, Plan
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
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="at most: some rows have fewer")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a usual measurement; rows take a multiple")
    parser.add_argument("--quick", action="store_true", help="one round of a second: does it work at all?")
    parser.add_argument("--list", action="store_true", help="rows, and how long they take")
    parser.add_argument("--out", type=pathlib.Path, help="default: perf/results/<date>, or .../quick")
    parser.add_argument("--append", action="store_true", help="appends a line to perf/record; of a whole run only")
    parser.add_argument("--config", default=CONFIG, metavar="FILE", help="configuration of all programs")
    parser.add_argument("--expect", metavar="FILE", help="configuration to verify by, if another: to see rows fail")
    args = parser.parse_args(argv)
    if args.rounds < 1 or args.seconds <= 0:
        parser.error("rounds and seconds must be above 0")
    args.commit = machine.commit()
    unfit = unfit_for_record(args) if args.append else None
    if unfit:
        parser.error(f"no line of the record is made with {unfit}")
    if args.out and not args.list and output.holds_full_run(args.out):
        parser.error(f"{args.out} holds the result of a full run")
    try:
        args.subjects = [subjects.Subject(subjects.OURS, subjects.located(args.binary)),
                         *map(subjects.parse_peer, args.peer)]
        if not args.list:
            subjects.check(args.subjects)
    except ValueError as error:
        parser.error(str(error))
    args.picked = rows.picked(args.rows)
    if not args.picked:
        parser.error(f"no row matches {args.rows}; see --list")
    return args


def unfit_for_record(args):
    """What keeps a run out of the record; None if nothing does. Lines of it are of one kind."""
    kinds = {
        "--quick": args.quick, "--rows": args.rows, "--expect": args.expect,
        f"other rounds than {ROUNDS}": args.rounds != ROUNDS,
        f"other seconds than {SECONDS:g}": args.seconds != SECONDS,
        "changes that are not committed": args.commit["dirty"],
    }
    return next((what for what, is_so in kinds.items() if is_so), None)


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    args = arguments(argv)
    plan = Plan(args.picked, args.subjects, 1 if args.quick else args.rounds, args.seconds, args.quick, args.all)
    if args.list:
        return _list(plan)

    # As with Ctrl-C: every program that was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    usable = machine.cores()
    program_core, generator_core, is_one_core = machine.pair(usable)
    everywhere = set(usable)
    cores = {"apart": {program_core}, "together": {program_core}, "free": everywhere}
    begun, started = time.monotonic(), datetime.datetime.now(datetime.timezone.utc)
    binary = args.generator or args.subjects[0].path
    # Files may be replaced while an hour's run is under way: what is said of them is said of those it began with.
    about = {
        "started": started.isoformat(timespec="seconds"), "command": machine.command(argv),
        "machine": machine.describe(usable), **args.commit,
        "programs": [subject.describe() for subject in args.subjects], "generator_sha256": subjects.sha256(binary),
        "config": pathlib.Path(args.config).name, "config_sha256": subjects.sha256(args.config),
        "cores": {"program": program_core, "generator": generator_core, "siblings": is_one_core},
        "load_before": machine.load_average(), "quick": args.quick, "rounds": plan.rounds,
        "seconds": plan.seconds_of(rows.Row("", "", "", "")),
    }
    say = lambda text: print(f"{time.monotonic() - begun:7.0f} s  {text}", file=sys.stderr, flush=True)
    say(f"{len(plan.rows)} rows, about {plan.estimate_seconds() / 60:.0f} minutes; load average {about['load_before']}")

    generators = {"apart": Generator(binary, {generator_core}), "together": Generator(binary, {program_core}),
                  "free": Generator(binary, everywhere)}
    session = Session(plan, args.config, generators.get, cores.get, say)
    verified, to_verify = verify(session, plan, generators["free"], args.expect, everywhere)
    say(f"verified {verified} of {to_verify} pairs; the timed part begins")
    # The harness itself, and the scraper in it, belong to the generator's side.
    os.sched_setaffinity(0, {generator_core})
    session.run()
    os.sched_setaffinity(0, usable)

    document = result.document(session, {
        **about, "elapsed_seconds": time.monotonic() - begun, "verified": verified, "to_verify": to_verify,
        "load_after": machine.load_average(),
    })
    out = args.out or output.folder_for(document)
    output.write(document, out)
    say(f"written to {out}")
    if args.append:
        say(f"appended to {record.append(document)}")
    failed = result.failures(document)
    for row, program, reason in failed:
        say(f"FAILED {row}, {program}: {reason}")
    return 1 if failed else 0


def _list(plan):
    for row in plan.rows:
        metric = METRICS[row.headline]
        who = "all peers" if row.all_peers else ""
        print(f"{row.name:44} {f'{metric.title}, {metric.unit}':28} {plan.rounds_of(row)} x {plan.seconds_of(row):4g} s  {who}")
    print(f"{len(plan.rows)} rows with {len(plan.subjects)} programs: about {plan.estimate_seconds() / 60:.0f} minutes")
    return 0
