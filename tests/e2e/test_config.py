"""A wrong file: its place, what is allowed, exit 1, nothing bound."""
import socket
import subprocess

import pytest
from program import BINARY, CONFIG, free_ports


def run(tmp_path, text, *args):
    path = tmp_path / "otel-config.yaml"
    path.write_text(text)
    return subprocess.run([BINARY, *args, f"--config={path}"], capture_output=True, text=True, timeout=60)


def config(ports, **changes):
    text = CONFIG.format(grpc=ports[0], http=ports[1], prom=ports[2], own=ports[3], flush="1s",
                         expiration="5m", timestamps="true", drain="1s")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("command", [[], ["validate"]])
def test_wrong_keys_and_values_are_all_told_with_their_place(tmp_path, command):
    text = config(free_ports(4), enable_open_metrics="enable_openmetrics").replace("send_timestamps: true", "send_timestamps: 12")
    result = run(tmp_path, text, *command)
    assert result.returncode == 1
    assert result.stdout == ""
    lines = text.splitlines()
    for word in ("enable_openmetrics", "12"):
        number = next(at for at, line in enumerate(lines, 1) if word in line and "1270" not in line and "127.0" not in line)
        assert f"otel-config.yaml:{number}:" in result.stderr, result.stderr
    assert "enable_open_metrics" in result.stderr, "the nearest key is named"
    assert "^" in result.stderr


def test_validate_binds_nothing_and_is_silent_when_all_is_good(tmp_path):
    ports = free_ports(4)
    held = [socket.create_server(("127.0.0.1", port)) for port in ports]
    try:
        result = run(tmp_path, config(ports), "validate")
    finally:
        for server in held:
            server.close()
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_taken_port_ends_the_start_with_its_key(tmp_path):
    ports = free_ports(4)
    with socket.create_server(("127.0.0.1", ports[2])):
        result = run(tmp_path, config(ports))
    assert result.returncode == 1
    assert str(ports[2]) in result.stderr


def test_a_misplaced_component_is_a_warning_and_strict_refuses_it(tmp_path):
    text = config(free_ports(4)).replace("\nservice:\n", "\nextensions:\nzpages:\n  endpoint: localhost:0\nservice:\n  extensions: [zpages]\n")
    assert run(tmp_path, text, "validate").returncode == 0
    assert "zpages" in run(tmp_path, text, "validate").stderr
    assert run(tmp_path, text, "validate", "--strict").returncode == 1
