"""Clients that mean harm, or just die: a healthy client is served meanwhile, memory stays bounded."""
import gzip
import http.client
import socket
import struct
import threading

import pytest
from exposition import scrape, total
from program import Program, until
from spans import Grpc, post, request

CALLS = "traces_span_metrics_calls_total"
RSS_BYTES_MAX = 400 << 20


def healthy(program, spans=5):
    before = total(scrape(program.prom), CALLS)
    with Grpc(program.grpc) as client:
        client.export(request(spans=spans))
    assert post(program.http, request(spans=spans))[0] == 200
    assert total(scrape(program.prom), CALLS) == before + 2 * spans


def test_dripping_headers_and_bodies_hold_nothing():
    with Program() as program:
        open_sockets = []
        for index in range(200):
            client = socket.create_connection(("127.0.0.1", program.http))
            head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n"
            if index % 2:
                head += b"Content-Type: application/x-protobuf\r\nContent-Length: 1000000\r\n\r\nab"
            client.sendall(head)
            open_sockets.append(client)
        for _ in range(50):
            client = socket.create_connection(("127.0.0.1", program.grpc))
            client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n")
            open_sockets.append(client)
        healthy(program)
        assert program.rss_bytes() < RSS_BYTES_MAX
        for client in open_sockets:
            client.close()
        until(lambda: total(scrape(program.own), "spanmill_receiver_bytes_in_flight") == 0)
        healthy(program)


def test_a_compressed_bomb_is_refused_and_costs_little():
    bomb = gzip.compress(bytes(600 << 20), 9)
    with Program() as program:
        answers = []

        def throw():
            headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
            connection = http.client.HTTPConnection("127.0.0.1", program.http, timeout=60)
            connection.request("POST", "/v1/traces", bomb, headers)
            answers.append(connection.getresponse().status)
            connection.close()

        threads = [threading.Thread(target=throw) for _ in range(16)]
        for thread in threads:
            thread.start()
        healthy(program)
        for thread in threads:
            thread.join(120)
        assert len(answers) == 16 and set(answers) <= {400, 503}, answers
        assert program.rss_bytes() < RSS_BYTES_MAX
        healthy(program)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def test_rapid_resets_do_not_take_the_service_away():
    # HPACK: POST, http, a path literal, an authority literal; then RST_STREAM(CANCEL) at once.
    def literal(name_index, value):
        return bytes([name_index, len(value)]) + value

    block = bytes([0x83, 0x86]) + literal(0x04, b"/x") + literal(0x01, b"localhost")
    with Program() as program:
        client = socket.create_connection(("127.0.0.1", program.grpc))
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
        try:
            for start in range(0, 20000, 500):
                client.sendall(b"".join(
                    frame(1, 5, 2 * (start + step) + 1, block) + frame(3, 0, 2 * (start + step) + 1, b"\0\0\0\x08")
                    for step in range(500)))
        except OSError:
            pass  # The server has had enough, which is an answer too.
        healthy(program)
        client.close()
        assert program.rss_bytes() < RSS_BYTES_MAX
        healthy(program)


@pytest.mark.parametrize("port", ["grpc", "http"])
def test_bytes_that_are_no_protocol_end_their_connection_only(port):
    with Program() as program:
        for start in (b"\0" * 500, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 10000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100):
            with socket.create_connection(("127.0.0.1", getattr(program, port)), 10) as client:
                client.settimeout(60)
                try:
                    client.sendall(start)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
                except TimeoutError:
                    raise
                except OSError:
                    pass  # Reset, or closed before we were through: ended either way.
        healthy(program)


def test_a_body_of_tiny_spans_is_refused_for_its_rows():
    # Two bytes a span: 10 million of them fit into 20 MiB and would be gigabytes as columns.
    spans = b"\x12\x00" * 9_000_000

    def wrapped(field, body):
        length, rest = b"", len(body)
        while rest >= 0x80:
            length, rest = length + bytes([rest & 0x7F | 0x80]), rest >> 7
        return bytes([field << 3 | 2]) + length + bytes([rest]) + body

    with Program() as program:
        status, _, body = post(program.http, wrapped(1, wrapped(2, spans)))
        assert status == 400 and b"spans" in body
        assert total(scrape(program.own), "spanmill_receiver_refused_requests_total", reason="too_large") == 1
        assert program.rss_bytes() < RSS_BYTES_MAX
        healthy(program)


def test_announced_bodies_that_never_come_leave_room_for_small_ones():
    # Each takes its permit for 4 MiB at the first five bytes and then sends nothing.
    head = (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: 4000000\r\n\r\n")
    with Program() as program:
        held = []
        for _ in range(100):
            client = socket.create_connection(("127.0.0.1", program.http))
            client.sendall(head + b"\x0a")
            held.append(client)
        until(lambda: total(scrape(program.own), "spanmill_receiver_bytes_in_flight") > 100 << 20)
        healthy(program)
        assert program.rss_bytes() < RSS_BYTES_MAX
        for client in held:
            client.close()
        until(lambda: total(scrape(program.own), "spanmill_receiver_bytes_in_flight") == 0)
