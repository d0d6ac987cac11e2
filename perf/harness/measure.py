"""Measurements of a program that is running: a row and a program in, figures by name out.

A measurement raises `Failed` instead of returning a figure that is wrong or empty. Those that start
programs of their own are in `lives`. The split of CPU into receive, spanmetrics and the rest is not
measured: it is no figure of a process.
"""

import time
from dataclasses import dataclass, field

from . import process
from .errors import Failed
from .scraping import Scraper

SCRAPES_MIN = 2
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

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)


def closed(turn):
    """As fast as the program answers."""
    return loaded(turn, turn.row.load)


def open_rate(turn):
    """At the row's rate; latencies count from when each request was due. With a scraper if it says so."""
    if not turn.row.scrape_every:
        return loaded(turn, turn.row.load)
    with Scraper(turn.program, turn.row.scrape_every) as scraper:
        figures = loaded(turn, turn.row.load)
    if not scraper.scrapes:
        raise Failed("no scrape was answered meanwhile")
    if scraper.failed:
        raise Failed(f"{scraper.failed} scrapes failed")
    return {**figures, "scrapes": scraper.scrapes}


def loaded(turn, load):
    """What a run under `load` costs the program, and how long answers take."""
    program = turn.program
    before = process.cpu_mark(program.pid)
    report = turn.generator.run(program, load, "--duration", f"{turn.seconds:g}s")
    cpu_ns = process.cpu_ns_between(before, process.cpu_mark(program.pid))
    spans, ack = report["acknowledged"]["items"], report["acknowledgement_ms"]
    if load.rate and report["items_per_second"] < KEPT_UP_SHARE * load.rate:
        turn.note(f"kept up with {100 * report['items_per_second'] / load.rate:.0f} % of the rate")
    if report["generator"]["is_limit"]:
        turn.note("the generator was the limit")
    return {
        "cpu_ns_a_span": cpu_ns / spans,
        "wall_ns_a_span": report["elapsed_seconds"] * 1e9 / spans,
        "spans_a_second": report["items_per_second"],
        "p50_ms": ack["p50"], "p99_ms": ack["p99"], "p99_9_ms": ack["p99.9"], "max_ms": ack["max"],
    }


def scrape(turn):
    """Scrapes one after the other. What stands in one is counted first, outside the timed part."""
    program, gzip = turn.program, turn.row.gzip_scrape
    lines = program.scrape(gzip=gzip, counted=True).lines
    if not lines:
        raise Failed("the scrape is empty")
    before, begun, scrapes = process.cpu_mark(program.pid), time.monotonic(), []
    while len(scrapes) < SCRAPES_MIN or time.monotonic() - begun < turn.seconds:
        scrapes.append(program.scrape(gzip=gzip))
    cpu_ns = process.cpu_ns_between(before, process.cpu_mark(program.pid)) / len(scrapes)
    return {
        "scrape_us_a_line": cpu_ns / 1e3 / lines,
        "scrape_cpu_ms": cpu_ns / 1e6,
        "scrape_wall_ms": sum(one.seconds for one in scrapes) * 1e3 / len(scrapes),
        "scrape_bytes": scrapes[-1].wire_bytes,
        "scrape_lines": lines,
    }


def memory(turn):
    """What is resident after the group's rounds and the scrapes that checked them."""
    return process.memory_mib(turn.program.pid)
