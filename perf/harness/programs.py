"""A running program under a given configuration: on free loopback ports, on given cores, held or going.

Only one program works at a time: the others of a group are stopped (SIGSTOP) while it is measured, so
that no flush, scrape or collection of a neighbour falls into the figure.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

from . import process, scraping
from .errors import Failed

# As they stand in the guide's configuration; each becomes a port of its own.
ENDPOINTS = {"grpc": "0.0.0.0:4317", "http": "0.0.0.0:4318", "scrape": "0.0.0.0:1234", "zpages": "localhost:55679"}
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
# After a program went on: what its timers had saved up must not fall into a measurement.
QUIET_SECONDS_MAX = 6
QUIET_SHARE = 0.02


def free_ports(count):
    """Ports nobody listens on now. All are held open together so that no two are the same."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def configured(text, ports):
    """A configuration with the ports put in, and without own metrics: 8888 is one for the whole machine."""
    for key, old in ENDPOINTS.items():
        pattern = rf"(endpoint: *\"?){re.escape(old)}"
        if not re.search(pattern, text):
            raise ValueError(f"the configuration has no endpoint {old}")
        text = re.sub(pattern, rf"\g<1>127.0.0.1:{ports[key]}", text)
    return re.sub(r"^service:$", "service:\n  telemetry: {metrics: {level: none}}", text, flags=re.M)


class Program:
    """`with Program(...) as program:` starts it; it ends with the block."""

    def __init__(self, subject, config, cores, wait=True):
        self.subject, self.cores, self.wait_for_start = subject, cores, wait
        self.ports = dict(zip(ENDPOINTS, free_ports(len(ENDPOINTS))))
        self.folder = tempfile.TemporaryDirectory(prefix="spanmill-perf-")
        self.config = pathlib.Path(self.folder.name) / "config.yaml"
        self.config.write_text(configured(pathlib.Path(config).read_text(), self.ports))
        # Spans that it said it took, and those of requests without an answer: counted or not.
        self.acknowledged = self.uncertain = 0
        self.label_sets = None

    def __enter__(self):
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+b")
        self.started_at = time.perf_counter()
        command = [self.subject.path, f"--config={self.config}", *self.subject.arguments]
        env = {**os.environ, **self.subject.env}
        self.process = process.spawn(command, self.cores, stdout=self.log, stderr=self.log, env=env)
        self.pid = self.process.pid
        if self.wait_for_start:
            for key in ("grpc", "http", "scrape"):
                self.wait_for(self.ports[key])
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.log.close()
            self.folder.cleanup()

    def wait_for(self, port, pause=0.002):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.alive():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(pause)
        raise Failed(f"does not start: {self.last_words()}")

    def last_words(self):
        self.log.flush()
        lines = pathlib.Path(self.log.name).read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:])[-600:] or "no word"

    def alive(self):
        return self.process.poll() is None

    def must_live(self):
        if not self.alive():
            raise Failed(f"ended with status {self.process.returncode}: {self.last_words()}")

    def hold(self):
        if self.alive():
            self.process.send_signal(signal.SIGSTOP)

    def go(self):
        """Lets it go on, and waits until it has nothing left to do."""
        self.must_live()
        self.process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + QUIET_SECONDS_MAX
        while time.monotonic() < deadline:
            before, begun = process.cpu_mark(self.pid), time.monotonic()
            time.sleep(0.05)
            used_ns = process.cpu_ns_between(before, process.cpu_mark(self.pid))
            if used_ns < QUIET_SHARE * (time.monotonic() - begun) * 1e9:
                return

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """SIGTERM, once more to end the waiting for scrapers, and at last SIGKILL."""
        if not self.alive():
            return
        self.process.send_signal(signal.SIGCONT)
        for seconds in (0.5, STOP_SECONDS_MAX):
            self.terminate()
            try:
                self.process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                continue
        self.process.kill()
        self.process.wait()

    def endpoint(self, protocol):
        return f"127.0.0.1:{self.ports['grpc' if protocol == 'grpc' else 'http']}"

    def scrape_url(self):
        return f"http://127.0.0.1:{self.ports['scrape']}/metrics"

    def scrape(self, **more):
        self.must_live()
        return scraping.scrape(self.ports["scrape"], **more)
