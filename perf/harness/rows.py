"""The table of rows: what is measured, under which load, and what the design wants of it.

A row names one figure that counts (`headline`); the others of its measurement stand beside it. Rows
of one group share a process for each program, so they must want the same label sets. Figures of the
Collector and goals are those of the design's budget: absolute ones come from another machine of this
kind, so ratios are what counts. To add a row, add a line.
"""

import re
from dataclasses import dataclass


# Program and generator: on a core each, on one core together, or where the kernel puts them.
PLACES = ("apart", "together", "free")


@dataclass(frozen=True)
class Load:
    protocol: str = "grpc"
    compression: str = "none"
    span_bytes: int = 800
    # Spans a request, requests in flight on each connection.
    spans: int = 512
    in_flight: int = 1
    connections: int = 1
    threads: int = 1
    # Spans a second; 0: as fast as the program answers.
    rate: int = 0
    # Values of user.id; label sets are 25 times as many and 20.
    cardinality: int = 0
    prepared: int | None = None


@dataclass(frozen=True)
class Goal:
    """What the design wants of the headline. Every part may be missing."""
    most: float | None = None
    # Times better than the Collector.
    ratio: float | None = None
    # What the design says of the Collector.
    collector: float | None = None
    # At most `factor` times another row's headline of the same program.
    factor: float | None = None
    of: str | None = None


@dataclass(frozen=True)
class Row:
    name: str
    section: str
    # A function of `measure.MEASURES`, and which of its figures counts.
    measure: str
    headline: str
    load: Load = Load()
    goal: Goal = Goal()
    group: str = "spans"
    # Rounds at most; length of a measurement in units of --seconds.
    rounds: int = 5
    times: float = 1.0
    # Of `PLACES`.
    place: str = "apart"
    # Also run with peers after the first.
    all_peers: bool = False
    # Seconds between two scrapes meanwhile; 0: none.
    scrape_every: float = 0.0
    gzip_scrape: bool = False
    note: str = ""


def users_for(label_sets):
    """Values of user.id for about so many label sets of the generator's load without errors."""
    return max(1, round((label_sets - 20) / 25))


def samples(count):
    """The same for about so many samples: calls, 10 buckets, sum and count of each label set."""
    return users_for(count / 13)


def span(protocol, compression, size, spans, most=None, ratio=None, collector=None, in_flight=1, all_peers=False):
    name = f"span/{protocol}/{compression}/{size}B/{spans}" + (f"/{in_flight}-in-flight" if in_flight > 1 else "")
    load = Load(protocol, compression, size, spans, in_flight)
    return Row(name, "CPU a span", "closed", "cpu_ns_a_span", load, Goal(most, ratio, collector), all_peers=all_peers)


def together(protocol, compression, spans):
    return Row(f"span/{protocol}/{compression}/800B/{spans}/one-core", "CPU a span", "closed", "cpu_ns_a_span",
               Load(protocol, compression, spans=spans), group="spans, one core", place="together",
               note="generator on the program's core: nobody wakes another core")


def label_sets(count, cpu, cpu_ratio, cpu_collector, rss, rss_ratio, rss_collector, times=1.0, all_peers=False):
    group, load = f"{count} label sets", Load(cardinality=users_for(count))
    flat = {"factor": 1.5, "of": "label-sets/1000/cpu"} if count == 100_000 else {}
    return [
        Row(f"label-sets/{count}/cpu", "Label sets", "closed", "cpu_ns_a_span", load,
            Goal(cpu, cpu_ratio, cpu_collector, **flat), group, times=times, all_peers=all_peers),
        Row(f"label-sets/{count}/rss", "Label sets", "memory", "rss_mib", load,
            Goal(rss, rss_ratio, rss_collector), group, rounds=1, all_peers=all_peers),
    ]


def flush(count, factor=None, of=None, collector=None):
    load = Load(spans=50, in_flight=8, rate=20_000, cardinality=users_for(count))
    return Row(f"flush/{count}-label-sets", "Latency", "open", "p99_ms", load, Goal(None, None, collector, factor, of),
               f"{count} label sets", rounds=2, times=3.0, note="two flushes of 15 s fall into it; spanmill folds each second")


def scrape(count, gzip, most, ratio, collector, all_peers=False):
    load = Load(cardinality=samples(count))
    return Row(f"scrape/{count}-samples/{'gzip' if gzip else 'text'}", "Scrape", "scrape", "scrape_us_a_line", load,
               Goal(most, ratio, collector), f"{count} samples", times=0.4, all_peers=all_peers, gzip_scrape=gzip)


def ack(count, scraped, collector=None):
    load = Load(spans=50, in_flight=8, rate=20_000, cardinality=samples(count))
    name = f"ack/20000-spans-s/{count}-samples/"
    goal = Goal(None, None, collector, 1.5, name + "unscraped") if scraped else Goal()
    return Row(name + ("scraped" if scraped else "unscraped"), "Latency", "open", "p99_ms", load, goal,
               f"{count} samples", rounds=3, scrape_every=1.0 if scraped else 0.0,
               note="one scrape a second, gzip, as Prometheus asks" if scraped else "")


