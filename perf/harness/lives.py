"""Measurements that need a program's whole life: start, memory, overload, end."""

import http.client
import os
import signal
import subprocess
import threading
import time
from dataclasses import replace

from . import process, subjects
from .errors import Failed, PortTaken
from .generator import account, lost
from .measure import PREPARED, keep_pace, loaded
from .scraping import Scraper
from .settling import check_label_sets, fill_spans, settle

# A program that is started and left alone has settled by then.
IDLE_SECONDS = 2.0
MEMORY_SCRAPE_SECONDS = 10.0
# Spans of the growth row, of which two thirds make a label set: few enough that the Collector stays below
# the limit at which it collects garbage each second. The first ones warm up what is not a label set.
GROWTH_SPANS = 40_000
WARM_SPANS = 20_000
# A program may take this share of the memory that is free, then it is killed.
MEMORY_SHARE = 0.5
WATCH_SECONDS = 0.05
SCRAPE_SECONDS = 1.0
LOAD_SECONDS_AFTER = 0.5
EXIT_SECONDS_MAX = 120
FIRST_REPLY_SECONDS_MAX = 30


def idle(turn):
    with turn.start() as program:
        time.sleep(min(IDLE_SECONDS, 2 * turn.seconds))
        program.must_live()
        return process.memory_mib(program.pid)


def half(turn):
    """At half of what the program takes when it is pushed."""
    with turn.start() as program:
        running = replace(turn, program=program)
        pushed = replace(running, seconds=max(1.0, turn.seconds / 6))
        rate = loaded(pushed, turn.row.load)["spans_a_second"] / 2
        figures = loaded(running, replace(turn.row.load, rate=round(rate), prepared=PREPARED))
        settle(program)
        return {**figures, "rate": rate}


def memory_at_rate(turn):
    with turn.start() as program:
        every = min(MEMORY_SCRAPE_SECONDS, turn.seconds / 4)
        with Scraper(program, every) as scraper:
            report = turn.generator.run(program, turn.row.load, "--duration", f"{turn.seconds:g}s")
        scraper.check()
        keep_pace(turn, turn.row.load, report)
        before = process.memory_mib(program.pid)
        counted = settle(program)
        if program.acknowledged >= fill_spans(turn.row.load):
            check_label_sets(counted.label_sets, turn.row.load)
        return {**process.memory_mib(program.pid), "rss_before_scrape_mib": before["rss_mib"],
                "label_sets": counted.label_sets}


def growth(turn):
    """What one more label set costs, before and after it was scraped."""
    with turn.start() as program:
        turn.generator.run(program, replace(turn.row.load, cardinality=1), "--count", WARM_SPANS)
        settled = settle(program)
        empty = process.rss_mib(program.pid)
        turn.generator.run(program, turn.row.load, "--count", GROWTH_SPANS, "--prepared", 0)
        unscraped = process.rss_mib(program.pid)
        new = settle(program).label_sets - settled.label_sets
        if new < GROWTH_SPANS / 4:
            raise Failed(f"only {new} new label sets of {GROWTH_SPANS} spans")
        full = process.memory_mib(program.pid)
        if full["rss_mib"] <= empty:
            raise Failed(f"{new} new label sets, and no more resident than the {empty:.1f} MiB before them")
        return {"bytes_a_label_set": (full["rss_mib"] - empty) * 2**20 / new,
                "bytes_a_label_set_unscraped": (unscraped - empty) * 2**20 / new,
                "label_sets": new, **full}


