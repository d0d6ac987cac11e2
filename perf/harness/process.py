"""What the kernel says of a process: CPU, memory, threads. Linux's /proc only."""

import os
import pathlib
import re
import subprocess

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def spawn(command, cores, **more):
    """Starts a program on `cores`: a child inherits them from the thread that makes it."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        return subprocess.Popen(command, **more)
    finally:
        os.sched_setaffinity(0, own)


def cpu_mark(pid):
    """A point in the CPU account of a process; see `cpu_ns_between`."""
    threads = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            threads[task] = int(pathlib.Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended between the two reads.
    after_name = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return threads, (int(after_name[11]) + int(after_name[12])) * TICK_NS


def cpu_ns_between(before, after):
    """User and kernel time of all threads.

    The scheduler's account is exact but forgets threads that ended; the process's remembers them but
    counts in ticks. So the larger one, once the second has been rounded down.
    """
    exact = sum(ns - before[0].get(task, 0) for task, ns in after[0].items())
    return max(exact, after[1] - before[1] - 2 * TICK_NS)


def memory_mib(pid):
    """Resident now and at most, ever; and how much of what is resident now is private."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    resident, peak = (int(re.search(rf"^{key}:\s+(\d+)", status, re.M)[1]) / 1024 for key in ("VmRSS", "VmHWM"))
    private = sum(int(kib) for kib in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+)", rollup, re.M)) / 1024
    return {"rss_mib": resident, "rss_peak_mib": peak, "rss_private_mib": private}


def rss_mib(pid):
    """Resident now; cheap. 0 when the process is gone."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0.0


def available_mib():
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(re.search(r"^MemAvailable:\s+(\d+)", text, re.M)[1]) / 1024
