"""The bundled generator against the program: what it sent is what comes out, and it notices when not."""
import re
import subprocess
from pathlib import Path

import pytest
from program import BINARY, ROOT, Program, free_ports, wait_for_port

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


def configuration(program):
    return str(Path(program.folder.name) / "config.yaml")


def test_the_targets_own_file_says_what_to_expect(program):
    done = generate(program, "--count", "5000", "--cardinality", "20", "--config", configuration(program))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_unlike_the_guides_is_verified_by_itself_only():
    with Program() as program:
        load = ("--count", "3000", "--resources", "2", "--verify-settle", "3s")
        done = generate(program, *load, "--config", configuration(program))
        assert done.returncode == 0, done.stdout + done.stderr
        done = generate(program, *load)
        assert done.returncode == 1 and "FAILED" in done.stdout, done.stdout + done.stderr


def test_a_wrong_file_is_reported_with_its_place(program, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("receivers:\n  otlp:\n    protocls:\n")
    done = generate(program, "--count", "1", "--config", str(wrong))
    assert done.returncode == 1, done.stdout
    assert "wrong.yaml:3:5" in done.stderr and "did you mean `protocols`?" in done.stderr, done.stderr


def test_the_demo_ends_by_itself_with_a_summary():
    done = subprocess.run([BINARY, "demo", "--for", "6s"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout + done.stderr
    for word in ("sent", "acknowledged", "counted", "CPU"):
        assert word in text, f"{word} is missing in\n{text}"
    sent, acknowledged, counted = (
        int(re.search(rf"^{word} +([0-9,]+)", text, re.M)[1].replace(",", "")) for word in ("sent", "acknowledged", "counted"))
    assert sent == acknowledged == counted > 0, text
    assert re.search(r"^CPU +[0-9.]+ s .* [0-9.]+ us a span$", text, re.M), text


def test_demos_run_side_by_side():
    """Nothing of the guide's file is left at a port of its own."""
    demos = [subprocess.Popen([BINARY, "demo", "--for", "2s", "--rate", "500"], stdout=subprocess.PIPE, text=True)
             for _ in range(2)]
    own = set()
    for demo in demos:
        text, _ = demo.communicate(timeout=120)
        assert demo.returncode == 0, text
        own |= {(demo.pid, port) for port in re.findall(r"127\.0\.0\.1:([0-9]+)", text)}
    ports = [port for _, port in own]
    assert len(ports) == len(set(ports)) == 10, own
