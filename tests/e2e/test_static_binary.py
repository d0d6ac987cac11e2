"""The static binary in an empty root: only itself, /etc/hosts, /etc/resolv.conf and the configuration."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from exposition import scrape, total
from program import Program, free_ports, wait_for_port
from spans import Grpc, request

STATIC = os.environ.get("SPANMILL_STATIC_BINARY")


@pytest.mark.skipif(not STATIC or not Path(STATIC).exists(), reason="no static binary was built")
@pytest.mark.skipif(os.getuid() != 0, reason="chroot needs root")
def test_it_serves_from_an_empty_root_without_rights(tmp_path):
    linked = subprocess.run(["ldd", STATIC], capture_output=True, text=True)
    assert "statically linked" in linked.stdout + linked.stderr or "not a dynamic" in linked.stdout + linked.stderr
    os.chmod(tmp_path, 0o755)
    for parent in tmp_path.parents:
        if parent != Path("/") and parent.stat().st_uid == os.getuid():
            os.chmod(parent, parent.stat().st_mode | 0o055)
    root = tmp_path / "root"
    (root / "etc/otel/config").mkdir(parents=True)
    (root / "etc/hosts").write_text("127.0.0.1 localhost scrape-host\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    shutil.copy(STATIC, root / "spanmill")
    grpc, http, prom, own, zpages = free_ports(5)
    text = (Path(__file__).parents[1] / "golden/guide/scrape.yaml").read_text()
    for old, new in (("0.0.0.0:4317", f"127.0.0.1:{grpc}"), ("0.0.0.0:4318", f"127.0.0.1:{http}"),
                     ("0.0.0.0:1234", f"scrape-host:{prom}"), ("localhost:55679", f"localhost:{zpages}")):
        text = text.replace(old, new)
    text += f"  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: localhost, port: {own}}}}}}}}}]}}}}\n"
    (root / "etc/otel/config/otel-config.yaml").write_text(text)
    program = Program(ports=(grpc, http, prom, own))
    program.command = ["chroot", "--userspec=65532:65532", str(root), "/spanmill", "--config=/etc/otel/config/otel-config.yaml"]
    with program, Grpc(grpc) as client:
        wait_for_port(zpages, program.alive)
        client.export(request(spans=3))
        assert total(scrape(prom), "acs_traces_span_metrics_calls") == 3
        assert total(scrape(own), "otelcol_receiver_accepted_spans") + total(scrape(own), "otelcol_receiver_accepted_spans_total") == 3