def saturation(compression, pinned, collector=None, all_peers=False):
    load = Load(compression=compression, in_flight=4, connections=4)
    return Row(f"saturation/grpc/{compression}/{'pinned' if pinned else 'unpinned'}", "Throughput", "closed",
               "spans_a_second", load, Goal(None, None, collector), "spans" if pinned else "spans, unpinned",
               place="apart" if pinned else "free", all_peers=all_peers)


def same_rate(load, name):
    return Row(f"ack/{load.rate}-spans-s/{name}", "Latency", "open", "p99_ms", load, rounds=3)


def half(load, name):
    return Row(f"half-of-saturation/{name}", "Latency", "half", "p99_ms", load, group="", rounds=1, times=6.0,
               note="each program at half of its own saturation")


def alone(name, section, measure, headline, goal=Goal(), load=Load(), rounds=5, times=1.0, all_peers=False, note=""):
    """A measurement that starts programs of its own."""
    return Row(name, section, measure, headline, load, goal, "", rounds, times, all_peers=all_peers, note=note)


ROWS = [
    #    protocol compression bytes spans   goal  ratio  Collector
    span("grpc", "none", 800, 512, 700, 6, 4_170, all_peers=True),
    span("grpc", "none", 800, 50, 800, 7, 5_410),
    span("grpc", "none", 800, 10, 1_100, 8, 8_940, all_peers=True),
    span("grpc", "none", 800, 512, in_flight=8),
    span("grpc", "none", 800, 50, in_flight=8),
    span("grpc", "none", 800, 10, in_flight=8),
    span("grpc", "gzip", 800, 512, 1_100, 7, 8_080),
    span("grpc", "gzip", 800, 50, 1_200, 8, 9_870),
    span("grpc", "gzip", 800, 10, 1_700, 10, 16_700),
    span("http", "none", 800, 512, 450, 10, 4_740),
    span("http", "none", 800, 50, 550, 10, 5_660),
    span("http", "none", 800, 10, 1_000, 10, 9_770),
    span("http", "gzip", 800, 512, 950, 8, 7_470),
    span("http", "gzip", 800, 50, 1_100, 9, 9_410),
    span("http", "gzip", 800, 10, 1_700, 10, 17_500),
    span("grpc", "none", 300, 512, 360, 7, 2_510),
    span("grpc", "none", 1_900, 512, 1_300, 7, 9_140),
    together("grpc", "none", 10),
    together("http", "none", 10),
    saturation("none", pinned=True, all_peers=True),
    saturation("gzip", pinned=True),
    saturation("none", pinned=False, collector=380_000),
    same_rate(Load(in_flight=8, rate=100_000), "grpc/512"),
    half(Load(in_flight=8), "grpc/512"),
    half(Load(spans=50, in_flight=8), "grpc/50"),
    half(Load("http", "gzip", spans=50, connections=4), "http-gzip/50"),
    #           label sets  CPU: goal ratio Collector  RSS: goal ratio Collector
    *label_sets(100, 700, 6, 4_200, 14, 7, 98),
    *label_sets(1_000, 700, 6, 4_600, 15, 7, 103),
    *label_sets(10_000, 750, 7, 5_400, 24, 15, 359),
    # A flush of the Collector falls into each measurement of 15 s.
    *label_sets(100_000, 1_000, 13, 12_900, 120, 30, 3_572, times=1.5),
    flush(1_000),
    flush(100_000, 1.5, "flush/1000-label-sets", 456),
    #      samples  gzip  goal  ratio  Collector, us a line
    scrape(10_000, False, 0.08, 100, 7.9),
    scrape(10_000, True, 0.25, 35, 8.4),
    scrape(100_000, False, 0.08, 100, 8.5),
    scrape(100_000, True, 0.25, 35, 9.02),
    ack(10_000, scraped=False),
    ack(10_000, scraped=True, collector=68),
    ack(100_000, scraped=False),
    ack(100_000, scraped=True, collector=213),
    alone("memory/idle", "Memory", "idle", "rss_mib", Goal(8, 5, 41), all_peers=True),
    alone("memory/20000-spans-s/10000-label-sets", "Memory", "memory_at_rate", "rss_mib", Goal(24, 10, 236),
          Load(spans=50, in_flight=8, rate=20_000, cardinality=users_for(10_000)), rounds=1, times=4.0,
          note="a scrape each 10 s; before, after and peak"),
    alone("memory/new-label-sets", "Memory", "growth", "bytes_a_label_set", Goal(1_024, 14, 14_000),
          Load(span_bytes=300, cardinality=10_000_000), rounds=1,
          note="every span of a server is a new label set; before a scrape may be before a flush"),
    alone("overload/64-connections", "Overload and loss", "overload", "rss_peak_mib", Goal(None, None, 9_000),
          Load("http", spans=20_000, connections=64), rounds=1, note="bodies of 16 MB; killed when memory runs out"),
    alone("loss/sigterm", "Overload and loss", "sigterm", "lost_spans", Goal(0),
          Load(spans=50, in_flight=8, rate=20_000), rounds=3, note="a scrape a second, before and after SIGTERM"),
    alone("start/first-reply", "Start and size", "first_reply", "first_reply_ms", Goal(10, 3, 35)),
    alone("start/binary", "Start and size", "size", "binary_mb", Goal(15, None, 44), rounds=1,
          note="as given; stripped beside it"),
]


def picked(pattern):
    return [row for row in ROWS if re.search(pattern, row.name)]
