"""Before anything is timed: each row's load, sent to a fresh program, must give what it implies.

`spanmill generate --verify` compares calls, every bucket, counts and sums of each label set with the
program's configuration in hand. It waits for flushes and times nothing, so rows are checked side by
side; those with many label sets one after the other, for their size.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .errors import Failed
from .programs import Program
from .settling import wanted_label_sets

SIDE_BY_SIDE = 10
MANY_LABEL_SETS = 20_000
SPANS_LEAST = 20_000
SPANS_MOST = 1_000_000
SPANS_A_LABEL_SET = 4
SETTLE = "90s"
# With another configuration than the program's nothing is waited for: it is to fail.
SETTLE_OTHERWISE = "2s"
# Their loads are checked by what they count themselves, or there is none.
NOT_VERIFIED = {"idle", "first_reply", "size", "growth", "overload"}


def load_of(row):
    """What makes two rows send the same bodies; how fast does not.

    Large ones take minutes, so they are checked in one size of request: other rows check the others.
    """
    load = replace(row.load, rate=0, prepared=None)
    is_large = wanted_label_sets(load) > MANY_LABEL_SETS
    return replace(load, spans=512, in_flight=1) if is_large else load


def verify(session, plan, generator, expected, cores):
    """Fails the rows of `session` whose load comes out wrong."""
    jobs = {}
    for row in plan.rows:
        if row.measure not in NOT_VERIFIED:
            for subject in plan.subjects_of(row):
                jobs.setdefault((subject.name, load_of(row)), (subject, []))[1].append(row)

    def check(job):
        (_, load), (subject, rows) = job
        try:
            _check(subject, load, session.config, generator, expected, cores)
        except (Failed, OSError) as error:
            for row in rows:
                session.cells[row.name][subject.name].fail(f"verification: {error}")
                session.say(f"{row.name}: {subject.name} FAILED: verification: {error}")

    session.say(f"verifying {len(jobs)} pairs of program and load")
    is_large = lambda job: wanted_label_sets(job[0][1]) > MANY_LABEL_SETS
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(check, [job for job in jobs.items() if not is_large(job)]))
    for job in filter(is_large, jobs.items()):
        check(job)
    return len(jobs)


def _check(subject, load, config, generator, expected, cores):
    spans = min(SPANS_MOST, max(SPANS_LEAST, SPANS_A_LABEL_SET * wanted_label_sets(load)))
    with Program(subject, config, cores) as program:
        told, settle = (expected, SETTLE_OTHERWISE) if expected else (program.config, SETTLE)
        flags = ["--count", spans, "--verify", program.scrape_url(), "--verify-settle", settle, "--config", told]
        with generator.running(program, load, *flags) as running:
            report = generator.report(running)
    verdict = report["verify"]
    if not verdict or not verdict["passed"]:
        first = verdict["differences"][0] if verdict and verdict["differences"] else "nothing was verified"
        raise Failed(f"{verdict['difference_count'] if verdict else 'no'} differences, first: {first}")
    if not verdict["spans"] or not verdict["label_sets"]:
        raise Failed("verified nothing")
