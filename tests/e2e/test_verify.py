"""`spanmill generate --verify` against real servers: a Prometheus or VictoriaMetrics that scrapes the
target, and a Collector in its place."""
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from program import BINARY, Program, free_ports, wait_for_port
from prometheus import Prometheus, VictoriaMetrics, versions

LOAD = ("--count", "20000", "--spans-per-request", "100", "--cardinality", "20", "--error-share", "0.1", "--seed", "7")
PEER = os.environ.get("SPANMILL_PEER")


def generate(grpc, url, config, *more):
    return subprocess.run(
        [BINARY, "generate", "--endpoint", f"127.0.0.1:{grpc}", "--verify", url, "--config", str(config), "--quiet", *more],
        capture_output=True, text=True, timeout=180)


def said(done):
    return done.stdout + done.stderr


def config_of(program):
    return Path(program.folder.name) / "config.yaml"


def servers():
    found = [(f"prometheus-{name}", Prometheus, path) for name, path in versions().items()]
    victoria = VictoriaMetrics.find()
    if victoria:
        found.append(("victoria-metrics", VictoriaMetrics, victoria))
    return found


@pytest.fixture(params=servers(), ids=lambda server: server[0])
def server(request):
    return request.param[1:]


@pytest.mark.parametrize("honor_labels", [False, True])
def test_a_server_in_between_shows_what_was_sent(server, honor_labels):
    kind, binary = server
    with Program() as program, kind(binary, [("of-scrape", program.prom, "1s", "/metrics")],
                                    {"honor_labels": honor_labels}) as between:
        between.wait_for_scrapes("of-scrape", 1)
        url = f"http://127.0.0.1:{between.port}"
        for _ in range(2):
            done = generate(program.grpc, url, config_of(program), *LOAD)
            assert done.returncode == 0, said(done)
        # Nothing new is sent on this run's account, so what a second sender adds is surplus.
        wrong = generate(program.grpc, url, config_of(program), *LOAD, "--verify-settle", "3s", "--verify-ignore-label", "span_kind")
        assert wrong.returncode == 0, said(wrong)


def test_replicas_are_added_up(server):
    kind, binary = server
    with Program() as one, Program() as other:
        jobs = [("replicas", program.prom, "1s", "/metrics") for program in (one, other)]
        jobs = [(f"{name}-{at}", *rest) for at, (name, *rest) in enumerate(jobs)]
        with kind(binary, jobs) as between:
            for name, *_ in jobs:
                between.wait_for_scrapes(name, 1)
            url = f"http://127.0.0.1:{between.port}"
            first = generate(one.grpc, url, config_of(one), *LOAD, "--verify-sum")
            assert first.returncode == 0, said(first)
            second = generate(other.grpc, url, config_of(one), *LOAD, "--verify-sum")
            assert second.returncode == 0, said(second)
            refused = generate(other.grpc, url, config_of(one), *LOAD)
            assert refused.returncode == 1 and "stands twice" in said(refused), said(refused)
            alone = generate(other.grpc, url, config_of(one), *LOAD, "--verify-matcher", 'job="replicas-1"')
            assert alone.returncode == 0, said(alone)


def test_a_wrong_expectation_is_told_with_what_is_there(server):
    kind, binary = server
    with Program() as program, kind(binary, [("of-scrape", program.prom, "1s", "/metrics")]) as between:
        between.wait_for_scrapes("of-scrape", 1)
        wrong = config_of(program).read_text().replace("- {name: http.route}", "- {name: user.id}")
        path = Path(program.folder.name) / "wrong.yaml"
        path.write_text(wrong)
        done = generate(program.grpc, f"http://127.0.0.1:{between.port}", path, *LOAD, "--verify-settle", "15s",
                        "--report", "json")
        assert done.returncode == 1, said(done)
        verify = json.loads(done.stdout)["verify"]
        assert {"missing", "surplus"} <= {group["kind"] for group in verify["groups"]}, verify


def test_a_target_that_is_started_anew_is_told_as_such():
    with Program() as program:
        url = f"http://127.0.0.1:{program.prom}/metrics"
        config = config_of(program)
        assert generate(program.grpc, url, config, *LOAD).returncode == 0
        args = [BINARY, "generate", "--endpoint", f"127.0.0.1:{program.grpc}", "--verify", url, "--config", str(config),
                "--quiet", "--seed", "7", "--rate", "2000", "--duration", "4s", "--verify-settle", "5s"]
        with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
            program_counts(program)
            program.stop()
            program.log_file.close()
            program.start()
            out, _ = running.communicate(timeout=120)
        assert running.returncode == 1 and "started anew" in out, out


