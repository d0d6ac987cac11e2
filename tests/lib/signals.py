"""Real targets of metrics and logs, and runs of the generator against them."""
import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from program import BINARY, ROOT, free_ports, wait_for_port

# A Collector to compare with; the tests that want one are skipped without.
PEER = os.environ.get("SPANMILL_PEER")


def victoria_metrics():
    """The path of a VictoriaMetrics that takes OTLP, or nothing."""
    path = Path(os.environ.get("SPANMILL_VICTORIA_METRICS", ROOT / "build/victoria-metrics/usr/bin/victoria-metrics"))
    return str(path) if path.exists() else None


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


class Server:
    """One run of a program that listens; its log is shown when it ends early."""

    def __init__(self, command, ports):
        self.command, self.ports = command, ports
        self.folder = tempfile.TemporaryDirectory(prefix="spanmill-target-")

    def __enter__(self):
        self.log = open(Path(self.folder.name) / "log.txt", "w+b")
        self.process = subprocess.Popen(self.command, cwd=self.folder.name, stdout=self.log, stderr=self.log)
        try:
            for port in self.ports:
                wait_for_port(port, lambda: self.process.poll() is None)
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
        self.folder.cleanup()


class VictoriaMetrics(Server):
    def __init__(self, binary):
        self.port = free_ports(1)[0]
        super().__init__([binary, "-storageDataPath=data", f"-httpListenAddr=127.0.0.1:{self.port}",
                          "-retentionPeriod=1d"], [self.port])

    def export(self):
        """[{metric, values, timestamps}] of all that is stored."""
        get(f"http://127.0.0.1:{self.port}/internal/force_flush")
        query = urllib.parse.urlencode({"match[]": "{__name__!=''}"})
        lines = get(f"http://127.0.0.1:{self.port}/api/v1/export?{query}").splitlines()
        return [json.loads(line) for line in lines]


PEER_CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc}"}}
      http: {{endpoint: "127.0.0.1:{http}"}}
exporters:
  debug: {{}}
  prometheus: {{endpoint: "127.0.0.1:{prom}", metric_expiration: 1h}}
service:
  telemetry:
    metrics:
      readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {own}}}}}}}}}]
  pipelines:
    traces: {{receivers: [otlp], exporters: [debug]}}
    metrics: {{receivers: [otlp], exporters: [prometheus]}}
    logs: {{receivers: [otlp], exporters: [debug]}}
"""


class Peer(Server):
    def __init__(self):
        self.grpc, self.http, self.prom, self.own = free_ports(4)
        super().__init__([shutil.which(PEER) or PEER, "--config=config.yaml"],
                         [self.grpc, self.http, self.prom, self.own])
        (Path(self.folder.name) / "config.yaml").write_text(PEER_CONFIG.format(
            grpc=self.grpc, http=self.http, prom=self.prom, own=self.own))


def generate(endpoint, *more, protocol="http/protobuf"):
    """The JSON report of a run."""
    done = subprocess.run(
        [BINARY, "generate", "--endpoint", endpoint, "--protocol", protocol, "--quiet", "--report", "json", *more],
        capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
