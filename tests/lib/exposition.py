"""Reads a scrape, and has prometheus_client read it too."""
import gzip
import http.client
import re

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(,|$)')


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
    for _ in parse(body):
        pass
    # Not its samples: it adds `_total` to the names of counters.
    _, series, _ = read(body)
    return {(name, frozenset(labels)): value for (name, labels), (value, _) in series.items()}


def read(text):
    """(comments {(word, name): rest}, series {(name, labels): [(value, has a time)]}, ends with EOF)."""
    comments, series = {}, {}
    for line in text.split("\n"):
        if not line or line == "# EOF":
            continue
        if line.startswith("# "):
            _, word, name, *rest = line.split(" ", 3)
            assert (word, name) not in comments, f"second line: {line}"
            comments[word, name] = rest
            continue
        name, labels, rest = split(line)
        value, *time_ = rest.split()
        names = [label for label, _ in labels]
        assert len(set(names)) == len(names), f"label twice: {line}"
        key = (name, tuple(sorted(labels)))
        assert key not in series, f"series twice: {line}"
        series[key] = (float(value), len(time_))
    return comments, series, text.endswith("# EOF\n")


def split(line):
    if "{" not in line:
        name, rest = line.split(" ", 1)
        return name, [], rest
    name, rest = line.split("{", 1)
    labels = []
    while not rest.startswith("}"):
        match = LABEL.match(rest.rsplit("}", 1)[0])
        assert match, f"unreadable labels: {line}"
        labels.append((match[1], match[2]))
        rest = rest[match.end():]
    return name, labels, rest[1:]


def total(samples, name, **labels):
    """The sum of all series called `name` that have `labels`."""
    wanted = set(labels.items())
    return sum(value for (found, have), value in samples.items() if found == name and wanted <= have)
