"""Reads a scrape, with the parsers of prometheus_client."""
import gzip
import http.client

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def get(port, path="/metrics", accept=TEXT, headers=None, host="127.0.0.1"):
    """(status, headers, text)"""
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request("GET", path, headers={"Accept": accept, "Accept-Encoding": "gzip", **(headers or {})})
        response = connection.getresponse()
        body = response.read()
        # Names of header fields have no case of their own.
        found = {name.title(): value for name, value in response.getheaders()}
        if found.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return response.status, found, body.decode()
    finally:
        connection.close()


def scrape(port, accept=TEXT, path="/metrics"):
    """{(name, frozenset of labels): value}; fails on what prometheus_client refuses and on a repeat."""
    status, headers, body = get(port, path, accept)
    assert status == 200, body
    parse = openmetrics if "openmetrics" in headers["Content-Type"] else text
    found = {}
    for family in parse(body):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def total(samples, name, **labels):
    """The sum of all series called `name` that have `labels`."""
    wanted = set(labels.items())
    return sum(value for (found, have), value in samples.items() if found == name and wanted <= have)
