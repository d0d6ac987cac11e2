"""OTLP trace requests made by hand, and how they are sent."""
import gzip
import http.client
import os
import time

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def request(spans=1, service="shop", name="op", millis=3, attributes=(), resource=(), kind=2, status=0):
    """A request of equal spans."""
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    for key, value in [("service.name", service), *resource]:
        if service is not None or key != "service.name":
            group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_spans.add()
    now = time.time_ns()
    for _ in range(spans):
        span = scope.spans.add(name=name, kind=kind, trace_id=os.urandom(16), span_id=os.urandom(8),
                               start_time_unix_nano=now, end_time_unix_nano=now + int(millis * 1e6))
        span.status.code = status
        for key, value in attributes:
            span.attributes.add(key=key).value.string_value = value
    return message.SerializeToString()


class Grpc:
    """A channel that is made once; `export` raises grpc.RpcError when refused."""

    def __init__(self, port, compression=grpc.Compression.NoCompression):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", compression=compression,
                                             options=[("grpc.max_send_message_length", -1)])

    def call(self, path, body, timeout=30):
        return self.channel.unary_unary(path, None, None)(body, timeout=timeout)

    def export(self, body, timeout=30):
        return self.call(EXPORT, body, timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()


def post(port, body, encoding=None, path="/v1/traces", kind="application/x-protobuf", timeout=30):
    """One HTTP export: (status, headers, body)."""
    headers = {"Content-Type": kind}
    if encoding:
        headers["Content-Encoding"] = encoding
        body = gzip.compress(body) if encoding == "gzip" else body
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, {name.title(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()
