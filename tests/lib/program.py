"""Starts the program under test with a configuration and ends it; everything on loopback."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("SPANMILL_BINARY", ROOT / "target/release/spanmill"))
# Long enough that only a program that hangs meets it.
GUARD_SECONDS = 60


def free_ports(count):
    """Ports nobody listens on now. All are held open together so that no two are the same."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def wait_for_port(port, alive, guard=GUARD_SECONDS, host="127.0.0.1"):
    deadline = time.monotonic() + guard
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            if not alive():
                break
            time.sleep(0.01)
    raise AssertionError(f"nothing listens on {port}")


def until(condition, guard=GUARD_SECONDS, every=0.05):
    """Waits until `condition()` is true and returns what it gave; fails when it never is."""
    deadline = time.monotonic() + guard
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"{condition} did not come true in {guard} s"
        time.sleep(every)


CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc}"}}
      http: {{endpoint: "127.0.0.1:{http}"}}
processors:
  resource:
    attributes:
      - {{key: service.instance.id, action: delete}}
      - {{key: process.pid, action: delete}}
connectors:
  spanmetrics:
    metrics_flush_interval: {flush}
    metrics_expiration: {expiration}
    histogram: {{explicit: {{buckets: [1ms, 5ms, 10ms, 50ms, 100ms, 500ms, 1s, 5s, 10s]}}}}
    dimensions:
      - {{name: http.method, default: GET}}
      - {{name: http.route}}
exporters:
  prometheus:
    endpoint: "127.0.0.1:{prom}"
    send_timestamps: {timestamps}
    enable_open_metrics: true
service:
  drain_scrape_wait: {drain}
  telemetry:
    metrics:
      readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {own}}}}}}}}}]
  pipelines:
    traces: {{receivers: [otlp], processors: [resource], exporters: [spanmetrics]}}
    metrics: {{receivers: [spanmetrics], exporters: [prometheus]}}
"""


class Program:
    """One run. `with Program() as program:` starts with a small configuration and ends with SIGTERM."""

    def __init__(self, config=None, args=(), env=None, prefix=(), flush="1s", expiration="5m",
                 timestamps="true", drain="10s", ports=None):
        self.grpc, self.http, self.prom, self.own = ports or free_ports(4)
        self.folder = tempfile.TemporaryDirectory(prefix="spanmill-test-")
        path = Path(self.folder.name) / "config.yaml"
        path.write_text(config or CONFIG.format(
            grpc=self.grpc, http=self.http, prom=self.prom, own=self.own, flush=flush,
            expiration=expiration, timestamps=timestamps, drain=drain))
        self.command = [*prefix, str(BINARY), f"--config={path}", *args]
        self.env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **(env or {})}
        self.process = None

    def start(self, wait=True):
        self.log_file = open(Path(self.folder.name) / "stderr.txt", "w+b")
        self.process = subprocess.Popen(self.command, env=self.env, stdout=self.log_file, stderr=self.log_file)
        if wait:
            for port in (self.grpc, self.http, self.prom):
                wait_for_port(port, self.alive)
        return self

    def alive(self):
        return self.process.poll() is None

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, guard=GUARD_SECONDS):
        return self.process.wait(guard)

    def stop(self):
        """SIGTERM, and once more to end the waiting for scrapers; the exit status."""
        if self.alive():
            self.terminate()
        try:
            try:
                return self.wait(1)
            except subprocess.TimeoutExpired:
                self.terminate()
                return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def log(self):
        self.log_file.flush()
        return Path(self.log_file.name).read_text(errors="replace")

    def rss_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def thread_names(self):
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sorted((task / "comm").read_text().strip() for task in tasks.iterdir())

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            status = self.stop()
            if kind is None:
                assert status == 0, f"exit status {status}\n{self.log()}"
        finally:
            self.log_file.close()
            self.folder.cleanup()
