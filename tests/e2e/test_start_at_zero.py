"""First increments are visible: what a real Prometheus stored adds up to the spans that were sent."""
import http.server
import socket
import struct
import threading

import pytest
from exposition import scrape, total
from program import Program, free_ports, until
from prometheus import Prometheus, versions
from spans import Grpc, request

CALLS = "traces_span_metrics_calls_total"
DURATION = "traces_span_metrics_duration_milliseconds"
# Every test span takes 3 ms.
BUCKETS_BELOW = {"1"}
BUCKETS_ABOVE = {"5", "10", "50", "100", "500", "1000", "5000", "10000", "+Inf"}
MISHAPS = ("prometheus_target_scrapes_sample_out_of_order_total",
           "prometheus_target_scrapes_sample_duplicate_timestamp_total",
           "prometheus_target_scrapes_sample_out_of_bounds_total")

if not versions():
    pytest.skip("no Prometheus server on this machine", allow_module_level=True)


@pytest.fixture(params=sorted(versions()))
def server(request):
    return versions()[request.param]


def increases(samples):
    """What a series of stored samples grew by; a fall is a counter that began anew at zero."""
    grown, last = 0.0, None
    for _, value in samples:
        if last is not None:
            grown += value - last if value >= last else value
        last = value
    return grown


def grown(prometheus, selector):
    return sum(increases(samples) for _, samples in prometheus.raw(selector))


def bound(text):
    return "+Inf" if text == "+Inf" else f"{float(text):g}"


def problems(prometheus, job, spans):
    """Where the sum of differences is not `spans`."""
    found = {"calls": grown(prometheus, f'{CALLS}{{job="{job}"}}'),
             "count": grown(prometheus, f'{DURATION}_count{{job="{job}"}}')}
    for labels, samples in prometheus.raw(f'{DURATION}_bucket{{job="{job}"}}'):
        key = bound(labels["le"])
        found[key] = found.get(key, 0) + increases(samples)
    wanted = {"calls": spans, "count": spans, **dict.fromkeys(BUCKETS_ABOVE, spans), **dict.fromkeys(BUCKETS_BELOW, 0)}
    return {key: (found.get(key), wanted[key]) for key in wanted if found.get(key) != wanted[key]}


def expect(prometheus, job, spans, guard=60):
    until(lambda: not problems(prometheus, job, spans) or None, guard, 0.3)


def check_server(prometheus):
    for name in MISHAPS:
        assert prometheus.own(name) == 0, name
    for target in prometheus.targets():
        assert target["lastError"] == "" or "refused" in target["lastError"], target["lastError"]


def scrapes_of(prometheus, job):
    return sum(value for _, samples in prometheus.raw(f'up{{job="{job}"}}') for _, value in samples)


@pytest.mark.parametrize("timestamps", ["true", "false"])
def test_differences_add_up_for_scrapers_of_any_pace(server, timestamps):
    # The exported series have a `job` label of their own, from service.name; Prometheus keeps the
    # target's and renames ours to exported_job.
    program = Program(timestamps=timestamps).start()
    jobs = [("fast", program.prom, "2s", "/metrics"), ("slow", program.prom, "7s", "/metrics"),
            ("one", program.prom, "3s", "/metrics?view=one"), ("two", program.prom, "3s", "/metrics?view=two")]
    sent = 0
    try:
        with Grpc(program.grpc) as client, Prometheus(server, jobs) as prometheus:
            for name, _, _, _ in jobs:
                until(lambda: scrapes_of(prometheus, name) >= 1, 90, 0.2)
            for step in range(5):
                for name in ("old", f"new-{step}"):
                    client.export(request(spans=3, name=name))
                    sent += 3
                before = scrapes_of(prometheus, "fast")
                until(lambda: scrapes_of(prometheus, "fast") > before, 30, 0.2)
            for name, _, _, _ in jobs:
                expect(prometheus, name, sent)
            # Births in the last interval: the program waits for each scraper once more.
            client.export(request(spans=7, name="last-words"))
            sent += 7
            program.terminate()
            assert program.wait() == 0, program.log()
            for name, _, _, _ in jobs:
                expect(prometheus, name, sent)
            check_server(prometheus)
    finally:
        program.stop()


def test_expiry_and_rebirth_go_on_from_zero(server):
    with Program(flush="1s", expiration="3s") as program, Grpc(program.grpc) as client, \
            Prometheus(server, [("job", program.prom, "2s", "/metrics")]) as prometheus:
        until(lambda: scrapes_of(prometheus, "job") >= 1, 60, 0.2)
        sent = 0
        for _ in range(3):
            client.export(request(spans=5, name="comes-and-goes"))
            sent += 5
            expect(prometheus, "job", sent)
            until(lambda: total(scrape(program.prom), CALLS) == 0, 30, 0.2)
        check_server(prometheus)


def test_a_restart_loses_no_increment(server):
    first = Program().start()
    ports = (first.grpc, first.http, first.prom, first.own)
    with Prometheus(server, [("job", first.prom, "2s", "/metrics")]) as prometheus:
        until(lambda: scrapes_of(prometheus, "job") >= 1, 60, 0.2)
        with Grpc(first.grpc) as client:
            client.export(request(spans=11))
        expect(prometheus, "job", 11)
        assert first.stop() == 0, first.log()
        with Program(ports=ports) as second, Grpc(second.grpc) as client:
            client.export(request(spans=13))
            expect(prometheus, "job", 24)
            client.export(request(spans=2))
            expect(prometheus, "job", 26)
            check_server(prometheus)


def recorded_request(server):
    """The bytes of a scrape request as this server sends it."""
    seen, arrived = [], threading.Event()

    class Recorder(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append([(name, value) for name, value in self.headers.items() if name.lower() != "host"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            arrived.set()

        def log_message(self, *_):
            pass

    recorder = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    try:
        with Prometheus(server, [("job", recorder.server_port, "2s", "/metrics")]):
            assert arrived.wait(60)
    finally:
        recorder.shutdown()
        recorder.server_close()
    return seen[0]


def test_a_scrape_cut_in_the_middle_shows_nothing(server):
    headers = recorded_request(server)
    series = 4000
    with Program() as program, Grpc(program.grpc) as client:
        for start in range(0, series, 200):
            body = b"".join(request(name=f"operation-{start + step}") for step in range(200))
            client.export(body)
        # A scraper that Prometheus's job cannot be told from, which goes away after the first bytes.
        cut = socket.socket()
        cut.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        cut.connect(("127.0.0.1", program.prom))
        lines = [f"GET /metrics HTTP/1.1", f"Host: 127.0.0.1:{program.prom}",
                 *(f"{name}: {value}" for name, value in headers if name.lower() != "accept-encoding"), "", ""]
        cut.sendall("\r\n".join(lines).encode())
        assert cut.recv(1000).startswith(b"HTTP/1.1 200")
        cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        cut.close()
        with Prometheus(server, [("job", program.prom, "2s", "/metrics")]) as prometheus:
            expect(prometheus, "job", series)
            check_server(prometheus)
