"""SIGTERM under load: exit 0, and what was acknowledged is in the last scrape."""
import threading
import time

import grpc
from exposition import scrape, total
from program import Program, until
from spans import Grpc, post, request

CALLS = "traces_span_metrics_calls_total"


def test_acknowledged_spans_are_in_the_last_scrape():
    program = Program(drain="20s").start()
    acknowledged, unanswered = [], []
    stop = threading.Event()

    def load(index):
        with Grpc(program.grpc) as client:
            while not stop.is_set():
                try:
                    client.export(request(spans=10, name=f"op-{index}"), timeout=20)
                    acknowledged.append(10)
                except grpc.RpcError as error:
                    # A call that was cut off may have been counted; a refused one was not.
                    if error.code() is not grpc.StatusCode.UNAVAILABLE or "refused" not in (error.details() or ""):
                        unanswered.append(10)
                    return

    def load_http():
        while not stop.is_set():
            try:
                status, _, _ = post(program.http, request(spans=10, name="http"))
            except OSError:
                unanswered.append(10)
                return
            if status != 200:
                return
            acknowledged.append(10)

    threads = [threading.Thread(target=load, args=(index,)) for index in range(4)]
    threads.append(threading.Thread(target=load_http))
    try:
        for thread in threads:
            thread.start()
        # A scraper must be known, or the program has nobody to wait for.
        until(lambda: total(scrape(program.prom), CALLS) > 1000)
        program.terminate()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        counted = total(scrape(program.prom), CALLS)
        assert program.wait() == 0, program.log()
    finally:
        stop.set()
        program.stop()
    assert sum(acknowledged) <= counted <= sum(acknowledged) + sum(unanswered)


def test_what_came_after_the_last_flush_is_shown_where_scrapes_show_flushes():
    program = Program(args=["--feature-gates=spanmill.collectorCompat"], drain="20s", flush="1h").start()
    try:
        assert total(scrape(program.prom), CALLS) == 0
        with Grpc(program.grpc) as client:
            client.export(request(spans=10))
        assert total(scrape(program.prom), CALLS) == 0, "no flush yet"
        program.terminate()
        until(lambda: total(scrape(program.prom), CALLS) == 10)
        assert program.wait() == 0, program.log()
    finally:
        program.stop()


def test_without_a_scraper_nothing_is_waited_for():
    program = Program(drain="50s").start()
    with Grpc(program.grpc) as client:
        client.export(request())
    started = time.monotonic()
    assert program.stop() == 0
    # Not a measure of speed: 50 s would mean that it waited.
    assert time.monotonic() - started < 40


def test_a_second_signal_ends_the_waiting():
    program = Program(drain="50s").start()
    with Grpc(program.grpc) as client:
        client.export(request())
    scrape(program.prom)
    started = time.monotonic()
    program.terminate()
    time.sleep(0.5)
    assert program.alive(), "it waits for the scraper"
    program.terminate()
    assert program.wait() == 0
    assert time.monotonic() - started < 40
