"""Where and of what a report was made: the machine, the commit, the command."""

import os
import pathlib
import platform
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load_average():
    return [float(part) for part in pathlib.Path("/proc/loadavg").read_text().split()[:3]]


def cores():
    """The cores that may be used, in order."""
    return sorted(os.sched_getaffinity(0))


def describe(usable):
    text = pathlib.Path("/proc/cpuinfo").read_text()
    fact = lambda key: (re.search(rf"^{key}\s*:\s*(.+)$", text, re.M) or [None, "unknown"])[1]
    memory = pathlib.Path("/proc/meminfo").read_text()
    return {
        "cpu": f"{fact('model name')} (family {fact('cpu family')}, model {fact('model')})",
        "cores": len(usable),
        "memory_mib": int(re.search(r"^MemTotal:\s+(\d+)", memory, re.M)[1]) // 1024,
        "kernel": platform.release(),
        "guest": "hypervisor" in text,
    }


def machine_class(machine):
    """A file name for machines whose figures may stand in one row."""
    text = f"{machine['cpu']} {machine['cores']} cores".lower()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def commit():
    git = lambda *args: subprocess.run(["git", "-C", ROOT, *args], capture_output=True, text=True, check=False).stdout
    return {"commit": git("rev-parse", "HEAD").strip() or "unknown", "dirty": bool(git("status", "--porcelain", "-uno"))}


def command(argv):
    """The command as it was given, but for paths outside the tree: those say nothing to anybody else."""
    def shown(word):
        return re.sub(r"(^|=)(/[^,]*)", lambda m: m[1] + _inside(m[2]), word)
    return shlex.join(["perf/run", *map(shown, argv)])


def _inside(path):
    try:
        return str(pathlib.Path(path).resolve().relative_to(ROOT))
    except ValueError:
        return "PATH"
