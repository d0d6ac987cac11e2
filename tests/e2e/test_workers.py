"""How many workers there are under a real CFS quota."""
import os
import subprocess
from pathlib import Path

import pytest
from program import Program, until
from spans import Grpc, request

V1 = Path("/sys/fs/cgroup/cpu")
V2 = Path("/sys/fs/cgroup")


def make_group(quota_us):
    name = f"spanmill-test-{os.getpid()}"
    if (V1 / "cpu.cfs_quota_us").exists() or (V1 / "tasks").exists():
        group = V1 / name
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text("100000")
        (group / "cpu.cfs_quota_us").write_text(str(quota_us))
        return group
    if "cpu" in (V2 / "cgroup.controllers").read_text().split():
        (V2 / "cgroup.subtree_control").write_text("+cpu")
        group = V2 / name
        group.mkdir()
        (group / "cpu.max").write_text(f"{quota_us} 100000")
        return group
    raise OSError("no cpu controller")


@pytest.fixture
def group(request):
    try:
        made = make_group(request.param)
    except OSError as error:
        pytest.skip(f"a cgroup with a quota cannot be made here: {error}")
    yield made
    made.rmdir()


def workers(program):
    return [name for name in program.thread_names() if name.startswith("worker-")]


@pytest.mark.parametrize("group", [100000], indirect=True)
def test_a_quota_of_one_core_gives_one_worker(group):
    if os.cpu_count() < 2:
        pytest.skip("one core only: nothing to tell apart")
    enter = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "enter"]
    with Program(prefix=enter) as program, Grpc(program.grpc) as client:
        client.export(request())
        until(lambda: len(workers(program)) == 1)


def test_without_a_quota_there_is_a_worker_for_each_core():
    with Program() as program:
        until(lambda: len(workers(program)) == len(os.sched_getaffinity(0)))


def test_affinity_caps_the_workers():
    one = str(min(os.sched_getaffinity(0)))
    if subprocess.run(["sh", "-c", "command -v taskset"], capture_output=True).returncode:
        pytest.skip("taskset is not on this machine")
    with Program(prefix=["taskset", "-c", one]) as program:
        until(lambda: len(workers(program)) == 1)
