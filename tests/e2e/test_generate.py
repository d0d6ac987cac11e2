"""The bundled generator against the program: what it sent is what comes out, and it notices when not."""
import subprocess

import pytest
from program import BINARY, CONFIG, ROOT, Program, free_ports, wait_for_port

GUIDE = ROOT / "tests/golden/guide/scrape.yaml"


@pytest.fixture
def program():
    grpc, http, prom, own, zpages = free_ports(5)
    text = GUIDE.read_text()
    for old, new in (("0.0.0.0:4317", f"127.0.0.1:{grpc}"), ("0.0.0.0:4318", f"127.0.0.1:{http}"),
                     ("0.0.0.0:1234", f"127.0.0.1:{prom}"), ("localhost:55679", f"127.0.0.1:{zpages}")):
        assert old in text
        text = text.replace(old, new)
    text += f"""  telemetry:
    metrics:
      readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {own}}}}}}}}}]
"""
    with Program(config=text, ports=(grpc, http, prom, own)) as running:
        wait_for_port(zpages, running.alive)
        yield running


def generate(program, *more, protocol="grpc"):
    port = program.grpc if protocol == "grpc" else program.http
    return subprocess.run(
        [BINARY, "generate", "--endpoint", f"127.0.0.1:{port}", "--protocol", protocol, "--seed", "7",
         "--verify", f"http://127.0.0.1:{program.prom}/metrics", *more],
        capture_output=True, text=True, timeout=180)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_every_label_set_is_right_to_the_last_bucket(program, protocol, compression):
    done = generate(program, "--count", "40000", "--connections", "3", "--spans-per-request", "50",
                    "--cardinality", "40", "--error-share", "0.1", "--compression", compression, protocol=protocol)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_second_sender_is_noticed(program):
    args = [BINARY, "generate", "--endpoint", f"127.0.0.1:{program.grpc}", "--seed", "7", "--duration", "8s", "--rate", "2000"]
    with subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        done = generate(program, "--duration", "4s", "--rate", "2000")
        other.wait(60)
    assert done.returncode == 1, done.stdout + done.stderr


def test_the_demo_ends_by_itself_with_a_summary():
    done = subprocess.run([BINARY, "demo", "--for", "6s"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout + done.stderr
    for word in ("sent", "acknowledged", "counted", "CPU"):
        assert word in text, f"{word} is missing in\n{text}"
