"""Programs under measurement are started and ended whole, and are what they are taken for."""
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from harness import machine, process, programs, subjects
from harness.errors import Failed, Silent
from harness.programs import Program
from harness.subjects import Subject
from program import until

GUIDE = machine.ROOT / "config/guide-scrape.yaml"
FAKE = Path(__file__).parent / "fake.py"
CORES = os.sched_getaffinity(0)


class Fake:
    """fake.py as a program: itself, or behind a shell that stays."""

    def __init__(self, folder, is_wrapped=False, **env):
        self.pids_path = folder / "pids"
        path = folder / "program"
        command = f'{sys.executable} {FAKE} "$@"'
        path.write_text(f"#!/bin/sh\n{command}\nexit $?\n" if is_wrapped else f"#!/bin/sh\nexec {command}\n")
        path.chmod(0o755)
        self.subject = Subject("peer", str(path), {"FAKE_PIDS": str(self.pids_path), **env})

    def pids(self):
        text = self.pids_path.read_text() if self.pids_path.exists() else ""
        return [int(line) for line in text.splitlines()] if text.endswith("\n") else []


def state(pid):
    """As the kernel writes it; X for one that is gone, be it not buried yet."""
    try:
        found = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"
    return "X" if found == "Z" else found


def test_a_program_runs_as_long_as_its_block(tmp_path):
    fake = Fake(tmp_path)
    with Program(fake.subject, GUIDE, CORES) as program:
        assert fake.pids() == [program.pid] and program.alive()
    assert state(program.pid) == "X" and not Path(program.folder.name).exists()


def test_a_program_that_does_not_start_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "START_SECONDS_MAX", 0.5)
    program = Program(Fake(tmp_path, FAKE_DEAF="1").subject, GUIDE, CORES)
    with pytest.raises(Silent, match="does not start"):
        program.__enter__()
    assert state(program.pid) == "X" and program.log.closed and not Path(program.folder.name).exists()


def test_a_taken_port_is_no_fault_of_the_program(tmp_path):
    fake = Fake(tmp_path, FAKE_TAKEN="1")
    with Program(fake.subject, GUIDE, CORES) as program:
        first, second = fake.pids()
        assert second == program.pid != first


def test_a_wrapper_that_does_not_exec_is_not_measured_as_the_program(tmp_path):
    fake = Fake(tmp_path, is_wrapped=True)
    with pytest.raises(Failed, match="wrapper script must `exec`"):
        Program(fake.subject, GUIDE, CORES).__enter__()
    [child] = fake.pids()
    until(lambda: state(child) == "X")


def test_what_a_wrapper_started_is_held_goes_on_and_ends_with_it(tmp_path):
    fake = Fake(tmp_path, is_wrapped=True)
    with Program(fake.subject, GUIDE, CORES, wait=False) as program:
        [child] = until(fake.pids)
        program.hold()
        until(lambda: state(child) == "T")
        assert program.go()
        until(lambda: state(child) != "T")
    until(lambda: state(child) == "X")


def test_a_process_owns_the_sockets_that_it_holds_itself():
    [port] = programs.free_ports(1)
    assert not process.owns_listener(os.getpid(), port)
    other = process.spawn(["sleep", "60"], CORES)
    try:
        with socket.create_server(("127.0.0.1", port)):
            assert process.owns_listener(os.getpid(), port)
            assert not process.owns_listener(other.pid, port)
    finally:
        other.kill()
        other.wait()
    assert not process.owns_listener(other.pid, port)


def test_what_a_command_says_is_not_waited_for_longer_than_it():
    assert process.said(["sh", "-c", "sleep 60 & echo here"], 30) == "here\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.said(["sleep", "60"], 0.1)


def test_a_program_that_says_nothing_of_itself_is_no_reason_to_stop(tmp_path):
    silent, broken = tmp_path / "silent", tmp_path / "broken"
    for path, text in ((silent, "#!/bin/sh\n"), (broken, "no program")):
        path.write_text(text)
        path.chmod(0o755)
    for path in (silent, broken, "/nowhere/at/all"):
        assert Subject("peer", str(path)).describe()["version"] == subjects.NO_WORD
    assert Subject("peer", "/nowhere/at/all").describe()["sha256"] == subjects.NO_WORD


def test_programs_are_found_as_a_shell_finds_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere:/bin")
    assert subjects.located("sh") == "/bin/sh"
    assert subjects.located("folder/program") == str(tmp_path / "folder/program")
