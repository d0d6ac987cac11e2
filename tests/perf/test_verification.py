"""What is verified before timing, and what becomes of the rows of a program that gets it wrong."""
import pytest
from harness import rows, verification
from harness.errors import Failed, Silent
from harness.plan import Plan
from harness.session import Session
from harness.subjects import Subject

OURS, PEER = Subject("spanmill", "a"), Subject("peer", "b")
NAMES = ("span/grpc/none/800B/512", "span/http/none/800B/512", "memory/idle", "overload/64-connections")


def verified(monkeypatch, check, names=NAMES, subjects=(OURS, PEER)):
    """What came of it, the session, and what was tried; `check` is called instead of the programs."""
    tried = []

    def instead(subject, load, *_):
        tried.append((subject.name, load))
        check(subject, load)

    monkeypatch.setattr(verification, "_check", instead)
    # One after the other, in the order of the rows.
    monkeypatch.setattr(verification, "SIDE_BY_SIDE", 1)
    plan = Plan([row for row in rows.ROWS if row.name in names], list(subjects))
    session = Session(plan, "config.yaml", None, None, lambda _: None)
    return verification.verify(session, plan, None, None, None), session, tried


def failing(kind, reason, *names):
    def check(subject, load):
        if subject == PEER and (not names or load.protocol in names):
            raise kind(reason)
    return check


def test_only_pairs_that_came_out_right_are_counted(monkeypatch):
    counts, session, tried = verified(monkeypatch, failing(Failed, "3 differences", "grpc"))
    assert counts == (5, 6) and len(tried) == 6
    assert session.failures() == [("span/grpc/none/800B/512", "peer", "verification: 3 differences")]


def test_whatever_happens_in_a_verification_fails_its_rows_only(monkeypatch):
    counts, session, _ = verified(monkeypatch, failing(KeyError, "verify", "grpc"))
    assert counts == (5, 6)
    assert session.failures() == [("span/grpc/none/800B/512", "peer", "verification: KeyError('verify')")]


def test_a_program_that_does_not_answer_is_asked_once(monkeypatch):
    counts, session, tried = verified(monkeypatch, failing(Silent, "no request was answered"))
    assert counts == (3, 6) and [name for name, _ in tried].count("peer") == 1
    assert {row for row, program, _ in session.failures()} == set(NAMES)
    assert {program for _, program, _ in session.failures()} == {"peer"}


def test_a_program_that_gets_no_load_right_has_no_idle_rows_either(monkeypatch):
    _, session, _ = verified(monkeypatch, failing(Failed, "wrong"))
    assert ("memory/idle", "peer", "verification: every load came out wrong") in session.failures()
    _, session, _ = verified(monkeypatch, failing(Failed, "wrong"), names=("memory/idle",))
    assert session.failures() == []


def test_every_row_with_a_load_is_verified_with_a_count_that_ends():
    for row in rows.ROWS:
        if row.measure not in verification.NOT_VERIFIED:
            spans = verification.spans_of(verification.load_of(row))
            assert verification.SPANS_LEAST <= spans <= verification.SPANS_MOST, row.name
            if row.measure in verification.SMALL:
                assert spans <= 50_000, row.name
    loadless = {row.name for row in rows.ROWS if row.measure in verification.NOT_VERIFIED}
    assert loadless == {"memory/idle", "start/first-reply", "start/binary"}


@pytest.mark.parametrize(("change", "reason"), [
    ({"unanswered": 1}, "1 of 5 spans unanswered"), ({"acknowledged": 0}, "no request was answered"),
    ({"unread": "status 503"}, "could not be read: status 503"), ({"passed": False}, "2 differences, first: missing"),
    ({"spans": 0}, "verified nothing"), ({}, None),
])
def test_a_load_that_was_not_taken_whole_or_shown_whole_is_wrong(monkeypatch, change, reason):
    share = lambda items: {"items": items, "requests": items}
    found = {"acknowledged": 5, "unanswered": 0, "unread": None, "passed": True, "spans": 5, **change}
    report = {
        "acknowledged": share(found["acknowledged"]), "sent": share(5), "refused": {}, "unsent": share(0),
        "unanswered": share(found["unanswered"]),
        "verify": {"passed": found["passed"] and not found["unread"], "unread": found["unread"], "label_sets": 2,
                   "spans": found["spans"], "difference_count": 2, "differences": ["missing", "more"]},
    }
    monkeypatch.setattr(verification, "Program", Block)
    check = lambda: verification._check(PEER, rows.Load(), "config.yaml", Generator(report), None, {0})
    if reason is None:
        check()
    else:
        with pytest.raises(Failed, match=reason):
            check()


class Block:
    """A program or a run of the generator, of which only the block matters."""
    config = "config.yaml"

    def __init__(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def scrape_url(self):
        return "http://127.0.0.1:1/metrics"


class Generator:
    def __init__(self, says):
        self.says = says

    def running(self, *_):
        return Block()

    def report(self, _):
        return self.says
