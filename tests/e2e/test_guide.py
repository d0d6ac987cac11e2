"""The guide's scrape configuration, byte for byte, with real SDKs in front and a scrape behind."""
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from exposition import OPENMETRICS, get, scrape, total
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode
from program import ROOT, Program
from spans import post

GUIDE = ROOT / "tests/golden/guide/scrape.yaml"
NODE = ROOT / "tests/sdk/node"
PORTS = (4317, 4318, 1234, 8888)
CALLS = "acs_traces_span_metrics_calls"
DURATION = "acs_traces_span_metrics_duration"
# The scope and the constant label are on every series of the guide's configuration.
COMMON = {"label1": "value1", "otel_scope_name": "spanmetricsconnector", "otel_scope_schema_url": "", "otel_scope_version": ""}


@pytest.fixture(scope="module")
def guide():
    for port in (*PORTS, 55679):
        try:
            socket.create_server(("0.0.0.0", port)).close()
        except OSError:
            pytest.skip(f"port {port} of the guide is taken on this machine")
    started = time.monotonic()
    with Program(config=GUIDE.read_text(), ports=PORTS) as program:
        print(f"the guide's file serves {1000 * (time.monotonic() - started):.0f} ms after the start")
        yield program


def send_spans(exporter, service):
    """One server span of 3 ms with the guide's attributes, one failed client span of 700 ms with an event."""
    provider = TracerProvider(resource=Resource.create(
        {"service.name": service, "service.instance.id": "i-1", "process.pid": 4711, "host.name": "node-1"}))
    results = []

    class Watched:
        def export(self, spans):
            results.append(exporter.export(spans))
            return results[-1]

        def __getattr__(self, name):
            return getattr(exporter, name)

    provider.add_span_processor(SimpleSpanProcessor(Watched()))
    tracer = provider.get_tracer("test")
    start = time.time_ns()
    span = tracer.start_span("GET /cart", kind=SpanKind.SERVER, start_time=start, attributes={
        "http.method": "GET", "http.response.status_code": 200, "http.route": "/cart", "user.id": "u-1", "other": "x" * 50})
    span.end(start + 3_000_000)
    span = tracer.start_span("charge", kind=SpanKind.CLIENT, start_time=start)
    span.add_event("retry", {"attempt": 1})
    span.set_status(Status(StatusCode.ERROR))
    span.end(start + 700_000_000)
    provider.shutdown()
    assert results == [SpanExportResult.SUCCESS] * 2


def check_spans(port, service, extra):
    samples = scrape(port)
    ours = {(name, labels): value for (name, labels), value in samples.items() if ("service_name", service) in labels}
    server = COMMON | extra | {
        "job": service, "service_name": service, "span_name": "GET /cart", "span_kind": "SPAN_KIND_SERVER",
        "status_code": "STATUS_CODE_UNSET", "http_method": "GET", "http_response_status_code": "200",
        "http_route": "/cart", "user_id": "u-1"}
    client = COMMON | extra | {
        "job": service, "service_name": service, "span_name": "charge", "span_kind": "SPAN_KIND_CLIENT",
        "status_code": "STATUS_CODE_ERROR", "http_method": "GET"}
    wanted = {(f"acs_traces_span_metrics_events", frozenset((client | {"default": "GET"}).items())): 1}
    for labels, millis in ((server, 3), (client, 700)):
        wanted[CALLS, frozenset(labels.items())] = 1
        wanted[DURATION + "_count", frozenset(labels.items())] = 1
        wanted[DURATION + "_sum", frozenset(labels.items())] = millis
        # The guide's bare bounds are seconds; the unit is milliseconds.
        for bound in (1, 5, 10, 50, 100, 500, 1000, 5000, 10000, "+Inf"):
            text = {1000: "1000", 5000: "5000", 10000: "10000"}.get(bound, str(bound))
            text = text if bound == "+Inf" else str(float(bound))
            labels_le = frozenset((labels | {"le": text}).items())
            wanted[DURATION + "_bucket", labels_le] = int(bound == "+Inf" or millis <= bound)

    def normal(samples):
        return {(name, frozenset((key, str(float(value)) if key == "le" and value != "+Inf" else value)
                                 for key, value in labels)): value for (name, labels), value in samples.items()}

    assert normal(ours) == normal(wanted)


PYTHON_SDK = {"telemetry_sdk_language": "python", "host_name": "node-1"}


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_python_sdk(guide, protocol, compression):
    service = f"python-{protocol}-{compression}"
    if protocol == "grpc":
        import grpc
        exporter = GrpcExporter(endpoint="127.0.0.1:4317", insecure=True,
                                compression=grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression)
    else:
        exporter = HttpExporter(endpoint="http://127.0.0.1:4318/v1/traces",
                                compression=Compression.Gzip if compression == "gzip" else Compression.NoCompression)
    send_spans(exporter, service)
    check_spans(1234, service, PYTHON_SDK)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_javascript_sdk(guide, protocol, compression):
    if not shutil.which("node") or not (NODE / "node_modules").exists():
        pytest.skip("node or its packages are not on this machine")
    service = f"javascript-{protocol}-{compression}"
    done = subprocess.run(["node", "send.mjs", protocol, compression, service], cwd=NODE,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout) == {"failed": 0, "succeeded": 2}
    check_spans(1234, service, {"telemetry_sdk_language": "nodejs", "host_name": "node-1"})


def test_what_comes_later_is_said_once_each_at_the_start(guide):
    log = guide.log()
    for component in ("exporters.debug", "logs from the receiver", "metrics from the receiver"):
        assert log.count(component) == 1, component
    assert "otel-config" in log or "config.yaml:" in log, "the line of the bounds is named"


def test_formats_by_accept(guide):
    status, headers, body = get(1234, accept=OPENMETRICS)
    assert status == 200 and headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith("# EOF\n") and headers.get("Content-Encoding") == "gzip"
    status, headers, body = get(1234, headers={"Accept-Encoding": "identity"})
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4") and "Content-Encoding" not in headers
    assert get(1234, "/")[0] == 404


def test_zpages_and_own_metrics_listen(guide):
    status, headers, body = get(55679, "/debug/servicez", accept="text/html")
    assert status == 200 and "html" in headers["Content-Type"]
    assert total(scrape(8888), "otelcol_receiver_accepted_spans") > 0


def test_other_signals_are_never_acknowledged(guide):
    assert post(4318, b"", path="/v1/metrics")[0] == 404
    assert post(4318, b"", path="/v1/logs")[0] == 404
    assert post(4318, b"{}", kind="application/json")[0] == 415
