"""`spanmill generate` as a function: a load in, its report out, or why the run does not count."""

import contextlib
import json
import signal
import subprocess

from .errors import Failed
from .process import spawn

REPORT_SECONDS_MAX = 600


def flags(load):
    """A load as flags. The one place that knows what they are called."""
    out = ["--protocol", load.protocol, "--compression", load.compression]
    out += ["--span-bytes", load.span_bytes, "--spans-per-request", load.spans]
    out += ["--connections", load.connections, "--in-flight", load.in_flight, "--threads", load.threads]
    out += ["--rate", load.rate]
    if load.cardinality:
        # Without errors each user of a route is one label set, however long the run.
        out += ["--cardinality", load.cardinality, "--error-share", 0]
    if load.prepared is not None:
        out += ["--prepared", load.prepared]
    return [str(word) for word in out]


class Generator:
    """The generator of one binary, on given cores: the same one for every program."""

    def __init__(self, binary, cores):
        self.binary, self.cores = binary, cores

    @contextlib.contextmanager
    def running(self, program, load, *more):
        """A run in the background, for `report`; it does not outlive the block."""
        command = [self.binary, "generate", "--quiet", "--report", "json"]
        command += ["--endpoint", program.endpoint(load.protocol), *flags(load), *map(str, more)]
        run = spawn(command, self.cores, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            yield run
        finally:
            if run.poll() is None:
                run.kill()
                run.communicate()

    def report(self, running, interrupt=False):
        """What a run reports when it ends; with `interrupt` it is told to."""
        if interrupt and running.poll() is None:
            running.send_signal(signal.SIGINT)
        try:
            out, err = running.communicate(timeout=REPORT_SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            raise Failed("the generator did not end") from error
        try:
            return json.loads(out)
        except ValueError as error:
            raise Failed(f"the generator: {(err or out).strip()[-400:]}") from error

    def run(self, program, load, *more):
        """A run of which every span must be acknowledged."""
        with self.running(program, load, *more) as running:
            report = self.report(running)
        account(program, report)
        problem = lost(report)
        if problem:
            program.must_live()
            raise Failed(problem)
        return report


def account(program, report):
    """Adds a run to what the program must show in the end."""
    program.acknowledged += report["acknowledged"]["items"]
    program.uncertain += report["unanswered"]["items"]


def lost(report):
    """Why a run does not count: None when every span was acknowledged."""
    if report["acknowledged"]["items"] == 0:
        return "no span was acknowledged"
    for code, share in report["refused"].items():
        return f"refused {share['items']} spans with code {code}"
    for what in ("unanswered", "unsent"):
        if report[what]["items"]:
            return f"{report[what]['items']} of {report['sent']['items']} spans {what}"
    return None
