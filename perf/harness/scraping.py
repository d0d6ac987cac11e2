"""Scrapes: as cheap as a scraper can be, with or without counting what stands in them.

One that is cut short fails: by its length or its chunks, and when it is counted also by the end of the
compressed stream and of the last line.
"""

import http.client
import re
import threading
import time
import zlib
from dataclasses import dataclass

from .errors import Failed

CHUNK_BYTES = 1 << 20
SCRAPE_SECONDS_MAX = 180
# `acs_traces_span_metrics_calls{...} 12 1700000000000` and `..._duration_count{...} 12 1700000000000`; other
# namespaces, units and suffixes too.
COUNTS = re.compile(rb"^\w*(?:(calls)(?:_total)?|duration\w*_count)\{.*\} ([0-9.eE+]+)(?: -?[0-9.]+)?$", re.M)
TEXT = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@dataclass
class Scrape:
    wire_bytes: int
    seconds: float
    # Only when counted:
    lines: int = 0
    label_sets: int = 0
    calls: int = 0
    # Histograms of durations, and the spans in them.
    histograms: int = 0
    observed: int = 0


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
        if response.length is None and not response.chunked:
            raise Failed("a scrape has neither a length nor chunks: whether it is whole cannot be told")
        stream = zlib.decompressobj(31) if is_gzip else None
        found, rest = Scrape(0, 0.0), b""
        while chunk := response.read(CHUNK_BYTES):
            found.wire_bytes += len(chunk)
            if counted:
                rest = _count(found, rest + (stream.decompress(chunk) if stream else chunk))
        if response.length:
            raise Failed(f"a scrape ended {response.length} bytes short")
        if counted and (rest or stream and not stream.eof):
            raise Failed("a scrape ended within a line or within its compressed stream")
    except (OSError, http.client.HTTPException, zlib.error) as error:
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
        for match in COUNTS.finditer(whole):
            count = int(float(match[2]))
            if match[1]:
                found.label_sets += 1
                found.calls += count
            else:
                found.histograms += 1
                found.observed += count
    return rest


class Scraper:
    """Scrapes at a steady pace in a thread, until the block ends. Keeps the last one and the smallest size."""

    def __init__(self, program, every_seconds, gzip=True, counted=False):
        self.program, self.every, self.gzip, self.counted = program, every_seconds, gzip, counted
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.scrapes, self.failed, self.problem = 0, 0, None
        self.last, self.wire_bytes_min = None, 0

    def _work(self):
        due = time.monotonic()
        while not self.ended.wait(max(0.0, due - time.monotonic())):
            due = max(due + self.every, time.monotonic())
            try:
                self.last = self.program.scrape(gzip=self.gzip, counted=self.counted)
            except Exception as error:  # Whatever it is: a thread that died of it would say nothing.
                self.failed, self.problem = self.failed + 1, self.problem or error
                continue
            size = self.last.wire_bytes
            self.wire_bytes_min = min(self.wire_bytes_min, size) if self.scrapes else size
            self.scrapes += 1

    def check(self):
        """Fails unless there were scrapes and all were answered."""
        if self.failed:
            raise Failed(f"{self.failed} of {self.failed + self.scrapes} scrapes failed, the first one: {self.problem}")
        if not self.scrapes:
            raise Failed("no scrape was answered meanwhile")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
