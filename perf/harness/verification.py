"""Before anything is timed: each row's load, sent to a fresh program, must give what it implies.

`spanmill generate --verify` compares calls, every bucket, counts and sums of each label set with the
program's configuration in hand. It waits for flushes and times nothing, so rows are checked side by
side; those with many label sets one after the other, for their size.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .errors import Failed, Silent
from .generator import lost
from .programs import Program
from .settling import wanted_label_sets

SIDE_BY_SIDE = 10
MANY_LABEL_SETS = 20_000
SPANS_LEAST = 20_000
SPANS_MOST = 1_000_000
SPANS_A_LABEL_SET = 4
REQUESTS_LEAST = 2
SETTLE = "90s"
# With another configuration than the program's nothing is waited for: it is to fail.
SETTLE_OTHERWISE = "2s"
# There is no load. They are worth nothing of a program that gets no load right.
NOT_VERIFIED = {"idle", "first_reply", "size"}
# More than a program is meant to hold; a few requests of it are checked.
SMALL = {"growth", "overload"}


def load_of(row):
    """What makes two rows send the same bodies; how fast does not.

    Large ones take minutes, so they are checked in one size of request: other rows check the others.
    """
    load = replace(row.load, rate=0, prepared=None)
    if row.measure in SMALL:
        return replace(load, connections=1, prepared=0)
    return replace(load, spans=512, in_flight=1) if wanted_label_sets(load) > MANY_LABEL_SETS else load


def spans_of(load):
    """Enough for a few in each label set, where there is an end of those."""
    least, wanted = max(SPANS_LEAST, REQUESTS_LEAST * load.spans), wanted_label_sets(load)
    return least if wanted > SPANS_MOST else min(SPANS_MOST, max(least, SPANS_A_LABEL_SET * wanted))


def verify(session, plan, generator, expected, cores):
    """Fails the rows of `session` whose load comes out wrong; how many pairs came out right, and of how many."""
    jobs = {}
    for row in plan.rows:
        if row.measure not in NOT_VERIFIED:
            for subject in plan.subjects_of(row):
                jobs.setdefault((subject.name, load_of(row)), (subject, []))[1].append(row)
    # Names of programs of which a pair came out right, once for each; and those that do not answer, and why.
    passed, silent = [], {}

    def fail(subject, rows, reason):
        for row in rows:
            session.cells[row.name][subject.name].fail(f"verification: {reason}")
            session.say(f"{row.name}: {subject.name} FAILED: verification: {reason}")

    def check(job):
        (_, load), (subject, rows) = job
        if subject.name in silent:
            fail(subject, rows, f"not tried, as another load was not answered: {silent[subject.name]}")
            return
        try:
            _check(subject, load, session.config, generator, expected, cores)
            passed.append(subject.name)
        except Exception as error:  # Whatever it is: the other rows are worth keeping.
            reason = str(error) if isinstance(error, Failed) else repr(error)
            if isinstance(error, Silent):
                silent.setdefault(subject.name, reason)
            fail(subject, rows, reason)

    session.say(f"verifying {len(jobs)} pairs of program and load")
    is_large = lambda job: spans_of(job[0][1]) > SPANS_A_LABEL_SET * MANY_LABEL_SETS
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(check, [job for job in jobs.items() if not is_large(job)]))
    for job in filter(is_large, jobs.items()):
        check(job)

    for subject in plan.subjects:
        if subject.name not in passed and any(name == subject.name for name, _ in jobs):
            rows = [row for row in plan.rows if row.measure in NOT_VERIFIED and subject in plan.subjects_of(row)]
            fail(subject, rows, "every load came out wrong")
    return len(passed), len(jobs)


def _check(subject, load, config, generator, expected, cores):
    with Program(subject, config, cores) as program:
        told, settle = (expected, SETTLE_OTHERWISE) if expected else (program.config, SETTLE)
        flags = ["--count", spans_of(load), "--config", told]
        flags += ["--verify", program.scrape_url(), "--verify-settle", settle]
        with generator.running(program, load, *flags) as running:
            report = generator.report(running)
    if not report["acknowledged"]["items"] and not report["refused"]:
        raise Silent("no request was answered")
    problem = lost(report)
    if problem:
        raise Failed(problem)
    verdict = report["verify"]
    if not verdict:
        raise Failed("nothing was verified")
    if verdict["unread"]:
        raise Failed(f"the last scrape could not be read: {verdict['unread']}")
    if not verdict["passed"]:
        raise Failed(f"{verdict['difference_count']} differences, first: {verdict['differences'][0]}")
    if not verdict["spans"] or not verdict["label_sets"]:
        raise Failed("verified nothing")
