"""Plays a recorded case to the program and compares scrapes as sets of series."""
import base64
import json
import math
import re
import time

import grpc
import yaml
from exposition import get, read
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from program import GUARD_SECONDS, Program, free_ports
from spans import Grpc

# What Prometheus 3.5 sends with its default settings.
ACCEPT_OPENMETRICS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
ACCEPT_TEXT = "text/plain;version=0.0.4"
HEX_IDS = {"traceId", "spanId", "parentSpanId"}


def play(folder, args):
    """Runs the steps of a case: {file name: text of the scrape}."""
    case = yaml.safe_load((folder / "case.yaml").read_text())
    grpc_port, http_port, prom, zpages, remote = free_ports(5)
    env = {"GRPC_PORT": grpc_port, "HTTP_PORT": http_port, "PROM_PORT": prom, "ZPAGES_PORT": zpages,
           "RW_URL": f"http://127.0.0.1:{remote}/api/v1/write"}
    program = Program(config=(folder / "config.yaml").read_text(), args=args, ports=(grpc_port, http_port, prom, None),
                      env={name: str(value) for name, value in env.items()})
    scrapes = {}
    with program, Grpc(grpc_port) as client:
        for step in case["steps"]:
            if "send" in step:
                # Other signals are refused for now; their inputs stay in the case for later.
                if step["send"].startswith("input-metrics") or step["send"].startswith("input-logs"):
                    continue
                client.export(to_protobuf((folder / step["send"]).read_text()), timeout=GUARD_SECONDS)
            elif "wait" in step:
                time.sleep(step["wait"])
            else:
                stem = "scrape" + (f"-{step['scrape']}" if step["scrape"] else "")
                # OpenMetrics first: what a series looks like may depend on the scrapes before it.
                for ending, accept in ((".openmetrics.txt", ACCEPT_OPENMETRICS), (".txt", ACCEPT_TEXT)):
                    status, _, text = get(prom, accept=accept)
                    assert status == 200, text
                    scrapes[stem + ending] = text
    return scrapes


def to_protobuf(text):
    message = json_format.ParseDict(ids_to_base64(json.loads(text)), ExportTraceServiceRequest())
    return message.SerializeToString()


def ids_to_base64(node):
    if isinstance(node, list):
        return [ids_to_base64(item) for item in node]
    if isinstance(node, dict):
        return {key: base64.b64encode(bytes.fromhex(item)).decode() if key in HEX_IDS and isinstance(item, str)
                else ids_to_base64(item) for key, item in node.items()}
    return node


def differences(expected, got, only=None):
    """Lines that say what differs; sums within 1e-9 of their size, everything else exactly."""
    left, right = read(expected), read(got)
    found = []
    if left[2] != right[2]:
        found.append("one is OpenMetrics, the other is not")
    for part, name_of in ((0, lambda key: key[1]), (1, lambda key: key[0])):
        keys = [key for key in sorted(set(left[part]) | set(right[part]), key=str)
                if only is None or re.match(only, name_of(key))]
        for key in keys:
            if key not in right[part]:
                found.append(f"missing {key} = {left[part][key]}")
            elif key not in left[part]:
                found.append(f"surplus {key} = {right[part][key]}")
            elif not equal(name_of(key), left[part][key], right[part][key]):
                found.append(f"differs {key}: expected {left[part][key]}, got {right[part][key]}")
    return found


def equal(name, expected, got):
    if expected == got:
        return True
    return (name.endswith("_sum") and expected[1] == got[1]
            and math.isclose(expected[0], got[0], rel_tol=1e-9))
