"""What the kernel says of a process: CPU, memory, threads. Linux's /proc only."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


# The state of a listening socket in /proc/net/tcp.
LISTENS = "0A"


def spawn(command, cores, **more):
    """Starts a program on `cores`, in a process group of its own.

    A child inherits the cores from the thread that makes it. The group is what `signal_group` reaches.
    """
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0, **more)
    finally:
        os.sched_setaffinity(0, own)


def signal_group(pid, number):
    """A signal to a program that leads a group, and to all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def said(command, seconds):
    """What a command prints within `seconds`; neither it nor a child of it is left behind.

    Into a file: a pipe would be waited for as long as any child holds it.
    """
    with tempfile.TemporaryFile() as out:
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, process_group=0)
        try:
            run.wait(seconds)
        finally:
            signal_group(run.pid, signal.SIGKILL)
            run.wait()
        out.seek(0)
        return out.read().decode(errors="replace")


def owns_listener(pid, port):
    """Whether a process itself holds a socket that listens on a port: not its child, not a stranger."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # A machine without IPv6.
            for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENS and int(words[1].rpartition(":")[2], 16) == port:
                    sockets.add(f"socket:[{words[9]}]")
    held = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # It ended.
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # It was closed between the two reads.
                held.add(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
    return not sockets.isdisjoint(held)


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
