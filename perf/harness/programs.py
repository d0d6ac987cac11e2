"""A running program under a given configuration: on free loopback ports, on given cores, held or going.

Only one program works at a time: the others of a group are stopped (SIGSTOP) while it is measured, so
that no flush, scrape or collection of a neighbour falls into the figure. Signals go to the program's
process group; what is measured is its first process, so that one must be who listens.
"""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

from . import process, scraping
from .errors import Failed, PortTaken, Silent

# As they stand in the guide's configuration; each becomes a port of its own.
ENDPOINTS = {"grpc": "0.0.0.0:4317", "http": "0.0.0.0:4318", "scrape": "0.0.0.0:1234", "zpages": "localhost:55679"}
# Those that are connected to, and measured.
MEASURED = ("grpc", "http", "scrape")
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
# What programs say of a port that is not free, in whatever case. One that says so has ended a moment later.
TAKEN = "address already in use"
TAKEN_SECONDS_MAX = 1.0
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
    """`with Program(...) as program:` starts it; it ends with the block, or when it does not start."""

    def __init__(self, subject, config, cores, wait=True):
        self.subject, self.cores, self.wait_for_start = subject, cores, wait
        self.text = pathlib.Path(config).read_text()
        self.folder = tempfile.TemporaryDirectory(prefix="spanmill-perf-")
        self.config, self.log_path = (pathlib.Path(self.folder.name) / name for name in ("config.yaml", "log"))
        self.log = self.process = None
        # Spans that it said it took, and those of requests without an answer: counted or not.
        self.acknowledged = self.uncertain = 0
        self.label_sets = None

    def __enter__(self):
        try:
            try:
                self._start()
            except PortTaken:
                self._end()
                self._start()
        except BaseException:
            # Also when a signal ends the harness: no program is left behind.
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self._end()
        finally:
            self.folder.cleanup()

    def _start(self):
        self.process, self.ports = None, dict(zip(ENDPOINTS, free_ports(len(ENDPOINTS))))
        self.config.write_text(configured(self.text, self.ports))
        self.log = open(self.log_path, "wb")
        command = [self.subject.path, f"--config={self.config}", *self.subject.arguments]
        env = {**os.environ, **self.subject.env}
        self.started_at = time.perf_counter()
        self.process = process.spawn(command, self.cores, stdout=self.log, stderr=self.log, env=env)
        self.pid = self.process.pid
        if self.wait_for_start:
            for key in MEASURED:
                self.wait_for(self.ports[key])
            self.must_own(*MEASURED)

    def _end(self):
        try:
            if self.process:
                self.stop()
        finally:
            if self.log:
                self.log.close()

    def wait_for(self, port, pause=0.002):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.alive():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(pause)
        raise self._failure(Silent, f"does not start: {self.last_words()}")

    def must_own(self, *keys):
        """Fails when it is not the measured process that listens, but a child of it or a stranger."""
        for key in keys:
            if not process.owns_listener(self.pid, self.ports[key]):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(TAKEN_SECONDS_MAX)
                raise self._failure(Failed, f"not the measured process listens on its {key} port: "
                                            "a wrapper script must `exec` the program")

    def _failure(self, kind, reason):
        return (PortTaken if TAKEN in self._words().lower() else kind)(reason)

    def _words(self):
        return self.log_path.read_text(errors="replace").strip()

    def last_words(self):
        return " / ".join(self._words().splitlines()[-3:])[-600:] or "no word"

    def alive(self):
        return self.process.poll() is None

    def must_live(self):
        if not self.alive():
            raise self._failure(Failed, f"ended with status {self.process.returncode}: {self.last_words()}")

    def hold(self):
        if self.alive():
            self.signal(signal.SIGSTOP)

    def go(self):
        """Lets it go on, and waits until it has nothing left to do; whether that came true in time."""
        self.must_live()
        self.signal(signal.SIGCONT)
        deadline = time.monotonic() + QUIET_SECONDS_MAX
        while time.monotonic() < deadline:
            before, begun = process.cpu_mark(self.pid), time.monotonic()
            time.sleep(0.05)
            used_ns = process.cpu_ns_between(before, process.cpu_mark(self.pid))
            if used_ns < QUIET_SHARE * (time.monotonic() - begun) * 1e9:
                return True
        return False

    def signal(self, number):
        process.signal_group(self.pid, number)

    def terminate(self):
        self.signal(signal.SIGTERM)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGTERM, once more to end the waiting for scrapers, and at last SIGKILL, also to what it left behind."""
        self.signal(signal.SIGCONT)
        for seconds in (0.5, STOP_SECONDS_MAX):
            if self.alive():
                self.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(seconds)
        self.kill()

    def endpoint(self, protocol):
        return f"127.0.0.1:{self.ports['grpc' if protocol == 'grpc' else 'http']}"

    def scrape_url(self):
        return f"http://127.0.0.1:{self.ports['scrape']}/metrics"

    def scrape(self, **more):
        self.must_live()
        return scraping.scrape(self.ports["scrape"], **more)
