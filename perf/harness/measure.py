"""Measurements of a program that is running: a row and a program in, figures by name out.

A measurement raises `Failed` instead of returning a figure that is wrong or empty. Those that start
programs of their own are in `lives`. The split of CPU into receive, spanmetrics and the rest is not
measured: it is no figure of a process.
"""

import time
from dataclasses import dataclass, field

from . import process
from .errors import Failed
from .metrics import METRICS
from .scraping import Scraper

SCRAPES_MIN = 2
# Scrapes of the same label sets differ in size by no more than this: values become longer.
SIZE_SHARE_MAX = 0.1
# Of the rate; below, latencies are those of a queue that grows.
KEPT_UP_SHARE = 0.95
# Requests made beforehand for a rate at which making them would be the limit.
PREPARED = 64


@dataclass
class Turn:
    """One row with one program, once."""
    row: object
    subject: object
    generator: object
    seconds: float
    # Of a group; None for rows that start their own.
    program: object = None
    start: object = None
    notes: list = field(default_factory=list)
    # Why the headline is no more than a lower bound.
    limits: list = field(default_factory=list)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def limit(self, text):
        """The headline is at least this; it has no ratio and meets no goal."""
        self.note(text)
        self.limits.append(text)


def closed(turn):
    """As fast as the program answers."""
    return loaded(turn, turn.row.load)


def open_rate(turn):
    """At the row's rate; latencies count from when each request was due. With a scraper if it says so."""
    if not turn.row.scrape_every:
        return loaded(turn, turn.row.load)
    with Scraper(turn.program, turn.row.scrape_every) as scraper:
        figures = loaded(turn, turn.row.load)
    scraper.check()
    whole = turn.program.scrape(gzip=True, counted=True)
    if not whole.lines or scraper.wire_bytes_min < (1 - SIZE_SHARE_MAX) * whole.wire_bytes:
        raise Failed(f"a scrape meanwhile had {scraper.wire_bytes_min} bytes, one after it {whole.wire_bytes} bytes "
                     f"and {whole.lines} lines")
    return {**figures, "scrapes": scraper.scrapes}


def loaded(turn, load):
    """What a run under `load` costs the program, and how long answers take."""
    program = turn.program
    before = process.cpu_mark(program.pid)
    report = turn.generator.run(program, load, "--duration", f"{turn.seconds:g}s")
    cpu_ns = used(process.cpu_ns_between(before, process.cpu_mark(program.pid)))
    spans, ack = report["acknowledged"]["items"], report["acknowledgement_ms"]
    keep_pace(turn, load, report)
    if report["generator"]["is_limit"]:
        # What a span costs the program is right all the same.
        say = turn.limit if turn.row.headline == "spans_a_second" else turn.note
        say("the generator was the limit")
    return {
        "cpu_ns_a_span": cpu_ns / spans,
        "wall_ns_a_span": report["elapsed_seconds"] * 1e9 / spans,
        "spans_a_second": report["items_per_second"],
        "p50_ms": ack["p50"], "p99_ms": ack["p99"], "p99_9_ms": ack["p99.9"], "max_ms": ack["max"],
    }


def used(cpu_ns):
    """CPU time under load; nobody works for nothing."""
    if cpu_ns <= 0:
        raise Failed("used no CPU under load: another process does the work")
    return cpu_ns


def keep_pace(turn, load, report):
    """Says what came of the rate; latencies of a load that was not kept up with are none."""
    if not load.rate:
        return
    share = report["sent"]["items"] / (load.rate * turn.seconds)
    if share < KEPT_UP_SHARE:
        text = f"kept up with {100 * share:.0f} % of the rate"
        if METRICS[turn.row.headline].is_latency:
            raise Failed(text)
        turn.note(text)


def scrape(turn):
    """Scrapes one after the other. What stands in one is counted before and after, outside the timed part."""
    program, gzip = turn.program, turn.row.gzip_scrape
    first = program.scrape(gzip=gzip, counted=True)
    if not first.lines:
        raise Failed("the scrape is empty")
    before, begun, scrapes = process.cpu_mark(program.pid), time.monotonic(), []
    while len(scrapes) < SCRAPES_MIN or time.monotonic() - begun < turn.seconds:
        scrapes.append(program.scrape(gzip=gzip))
    cpu_ns = used(process.cpu_ns_between(before, process.cpu_mark(program.pid))) / len(scrapes)
    for one in scrapes:
        if abs(one.wire_bytes - first.wire_bytes) > SIZE_SHARE_MAX * first.wire_bytes:
            raise Failed(f"a scrape had {one.wire_bytes} bytes, the first one {first.wire_bytes}")
    last = program.scrape(gzip=gzip, counted=True)
    if last.lines < first.lines:
        raise Failed(f"the last scrape had {last.lines} lines, the first one {first.lines}")
    return {
        "scrape_us_a_line": cpu_ns / 1e3 / first.lines,
        "scrape_cpu_ms": cpu_ns / 1e6,
        "scrape_wall_ms": sum(one.seconds for one in scrapes) * 1e3 / len(scrapes),
        "scrape_bytes": scrapes[-1].wire_bytes,
        "scrape_lines": first.lines,
    }


def memory(turn):
    """What is resident after the group's rounds and the scrapes that checked them."""
    return process.memory_mib(turn.program.pid)
