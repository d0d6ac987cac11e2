"""A measurement whose scrapes, rate or process are not what they should be has no figure, or says so."""
import contextlib
import threading

import pytest
from harness import lives, measure, process, rows, settling
from harness.errors import Failed
from harness.measure import Turn
from harness.scraping import Scrape, Scraper
from harness.subjects import Subject

WHOLE = Scrape(wire_bytes=100, seconds=0.001, lines=10, label_sets=2, calls=5)
OURS, PEER = Subject("spanmill", "a"), Subject("peer", "b")


@pytest.fixture(autouse=True)
def accounts(monkeypatch):
    """No process is looked at: each measurement used a microsecond and holds 100 MiB."""
    monkeypatch.setattr(process, "cpu_mark", lambda _: None)
    monkeypatch.setattr(process, "cpu_ns_between", lambda *_: 1_000)
    monkeypatch.setattr(process, "memory_mib", lambda _: {"rss_mib": 100.0, "rss_peak_mib": 100.0})


class Program:
    """Answers scrapes from a list, the last one again and again."""
    pid, acknowledged, uncertain, label_sets = 0, 5, 0, None

    def __init__(self, *scrapes):
        self.scrapes, self.was_scraped = list(scrapes), threading.Event()

    def scrape(self, gzip=False, counted=False):
        self.was_scraped.set()
        found = self.scrapes.pop(0) if len(self.scrapes) > 1 else self.scrapes[0]
        if isinstance(found, Exception):
            raise found
        return found

    def must_live(self):
        pass


def share(items):
    return {"items": items, "requests": items}


def report(sent=1_000, is_limit=False, unanswered=0, acknowledged=1_000):
    latency = {"p50": 1.0, "p99": 2.0, "p99.9": 3.0, "max": 4.0}
    return {
        "acknowledged": share(acknowledged), "sent": share(sent), "refused": {}, "unanswered": share(unanswered),
        "unsent": share(0), "items_per_second": 1_000.0, "elapsed_seconds": 1.0, "acknowledgement_ms": latency,
        "generator": {"is_limit": is_limit},
    }


class Generator:
    def __init__(self, says, after=None):
        self.says, self.after = says, after

    def run(self, *_):
        if self.after:
            assert self.after.wait(60)
        return self.says

    @contextlib.contextmanager
    def running(self, *_):
        yield None

    def report(self, *_):
        return self.says


def turn_of(headline, program=None, says=None, subject=OURS, **row):
    row = rows.Row("row", "section", "closed", headline, **row)
    generator = Generator(says or report(), program.was_scraped if row.scrape_every else None)
    return Turn(row, subject, generator, 1.0, program, start=lambda: contextlib.nullcontext(program))


def scraped(*scrapes):
    turn = turn_of("scrape_us_a_line", Program(*scrapes))
    turn.seconds = 0
    return measure.scrape(turn)


def test_scrapes_that_stay_as_they_are_have_figures():
    assert scraped(WHOLE)["scrape_us_a_line"] == 1_000 / 2 / 1e3 / 10


def test_a_timed_scrape_of_another_size_fails():
    for wire_bytes in (0, 89, 111):
        with pytest.raises(Failed, match=f"had {wire_bytes} bytes, the first one 100"):
            scraped(WHOLE, WHOLE, Scrape(wire_bytes, 0.001), WHOLE)


def test_scrapes_that_lose_lines_or_have_none_fail():
    with pytest.raises(Failed, match="9 lines, the first one 10"):
        scraped(WHOLE, WHOLE, WHOLE, Scrape(100, 0.001, lines=9))
    with pytest.raises(Failed, match="empty"):
        scraped(Scrape(100, 0.001))


def test_a_program_that_uses_no_cpu_is_not_the_one_that_works(monkeypatch):
    monkeypatch.setattr(process, "cpu_ns_between", lambda *_: 0)
    with pytest.raises(Failed, match="no CPU"):
        measure.closed(turn_of("cpu_ns_a_span", Program(WHOLE)))
    with pytest.raises(Failed, match="no CPU"):
        scraped(WHOLE)


def test_a_scrape_beside_the_load_that_fails_or_is_short_fails_the_row():
    def beside(*scrapes):
        return measure.open_rate(turn_of("p99_ms", Program(*scrapes), scrape_every=60.0))

    assert beside(WHOLE)["scrapes"] == 1
    with pytest.raises(Failed, match="1 of 1 scrapes failed.*torn"):
        beside(ValueError("torn"))
    with pytest.raises(Failed, match="meanwhile had 20 bytes"):
        beside(Scrape(20, 0.001), WHOLE)