def overload(turn):
    """More than it can hold. Refusing is right; taking a span and not counting it is not.

    Ours must answer every request, and is not to grow as far as a peer may before it is killed.
    """
    is_ours = turn.subject.name == subjects.OURS
    with turn.start() as program:
        limit_mib = process.available_mib() * MEMORY_SHARE
        with turn.generator.running(program, turn.row.load, "--duration", f"{turn.seconds:g}s") as running:
            peak_mib, is_killed = _watch(program, running, limit_mib)
            report = turn.generator.report(running)
        figures = {
            "rss_peak_mib": peak_mib,
            "refused_requests": sum(share["requests"] for share in report["refused"].values()),
            "unanswered_requests": report["unanswered"]["requests"],
            "acknowledged_spans": report["acknowledged"]["items"],
        }
        if is_killed:
            text = f"killed at {peak_mib:.0f} MiB, still growing"
            if is_ours:
                raise Failed(text)
            turn.limit(text)
            return figures
        program.must_live()
        left = sum(report[what]["items"] for what in ("unanswered", "unsent"))
        if is_ours and left:
            raise Failed(f"{left} spans were neither taken nor refused")
        account(program, report)
        if not report["acknowledged"]["items"]:
            raise Failed(f"no span was acknowledged, with a peak of {peak_mib:.0f} MiB")
        settle(program)
        # Between two looks it may have been more.
        peak_mib = process.memory_mib(program.pid)["rss_peak_mib"]
        if is_ours and peak_mib > limit_mib:
            raise Failed(f"a peak of {peak_mib:.0f} MiB is more than half of the memory that was free")
        return {**figures, "rss_peak_mib": peak_mib}


def _watch(program, running, limit_mib):
    """The most that was resident while the generator ran, and whether that had to be ended."""
    peak_mib = 0.0
    while running.poll() is None:
        peak_mib = max(peak_mib, process.rss_mib(program.pid))
        if peak_mib > limit_mib:
            program.kill()
            return peak_mib, True
        time.sleep(WATCH_SECONDS)
    return peak_mib, False


def sigterm(turn):
    """Spans acknowledged, less those that the last scrape before the end showed."""
    # The load outlasts the program.
    flags = ["--duration", f"{turn.seconds + 60:g}s", "--timeout", "5s"]
    with (
        turn.start() as program,
        Scraper(program, SCRAPE_SECONDS, counted=True) as scraper,
        turn.generator.running(program, turn.row.load, *flags) as running,
    ):
        time.sleep(turn.seconds)
        program.must_live()
        # Afterwards nobody answers for long.
        scraper.check()
        if running.poll() is not None:
            raise Failed(lost(turn.generator.report(running)) or "the generator ended early")
        exit_seconds = _end_under_load(program, running)
        report = turn.generator.report(running, interrupt=True)
    shown, acknowledged = scraper.last.calls, report["acknowledged"]["items"]
    if not acknowledged:
        raise Failed("no span was acknowledged")
    if shown > acknowledged + report["unanswered"]["items"]:
        raise Failed(f"shows {shown} of {acknowledged} spans")
    if program.process.returncode:
        turn.note(f"ended with status {program.process.returncode}")
    missing = max(0, acknowledged - shown)
    return {"lost_spans": missing, "lost_percent": 100 * missing / acknowledged, "acknowledged_spans": acknowledged,
            "exit_seconds": exit_seconds}


def _end_under_load(program, running):
    """Ends the program and, when it takes no spans any more, the load; seconds until it was gone."""
    program.terminate()
    asked_at = time.monotonic()
    stopper = threading.Timer(LOAD_SECONDS_AFTER, running.send_signal, [signal.SIGINT])
    stopper.start()
    try:
        program.process.wait(EXIT_SECONDS_MAX)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"did not end within {EXIT_SECONDS_MAX} s of SIGTERM") from error
    finally:
        stopper.join()
    return time.monotonic() - asked_at


def first_reply(turn):
    """From the start of the program to its answer to an empty export."""
    try:
        return _first_reply(turn)
    except PortTaken:
        return _first_reply(turn)


def _first_reply(turn):
    with turn.start(wait=False) as program:
        deadline = program.started_at + FIRST_REPLY_SECONDS_MAX
        while time.perf_counter() < deadline:
            program.must_live()
            connection = http.client.HTTPConnection("127.0.0.1", program.ports["http"], timeout=FIRST_REPLY_SECONDS_MAX)
            try:
                connection.request("POST", "/v1/traces", b"", {"Content-Type": "application/x-protobuf"})
                status = connection.getresponse().status
                took = time.perf_counter() - program.started_at
            except OSError:
                time.sleep(0.0005)
                continue
            finally:
                connection.close()
            if status != 200:
                raise Failed(f"an empty export was answered with status {status}")
            program.must_own("http")
            return {"first_reply_ms": took * 1e3}
        raise Failed("no reply")


def size(turn):
    stripped = subjects.stripped_bytes(turn.subject.path)
    found = {"binary_mb": os.path.getsize(turn.subject.path) / 1e6}
    return {**found, "stripped_mb": stripped / 1e6} if stripped else found
