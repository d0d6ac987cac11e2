"""Own metrics: what went in is what is counted, discarded or refused, readable at any time."""
import socket

import grpc
import pytest
from exposition import scrape, total
from program import CONFIG, Program, free_ports, until
from spans import Grpc, post, request

ACCEPTED = "otelcol_receiver_accepted_spans"
REFUSED = "otelcol_receiver_refused_spans"
DISCARDED = "spanmill_spanmetrics_discarded_spans_total"
CALLS = "traces_span_metrics_calls_total"


def find(samples, stem):
    """Own counters may carry `_total`, as the reader is configured."""
    names = {name for name, _ in samples}
    return stem if stem in names else stem + "_total"


def test_spans_in_are_counted_or_discarded_with_a_reason():
    with Program() as program, Grpc(program.grpc) as client:
        client.export(request(spans=30))
        client.export(request(spans=4, service=None))
        assert post(program.http, request(spans=6), "gzip")[0] == 200
        with pytest.raises(grpc.RpcError):
            client.export(b"\x0a\xff\xff")
        own, shown = scrape(program.own), scrape(program.prom)
        accepted = find(own, ACCEPTED)
        assert total(own, accepted, transport="grpc", receiver="otlp") == 34
        assert total(own, accepted, transport="http", receiver="otlp") == 6
        assert total(own, DISCARDED, reason="no_service_name") == 4
        assert total(shown, CALLS) == 36
        assert total(own, "spanmill_receiver_refused_requests_total", reason="malformed") == 1
        assert total(own, "spanmill_receiver_bytes_in_flight") == 0
        assert total(own, find(own, "otelcol_process_uptime")) > 0 or total(own, "otelcol_process_uptime_seconds_total") > 0
        assert any(name == "target_info" for name, _ in own)


def test_other_signals_and_encodings_are_refused_counted_and_said_once():
    with Program() as program, Grpc(program.grpc) as client:
        for service in ("metrics.v1.MetricsService", "logs.v1.LogsService"):
            for _ in range(2):
                with pytest.raises(grpc.RpcError) as refused:
                    client.call(f"/opentelemetry.proto.collector.{service}/Export", b"")
                assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert post(program.http, b"", path="/v1/metrics")[0] == 404
        assert post(program.http, b"", path="/v1/logs")[0] == 404
        assert post(program.http, b"{}", kind="application/json")[0] == 415
        own = scrape(program.own)
        assert total(own, "spanmill_receiver_refused_requests_total") == 7
        assert total(own, find(own, ACCEPTED)) == 0
        assert total(scrape(program.prom), CALLS) == 0
        log = program.log()
        assert log.count("MetricsService") <= 1 and log.count("LogsService") <= 1


def test_a_taken_port_for_own_metrics_is_a_warning():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = (*free_ports(3), taken.getsockname()[1])
        with Program(ports=ports) as program, Grpc(program.grpc) as client:
            client.export(request())
            until(lambda: total(scrape(program.prom), CALLS) == 1)
            assert "warn" in program.log() and str(ports[3]) in program.log()


def test_level_none_serves_no_own_metrics():
    ports = free_ports(4)
    config = CONFIG.format(grpc=ports[0], http=ports[1], prom=ports[2], own=ports[3], flush="1s",
                           expiration="5m", timestamps="true", drain="1s")
    start = config.index("    metrics:\n      readers")
    end = config.index("\n", config.index("readers"))
    config = config[:start] + "    metrics: {level: none}" + config[end:]
    with Program(config=config, ports=ports):
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", ports[3]), 1)