def program_counts(program):
    """Until the run has begun: the second reading of the exposition shows more than the first."""
    from exposition import scrape, total
    first = total(scrape(program.prom), "traces_span_metrics_calls_total")
    while total(scrape(program.prom), "traces_span_metrics_calls_total") <= first:
        time.sleep(0.05)


# Keys -> what stands in the file. Bounds have units: bare ones are nanoseconds to a Collector.
PLAIN = {
    "connector": "",
    "exporter": "",
    "resource": "[{key: service.instance.id, action: delete}, {key: process.pid, action: delete}]",
    "pipelines": "",
    "behind": "",
}
CONFIGURATIONS = {
    "defaults": {},
    "seconds, suffixes, resources, events": {
        "connector": """
    namespace: red
    histogram: {unit: s, explicit: {buckets: [1ms, 5ms, 25ms, 100ms, 1s]}}
    dimensions: [{name: http.method, default: GET}, {name: http.response.status_code}, {name: user.id}, {name: host.name}]
    exclude_dimensions: [span.kind]
    events: {enabled: true, dimensions: [{name: exception.type, default: none}, {name: cache.tier}]}""",
        "exporter": """
    namespace: acs
    const_labels: {label1: value1, data-mode: x}
    resource_to_telemetry_conversion: {enabled: true}""",
    },
    "no suffixes, no histogram": {
        "connector": "\n    histogram: {disable: true}",
        "exporter": "\n    namespace: 9-x\n    add_metric_suffixes: false\n    enable_open_metrics: true",
    },
    "actions before and behind": {
        "connector": "\n    dimensions: [{name: tier}, {name: replicas}, {name: zone}]",
        "exporter": "\n    resource_to_telemetry_conversion: {enabled: true}",
        "resource": """
      - {pattern: ^process, action: delete}
      - {key: service.instance.id, action: delete}
      - {key: instance, action: delete}
      - {key: tier, value: web, action: insert}
      - {key: replicas, value: 3, action: upsert}
      - {key: zone, from_attribute: host.name, action: upsert}
      - {key: nothing, value: x, action: update}""",
        "behind": "processors: [resource/behind], ",
    },
    "two connectors": {
        "pipelines": ", spanmetrics/2",
    },
}
FILE = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{grpc}"}}}}}}
processors:
  resource:
    attributes: {resource}
  resource/behind:
    attributes: [{{key: service.namespace, value: behind, action: upsert}}, {{key: host.arch, action: delete}}]
connectors:
  spanmetrics:
    metrics_flush_interval: 1s{connector}
  spanmetrics/2:
    metrics_flush_interval: 1s
    namespace: other
    histogram: {{explicit: {{buckets: [2ms, 7ms]}}}}
exporters:
  prometheus:
    endpoint: "127.0.0.1:{prom}"{exporter}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [resource], exporters: [spanmetrics{pipelines}]}}
    metrics: {{receivers: [spanmetrics{pipelines}], {behind}exporters: [prometheus]}}
"""


@pytest.fixture(params=["spanmill", "peer"])
def binary(request):
    if request.param == "spanmill":
        return str(BINARY)
    if not PEER:
        pytest.skip("LOUD: no Collector is compared with; SPANMILL_PEER names no binary")
    return PEER


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_file_says_what_a_collector_and_spanmill_show(binary, name):
    grpc, prom = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="spanmill-verify-") as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(FILE.format(grpc=grpc, prom=prom, **{**PLAIN, **CONFIGURATIONS[name]}))
        with open(Path(folder) / "log.txt", "w+") as log, \
                subprocess.Popen([binary, f"--config={config}"], stdout=log, stderr=log) as process:
            try:
                for port in (grpc, prom):
                    wait_for_port(port, lambda: process.poll() is None)
                for _ in range(2):
                    done = generate(grpc, f"http://127.0.0.1:{prom}/metrics", config, *LOAD, "--verify-settle", "20s")
                    assert done.returncode == 0, said(done) + Path(log.name).read_text()[-3000:]
            finally:
                process.kill()
