"""Scrapes are counted right, whole or in pieces, plain or compressed; and a broken one has no number."""
import gzip
import http.server
import threading

import pytest
from harness import rows, scraping
from harness.errors import Failed
from harness.plan import Plan
from harness.session import Session
from harness.subjects import Subject

LINE = 'acs_traces_span_metrics_calls{{route="/a{n}",other="}} 7"}} {n} 1700000000000\n'
TEXT = "# TYPE acs_traces_span_metrics_calls counter\n" + "".join(LINE.format(n=n) for n in range(1, 2001))
TEXT += 'acs_traces_span_metrics_duration_count{route="calls"} 5 1700000000000\n'


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_gzip = self.headers["Accept-Encoding"] == "gzip"
        body = gzip.compress(TEXT.encode()) if is_gzip else TEXT.encode()
        body = body[:len(body) - self.server.lacks]
        self.send_response(self.server.status)
        if self.server.says_length:
            self.send_header("Content-Length", str(len(body) + self.server.owes))
        if is_gzip:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        # What is cut off the text, and what is promised above what is sent.
        serving.status, serving.lacks, serving.owes, serving.says_length = 200, 0, 0, True
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


@pytest.mark.parametrize("is_gzip", [False, True])
@pytest.mark.parametrize("chunk_bytes", [97, 1 << 20])
def test_lines_label_sets_and_calls_are_counted_across_chunks(server, monkeypatch, is_gzip, chunk_bytes):
    monkeypatch.setattr(scraping, "CHUNK_BYTES", chunk_bytes)
    found = scraping.scrape(server.server_port, gzip=is_gzip, counted=True)
    assert (found.lines, found.label_sets, found.calls) == (2001, 2000, sum(range(2001)))
    assert (found.histograms, found.observed) == (1, 5)
    assert (found.wire_bytes < len(TEXT)) == is_gzip


@pytest.mark.parametrize("is_gzip", [False, True])
def test_a_scrape_that_is_cut_short_fails(server, is_gzip):
    server.owes = 10
    for counted in (False, True):
        with pytest.raises(Failed, match="10 bytes short|IncompleteRead"):
            scraping.scrape(server.server_port, gzip=is_gzip, counted=counted)
    server.owes, server.lacks = 0, 10
    with pytest.raises(Failed, match="within a line or within its compressed stream"):
        scraping.scrape(server.server_port, gzip=is_gzip, counted=True)


def test_a_scrape_whose_end_cannot_be_told_fails(server):
    server.says_length = False
    with pytest.raises(Failed, match="neither a length nor chunks"):
        scraping.scrape(server.server_port)


def test_a_scrape_that_is_refused_fails(server):
    server.status = 503
    with pytest.raises(Failed, match="503"):
        scraping.scrape(server.server_port)


def test_whatever_breaks_a_row_fails_that_row_only():
    picked = [row for row in rows.ROWS if row.name in ("start/binary", "start/first-reply")]
    plan = Plan(picked, [Subject("spanmill", "/bin/true"), Subject("peer", "/nowhere/at/all")], rounds=1, quick=True)
    session = Session(plan, "/nowhere/config.yaml", lambda _: None, lambda _: {0}, lambda _: None)
    session.run()
    cells = session.cells["start/binary"]
    assert cells["spanmill"].figures["binary_mb"][0] > 0 and not cells["spanmill"].failed
    assert "FileNotFoundError" in cells["peer"].failed and cells["peer"].figures == {}
    assert {(row, program) for row, program, _ in session.failures()} == {
        ("start/binary", "peer"), ("start/first-reply", "spanmill"), ("start/first-reply", "peer")}
