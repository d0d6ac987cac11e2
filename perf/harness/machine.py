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


def siblings(core):
    """The hardware threads that share a core with this one, and itself."""
    path = pathlib.Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    return listed(path.read_text()) if path.exists() else {core}


def listed(text):
    """`0,4-6` as numbers."""
    ends = [part.partition("-") for part in text.strip().split(",")]
    return {core for low, _, high in ends for core in range(int(low), int(high or low) + 1)}


def pair(usable, siblings_of=siblings):
    """A core for the program, one for the generator, and whether they are threads of one core.

    They are only where there is no other. On one core both share it; absolute figures say little then.
    """
    first, near = usable[0], siblings_of(usable[0])
    second = next((core for core in usable if core not in near), usable[1 % len(usable)])
    return first, second, second != first and second in near


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
