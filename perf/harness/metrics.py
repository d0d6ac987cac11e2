"""What can be measured: the names of figures, their units and which way is better. A table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    title: str
    unit: str
    lower_is_better: bool = True
    # Means nothing when the rate was not kept.
    is_latency: bool = False
    # A goal holds only if every round meets it, not the median.
    every_round: bool = False


METRICS = {
    "cpu_ns_a_span": Metric("CPU a span", "ns"),
    "wall_ns_a_span": Metric("time a span", "ns"),
    "spans_a_second": Metric("throughput", "spans/s", lower_is_better=False),
    "p50_ms": Metric("ack p50", "ms", is_latency=True),
    "p99_ms": Metric("ack p99", "ms", is_latency=True),
    "p99_9_ms": Metric("ack p99.9", "ms", is_latency=True),
    "max_ms": Metric("ack max", "ms", is_latency=True),
    "rate": Metric("rate offered", "spans/s", lower_is_better=False),
    "scrapes": Metric("scrapes meanwhile", "", lower_is_better=False),
    "scrape_us_a_line": Metric("CPU a line", "us"),
    "scrape_cpu_ms": Metric("CPU a scrape", "ms"),
    "scrape_wall_ms": Metric("time a scrape", "ms"),
    "scrape_bytes": Metric("size on the wire", "B"),
    "scrape_lines": Metric("lines", ""),
    "rss_mib": Metric("RSS", "MiB"),
    "rss_before_scrape_mib": Metric("RSS before a scrape", "MiB"),
    "rss_private_mib": Metric("private", "MiB"),
    "rss_peak_mib": Metric("RSS peak", "MiB"),
    "bytes_a_label_set": Metric("RSS a label set", "B"),
    "bytes_a_label_set_unscraped": Metric("RSS a label set before a scrape", "B"),
    "label_sets": Metric("label sets", "", lower_is_better=False),
    "refused_requests": Metric("requests refused", "", lower_is_better=False),
    "unanswered_requests": Metric("requests unanswered", ""),
    "acknowledged_spans": Metric("spans acknowledged", "", lower_is_better=False),
    "lost_spans": Metric("spans lost", "", every_round=True),
    "lost_percent": Metric("spans lost", "%"),
    "exit_seconds": Metric("SIGTERM to exit", "s"),
    "first_reply_ms": Metric("start to first reply", "ms"),
    "binary_mb": Metric("size", "MB"),
    "stripped_mb": Metric("size, stripped", "MB"),
}
