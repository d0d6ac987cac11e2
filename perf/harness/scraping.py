"""Scrapes: as cheap as a scraper can be, with or without counting what stands in them."""

import http.client
import re
import threading
import time
import zlib
from dataclasses import dataclass

from .errors import Failed

CHUNK_BYTES = 1 << 20
SCRAPE_SECONDS_MAX = 180
# `acs_traces_span_metrics_calls{...} 12 1700000000000`; other namespaces and suffixes too.
CALLS = re.compile(rb"^\w*calls(?:_total)?\{.*\} ([0-9.eE+]+)(?: -?[0-9.]+)?$", re.M)
TEXT = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@dataclass
class Scrape:
    wire_bytes: int
    seconds: float
    # Only when counted:
    lines: int = 0
    label_sets: int = 0
    calls: int = 0


def scrape(port, gzip=False, counted=False):
    """One scrape on a connection of its own."""
    begun = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SCRAPE_SECONDS_MAX)
    try:
        headers = {"Accept": TEXT, "User-Agent": "perf", "Accept-Encoding": "gzip" if gzip else "identity"}
        connection.request("GET", "/metrics", headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise Failed(f"a scrape was answered with status {response.status}")
        is_gzip = response.getheader("Content-Encoding") == "gzip"
        if is_gzip != gzip and gzip:
            raise Failed("asked for gzip, answered without")
        inflate = zlib.decompressobj(31).decompress if is_gzip else bytes
        found, rest = Scrape(0, 0.0), b""
        while chunk := response.read(CHUNK_BYTES):
            found.wire_bytes += len(chunk)
            if counted:
                rest = _count(found, rest + inflate(chunk))
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"a scrape broke: {error!r}") from error
    finally:
        connection.close()
    found.seconds = time.perf_counter() - begun
    return found


def _count(found, text):
    """Counts whole lines and gives back the one that is not whole yet."""
    whole, newline, rest = text.rpartition(b"\n")
    if newline:
        for line in whole.split(b"\n"):
            found.lines += line[:1] not in (b"#", b"")
        for match in CALLS.finditer(whole):
            found.label_sets += 1
            found.calls += int(float(match[1]))
    return rest


class Scraper:
    """Scrapes at a steady pace in a thread, until the block ends. Keeps what the last one said."""

    def __init__(self, program, every_seconds, gzip=True, counted=False):
        self.program, self.every, self.gzip, self.counted = program, every_seconds, gzip, counted
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.scrapes, self.failed, self.last = 0, 0, None

    def _work(self):
        due = time.monotonic()
        while not self.ended.wait(max(0.0, due - time.monotonic())):
            due = max(due + self.every, time.monotonic())
            try:
                self.last = self.program.scrape(gzip=self.gzip, counted=self.counted)
                self.scrapes += 1
            except Failed:
                self.failed += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