def test_a_scraper_outlives_whatever_a_scrape_does():
    program = Program(ValueError("torn"), Failed("status 503"), WHOLE)
    with Scraper(program, 0.001) as scraper:
        while not scraper.scrapes:
            assert scraper.thread.is_alive()
    assert scraper.failed == 2 and scraper.wire_bytes_min == 100
    with pytest.raises(Failed, match="torn"):
        scraper.check()


def test_a_rate_that_is_not_kept_fails_latencies_and_is_noted_elsewhere():
    load, slow = rows.Load(rate=1_000), report(sent=900)
    with pytest.raises(Failed, match="90 % of the rate"):
        measure.closed(turn_of("p99_ms", Program(WHOLE), slow, load=load))
    turn = turn_of("cpu_ns_a_span", Program(WHOLE), slow, load=load)
    measure.closed(turn)
    assert turn.notes == ["kept up with 90 % of the rate"]
    turn = turn_of("p99_ms", Program(WHOLE), report(sent=990), load=load)
    measure.closed(turn)
    assert turn.notes == []


def test_throughput_that_the_generator_limits_is_a_lower_bound_and_cpu_is_not():
    for headline, limits in (("spans_a_second", ["the generator was the limit"]), ("cpu_ns_a_span", [])):
        turn = turn_of(headline, Program(WHOLE), report(is_limit=True))
        measure.closed(turn)
        assert turn.limits == limits and turn.notes == ["the generator was the limit"]


def test_calls_and_durations_must_both_count_every_span(monkeypatch):
    monkeypatch.setattr(settling, "SETTLE_SECONDS_MAX", 0)
    monkeypatch.setattr(settling, "SETTLE_SECONDS_A_LABEL_SET", 0)
    for scrape in (WHOLE, Scrape(100, 0.001, calls=5, histograms=2, observed=5)):
        assert settling.settle(Program(scrape)) == scrape
    for calls, observed in ((5, 4), (4, 5), (5, 6), (4, 4)):
        with pytest.raises(Failed, match=f"{calls} spans, {observed} in durations, of 5"):
            settling.settle(Program(Scrape(100, 0.001, calls=calls, histograms=2, observed=observed)))


def overloaded(monkeypatch, subject, says, killed_at=None, free_mib=1_000):
    monkeypatch.setattr(process, "available_mib", lambda: free_mib)
    monkeypatch.setattr(lives, "_watch", lambda *_: (killed_at or 50.0, bool(killed_at)))
    program = Program(WHOLE)
    # What was acknowledged is what the scrape shows.
    program.acknowledged = 0
    turn = turn_of("rss_peak_mib", program, says, subject)
    return turn, lambda: lives.overload(turn)


def test_a_program_that_was_killed_has_a_lower_bound_and_ours_fails(monkeypatch):
    turn, run = overloaded(monkeypatch, PEER, report(), killed_at=501.0)
    assert run()["rss_peak_mib"] == 501.0 and turn.limits == ["killed at 501 MiB, still growing"]
    with pytest.raises(Failed, match="killed at 501 MiB"):
        overloaded(monkeypatch, OURS, report(), killed_at=501.0)[1]()


def test_under_overload_ours_answers_every_request_and_stays_small(monkeypatch):
    whole, late = report(acknowledged=5), report(acknowledged=5, unanswered=1)
    assert overloaded(monkeypatch, OURS, whole)[1]()["rss_peak_mib"] == 100.0
    with pytest.raises(Failed, match="1 spans were neither"):
        overloaded(monkeypatch, OURS, late)[1]()
    with pytest.raises(Failed, match="more than half"):
        overloaded(monkeypatch, OURS, whole, free_mib=150)[1]()
    assert overloaded(monkeypatch, PEER, late, free_mib=150)[1]()["rss_peak_mib"] == 100.0


def test_memory_that_does_not_grow_with_label_sets_is_no_measurement(monkeypatch):
    grown = Scrape(100, 0.001, lines=10, label_sets=20_000, calls=5)
    monkeypatch.setattr(process, "rss_mib", lambda _: 100.0)
    with pytest.raises(Failed, match="no more resident"):
        lives.growth(turn_of("bytes_a_label_set", Program(WHOLE, grown)))
    monkeypatch.setattr(process, "rss_mib", lambda _: 90.0)
    assert lives.growth(turn_of("bytes_a_label_set", Program(WHOLE, grown)))["bytes_a_label_set"] > 0
