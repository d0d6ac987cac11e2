"""Clients that speak HTTP in their own way: every span that they are told is in counts, once."""
import gzip
import socket

import pytest
from exposition import OPENMETRICS, TEXT, scrape, total
from program import Program
from spans import request

CALLS = "traces_span_metrics_calls_total"
BODY = request(spans=2)
CLOSE = b"Connection: close\r\n"


@pytest.fixture(scope="module")
def program():
    with Program() as program:
        yield program


def talk(port, *pieces):
    """Sends the pieces one by one and reads until the server closes."""
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
        answer = b""
        while part := client.recv(65536):
            answer += part
    return answer


def head(*fields, version=b"1.1", length=len(BODY), path=b"/v1/traces"):
    first = b"POST %s HTTP/%s\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n" % (path, version)
    size = b"" if length is None else b"Content-Length: %d\r\n" % length
    return first + size + b"".join(fields) + b"\r\n"


def chunked(body, size):
    pieces = (body[start:start + size] for start in range(0, len(body), size))
    return b"".join(b"%x;note=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-Trailer: 1\r\n\r\n"


def single_bytes(data):
    return [data[at:at + 1] for at in range(len(data))]


CHUNKED = b"Transfer-Encoding: chunked\r\n"
MEMBERS = gzip.compress(BODY[:50]) + gzip.compress(BODY[50:])
ACCEPTED = {
    "byte by byte": single_bytes(head(CLOSE) + BODY),
    "HTTP/1.0": [head(version=b"1.0") + BODY],
    "chunks with extensions and a trailer": [head(CHUNKED, CLOSE, length=None) + chunked(BODY, 7)],
    "chunks of a byte, byte by byte": single_bytes(head(CHUNKED, CLOSE, length=None) + chunked(BODY, 1)),
    "absolute form": [head(CLOSE, path=b"http://x/v1/traces") + BODY],
    "Expect": [head(CLOSE, b"Expect: 100-continue\r\n"), BODY],
    "several gzip members": [head(CLOSE, b"Content-Encoding: gzip\r\n", length=len(MEMBERS)) + MEMBERS],
    "empty lines first": [b"\r\n\r\n" + head(CLOSE) + BODY],
    "another protocol offered": [head(b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n") + BODY],
    "pipelined": [(head() + BODY) * 9 + head(CLOSE) + BODY],
}


@pytest.mark.parametrize("way", ACCEPTED)
def test_spans_count_whatever_way_the_request_is_written(program, way):
    before = total(scrape(program.prom), CALLS)
    answer = talk(program.http, *ACCEPTED[way])
    requests = 10 if way == "pipelined" else 1
    assert answer.count(b" 200 OK\r\n") == requests, answer
    assert total(scrape(program.prom), CALLS) == before + 2 * requests


def test_a_request_without_a_body_is_an_empty_one(program):
    assert b" 200 OK\r\n" in talk(program.http, head(CLOSE, length=None))


@pytest.mark.parametrize("accept", [TEXT, OPENMETRICS])
def test_names_of_header_fields_are_written_with_capitals_like_the_collectors(program, accept):
    """Programs exist that look for `Content-Encoding` by letter."""
    scrape_head = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nAccept-Encoding: gzip\r\n".encode()
    for port, ask in ((program.prom, scrape_head + CLOSE + b"\r\n"), (program.http, head(CLOSE) + BODY)):
        fields = talk(port, ask).split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        names = [field.split(b":")[0].decode() for field in fields]
        assert "Content-Type" in names and all(name == name.title() for name in names), names


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_scrape_may_carry_a_body_that_nobody_needs(program, version):
    ask = b"POST /metrics HTTP/%s\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde" % version
    assert b" 200 OK\r\n" in talk(program.prom, ask)
