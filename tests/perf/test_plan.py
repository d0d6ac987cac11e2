"""The table of rows, peers as flags, and what is planned of both."""
import pytest
from harness import machine, rows
from harness.generator import flags, lost
from harness.metrics import METRICS
from harness.plan import Plan
from harness.programs import configured
from harness.session import LIVES, MEASURES
from harness.subjects import Subject, parse_peer

OURS, FIRST, SECOND = Subject("spanmill", "a"), Subject("collector", "b"), Subject("tuned", "b", {"GOGC": "400"})
THIRD = Subject("newer", "c")


def test_every_row_can_be_run_and_says_what_counts():
    names = [row.name for row in rows.ROWS]
    assert len(set(names)) == len(names) > 40
    for row in rows.ROWS:
        assert row.measure in MEASURES and row.headline in METRICS, row.name
        assert (row.measure in LIVES) == (row.group == ""), row.name
        assert row.place in rows.PLACES, row.name
        assert row.goal.of is None or row.goal.of in names, row.name


def test_rows_of_a_group_want_the_same_label_sets_and_cores():
    groups = {}
    for row in rows.ROWS:
        if row.group:
            groups.setdefault(row.group, set()).add((row.load.cardinality, row.place))
    assert {group: kinds for group, kinds in groups.items() if len(kinds) > 1} == {}


def test_a_full_run_with_three_peers_fits_into_ninety_minutes():
    assert Plan(rows.ROWS, [OURS, FIRST, SECOND, THIRD]).estimate_seconds() < 90 * 60


def test_program_and_generator_are_on_cores_of_their_own_where_there_are_two():
    threads = lambda core: {core // 2 * 2, core // 2 * 2 + 1}
    alone = lambda core: {core}
    assert machine.pair([0, 1, 2, 3], threads) == (0, 2, False)
    assert machine.pair([0, 1], threads) == (0, 1, True)
    assert machine.pair([0, 1], alone) == (0, 1, False)
    assert machine.pair([3], alone) == (3, 3, False)
    assert machine.listed("0,4-6\n") == {0, 4, 5, 6}


def test_a_peer_has_a_name_a_path_an_environment_and_arguments():
    peer = parse_peer("tuned=/bin/true,GOGC=400,--gate=-a,GOMEMLIMIT=512MiB,--gate=b")
    assert (peer.name, peer.path) == ("tuned", "/bin/true")
    assert peer.env == {"GOGC": "400", "GOMEMLIMIT": "512MiB"}
    assert peer.arguments == ("--gate=-a", "--gate=b")


@pytest.mark.parametrize("text", ["", "path", "=path", "name=", "a b=path", "name=path,GOGC", "spanmill=path"])
def test_what_is_no_peer_is_refused(text):
    with pytest.raises(ValueError):
        parse_peer(text)


def test_later_peers_run_marked_rows_only_in_processes_that_take_part_in_all_rows():
    plan = Plan(rows.ROWS, [OURS, FIRST, SECOND])
    for subjects, of_group in plan.groups():
        assert all(plan.subjects_of(row) == subjects for row in of_group)
        assert (SECOND in subjects) == all(row.all_peers for row in of_group)
    every = Plan(rows.ROWS, [OURS, FIRST, SECOND], all_rows=True)
    assert all(SECOND in subjects for subjects, _ in every.groups())


def test_each_program_goes_first_in_turn():
    plan = Plan(rows.ROWS, [OURS, FIRST, SECOND])
    assert [plan.order(plan.subjects, turn)[0] for turn in range(4)] == [OURS, FIRST, SECOND, OURS]
    assert all(sorted(plan.order(plan.subjects, turn), key=plan.subjects.index) == plan.subjects for turn in range(4))


def test_a_quick_run_has_short_measurements():
    plan = Plan(rows.ROWS, [OURS], rounds=1, quick=True)
    assert all(plan.rounds_of(row) == 1 and plan.seconds_of(row) == 1 for row in rows.ROWS)


def test_ports_are_put_into_the_guides_configuration():
    text = (machine.ROOT / "config/guide-scrape.yaml").read_text()
    ports = {"grpc": 11, "http": 12, "scrape": 13, "zpages": 14}
    found = configured(text, ports)
    assert all(f"endpoint: 127.0.0.1:{port}\n" in found for port in ports.values())
    assert "0.0.0.0" not in found and "level: none" in found
    with pytest.raises(ValueError):
        configured("receivers:\n", ports)


def test_a_run_that_loses_a_span_does_not_count():
    share = lambda spans: {"items": spans, "requests": 1}
    report = {"acknowledged": share(5), "refused": {}, "unanswered": share(0), "unsent": share(0), "sent": share(5)}
    assert lost(report) is None
    for change in ({"acknowledged": share(0)}, {"refused": {"8": share(1)}}, {"unanswered": share(1)}, {"unsent": share(1)}):
        assert lost({**report, **change}), change


def test_flags_are_words_for_the_generator():
    words = flags(rows.Load("http", "gzip", rate=20_000, cardinality=3))
    assert all(isinstance(word, str) for word in words)
    assert words[:4] == ["--protocol", "http", "--compression", "gzip"] and "--cardinality" in words


def test_paths_outside_the_tree_stay_out_of_the_report():
    shown = machine.command(["--binary", f"{machine.ROOT}/target/release/spanmill", "--peer", "a=/opt/b,GOGC=400"])
    assert shown == "perf/run --binary target/release/spanmill --peer a=PATH,GOGC=400"
