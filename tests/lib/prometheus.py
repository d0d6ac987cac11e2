"""Real Prometheus servers: which there are, and one run of one."""
import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from program import ROOT, free_ports, until, wait_for_port


def versions():
    """{name: path} of the servers that `tests/run` found or installed."""
    found = {}
    if shutil.which("prometheus"):
        found["apt"] = shutil.which("prometheus")
    newer = Path(os.environ.get("SPANMILL_PROMETHEUS_3", ROOT / "build/prometheus-3/usr/bin/prometheus"))
    if newer.exists():
        found["sid"] = str(newer)
    return found


class Prometheus:
    """`jobs`: (name, target port, interval, path with query). `more`: keys of each in the file."""

    def __init__(self, binary, jobs, more=None):
        self.binary, self.jobs, self.more = binary, jobs, more or {}
        self.port = free_ports(1)[0]
        self.folder = tempfile.TemporaryDirectory(prefix="spanmill-prometheus-")

    def write_config(self):
        scrapes = []
        for name, port, interval, path in self.jobs:
            url = urllib.parse.urlsplit(path)
            scrapes.append({
                "job_name": name, "scrape_interval": interval, "scrape_timeout": interval,
                "metrics_path": url.path, "params": urllib.parse.parse_qs(url.query),
                "static_configs": [{"targets": [f"127.0.0.1:{port}"]}], **self.more})
        # JSON is YAML.
        (Path(self.folder.name) / "prometheus.yml").write_text(json.dumps({"scrape_configs": scrapes}))

    def command(self, folder):
        return [self.binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=debug"]

    def __enter__(self):
        self.write_config()
        folder = Path(self.folder.name)
        self.log_file = open(folder / "log.txt", "w+b")
        self.process = subprocess.Popen(self.command(folder), stdout=self.log_file, stderr=self.log_file)
        wait_for_port(self.port, lambda: self.process.poll() is None)
        until(self.is_ready)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.log_file.close()
        self.folder.cleanup()

    def is_ready(self):
        try:
            return "ready" in self.get("/-/ready").lower()
        except OSError:
            return False

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.read().decode()

    def query(self, expression):
        return json.loads(self.get("/api/v1/query", query=expression))["data"]["result"]

    def raw(self, selector):
        """Every stored sample: [(labels, [(time, value), ...])]."""
        return [(entry["metric"], [(time, float(value)) for time, value in entry["values"]])
                for entry in self.query(f"{selector}[1h]")]

    def targets(self):
        return json.loads(self.get("/api/v1/targets"))["data"]["activeTargets"]

    def wait_for_scrapes(self, job, count, guard=90):
        """Until the job was scraped with success `count` times."""
        until(lambda: sum(len(points) for _, points in self.raw(f'up{{job="{job}"}} == 1'.split(" ")[0])) >= count, guard, 0.2)

    def own(self, name):
        """The total of one of the server's own counters."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.get("/metrics").splitlines()
                   if line.startswith(name) and line[len(name)] in " {")


class VictoriaMetrics(Prometheus):
    """Scrapes by the same file and answers the same queries."""

    @staticmethod
    def find():
        return shutil.which("victoria-metrics")

    def command(self, folder):
        return [self.binary, f"-promscrape.config={folder}/prometheus.yml", f"-storageDataPath={folder}/data",
                f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=1d", "-promscrape.maxScrapeSize=1GB"]

    def is_ready(self):
        try:
            return self.get("/health") == "OK"
        except OSError:
            return False

    def wait_for_scrapes(self, job, count, guard=90):
        """VictoriaMetrics hides what is younger than half a minute unless it is told not to."""
        query = f'count_over_time(up{{job="{job}"}}[1h])'
        ask = lambda: json.loads(self.get("/api/v1/query", query=query, nocache="1"))["data"]["result"]
        until(lambda: sum(float(entry["value"][1]) for entry in ask()) >= count, guard, 0.2)
