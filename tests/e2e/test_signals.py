"""Signals beside SIGTERM: none of them ends the program without a word."""
import signal

from exposition import scrape, total
from program import Program, until
from spans import post, request

CALLS = "traces_span_metrics_calls_total"


def test_a_hangup_is_answered_in_the_log_and_nothing_is_lost():
    with Program() as program:
        assert post(program.http, request(spans=3))[0] == 200
        for count in (1, 2):
            program.process.send_signal(signal.SIGHUP)
            until(lambda: not program.alive() or program.log().count("hangup") == count)
        assert program.alive(), program.log()
        assert post(program.http, request(spans=4))[0] == 200
        assert total(scrape(program.prom), CALLS) == 7


def test_a_hangup_while_the_drain_waits_does_not_end_the_waiting():
    program = Program(drain="20s").start()
    try:
        assert post(program.http, request())[0] == 200
        scrape(program.prom)
        program.terminate()
        until(lambda: "Starting shutdown" in program.log())
        program.process.send_signal(signal.SIGHUP)
        until(lambda: not program.alive() or "hangup" in program.log())
        assert program.alive(), program.log()
        assert total(scrape(program.prom), CALLS) == 1
        assert program.wait() == 0
    finally:
        program.stop()


def test_an_interrupt_drains_like_a_termination():
    program = Program().start()
    try:
        program.process.send_signal(signal.SIGINT)
        assert program.wait() == 0
        assert "Shutdown complete" in program.log()
    finally:
        program.stop()
