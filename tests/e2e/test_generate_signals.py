"""Metrics, logs and JSON of the generator, judged by programs that are not ours."""
import collections

import pytest
from exposition import scrape, total
from signals import PEER, Peer, VictoriaMetrics, generate, victoria_metrics

NO_VICTORIA_METRICS = "SKIPPED: no VictoriaMetrics of Debian sid; metrics have no second opinion on their decoding"
NO_PEER = "SKIPPED: SPANMILL_PEER names no Collector; metrics, logs, JSON and zstd are not tried on one"

SCENARIO = """
signals: {{{weights}}}
services:
  - name: frontend
    pods: 3
    operations: [{{name: GET /, kind: server}}]
  - name: cart
    pods: 2
    operations: [{{name: GET /cart, kind: server}}]
"""


@pytest.fixture
def scenario(tmp_path):
    def write(weights):
        path = tmp_path / "scenario.yaml"
        path.write_text(SCENARIO.format(weights=weights))
        return str(path)
    return write


def close(one, other):
    return one == pytest.approx(other, rel=1e-9, abs=1e-9)


@pytest.mark.skipif(victoria_metrics() is None, reason=NO_VICTORIA_METRICS)
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_victoria_metrics_stores_what_the_report_says(scenario, compression):
    """Every type and temporality: series, points, last values and sums of deltas."""
    with VictoriaMetrics(victoria_metrics()) as target:
        report = generate(f"http://127.0.0.1:{target.port}/opentelemetry", "--scenario", scenario("metrics: 1"),
                          "--count", "20000", "--compression", compression)
        assert report["acknowledged"]["items"] == 20000, report["refused"]
        stored = collections.defaultdict(list)
        for line in target.export():
            stored[line["metric"]["__name__"]].append(line["values"])

    def held(name, is_delta):
        return sum(sum(values) if is_delta else values[-1] for values in stored[name])

    totals = report["signals"]["metrics"]["totals"]
    assert {row["type"] for row in totals} == {
        "gauge", "sum", "histogram", "exponential_histogram", "summary"}
    for row in totals:
        name, is_delta = row["name"], row["temporality"] == "delta"
        has_count = row["type"] not in ("gauge", "sum")
        value = f"{name}_sum" if has_count else name
        assert len(stored[value]) == row["series"] > 0, row
        assert sum(map(len, stored[value])) == row["points"], row
        assert close(held(value, is_delta), row["sum"]), row
        if has_count:
            assert held(f"{name}_count", is_delta) == row["count"] > 0, row
        if row["type"] == "histogram":
            # Fourteen bounds and infinity.
            assert len(stored[f"{name}_bucket"]) == 15 * row["series"], row


@pytest.mark.skipif(PEER is None, reason=NO_PEER)
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf", "http/json"])
def test_the_collector_takes_every_signal_in_every_form(scenario, protocol, compression):
    with Peer() as peer:
        port = peer.grpc if protocol == "grpc" else peer.http
        report = generate(f"127.0.0.1:{port}", "--scenario", scenario("traces: 1, metrics: 1, logs: 1"),
                          "--count", "9000", "--compression", compression, protocol=protocol)
        own = scrape(peer.own)
        shown = scrape(peer.prom)
    assert report["refused"] == {} and report["unanswered"]["requests"] == 0, report
    for signal, counter in (("traces", "spans"), ("metrics", "metric_points"), ("logs", "log_records")):
        sent = report["signals"][signal]["acknowledged"]["items"]
        assert sent > 0 and total(own, f"otelcol_receiver_accepted_{counter}_total") == sent
        assert total(own, f"otelcol_receiver_refused_{counter}_total") == 0
    records = report["signals"]["logs"]["totals"]
    assert sum(records.values()) == report["signals"]["logs"]["acknowledged"]["items"]

    totals = {row["name"]: row for row in report["signals"]["metrics"]["totals"]}
    for name, metric, value in (
            ("jvm_memory_used_bytes", "jvm.memory.used", "sum"),
            ("process_cpu_time_seconds_total", "process.cpu.time", "sum"),
            # Deltas that follow on each other, which the Collector adds up.
            ("shop_orders_total", "shop.orders", "sum"),
            ("shop_queue_size", "shop.queue.size", "sum"),
            ("http_server_request_duration_seconds_count", "http.server.request.duration", "count"),
            ("http_server_request_duration_seconds_sum", "http.server.request.duration", "sum"),
            ("legacy_request_latency_milliseconds_count", "legacy_request_latency_milliseconds", "count")):
        assert close(total(shown, name), totals[metric][value]), name
