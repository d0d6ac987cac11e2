//! Every snapshot is a cut: runs are in it wholly or not at all, and what a reader holds never
//! changes.

mod spanmetrics_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use spanmetrics_support::rig::{Bounds, Rig, total};
use spanmetrics_support::{batch, dimension, guide_options, guide_rows, service, text};
use spanmill::batch::TraceLayout;
use spanmill::connectors::spanmetrics::SpanMetrics;
use spanmill::store::folder::{Folder, StoreSpec};
use spanmill::store::folder_thread::{FolderClient, spawn};
use spanmill::store::handover::handover;
use spanmill::store::snapshot::Snapshot;
use spanmill::store::window::{OwnerId, TableId};

const ROWS: usize = 64;

fn snapshot(client: &FolderClient) -> Snapshot {
    let (reply, answer) = sync_channel(1);
    assert!(client.snapshot(move |snapshot| reply.send(snapshot).expect("the test waits")));
    answer.recv().expect("the folder answers")
}

fn table_total(snapshot: &Snapshot, table: usize) -> u64 {
    let table = &snapshot.tables[table];
    let rows = table.chunks.iter().flat_map(|chunk| {
        let rows = chunk
            .cells
            .iter()
            .zip(chunk.rows.chunks_exact(table.layout.words()));
        rows.filter(|(cell, _)| cell.identity.is_some())
    });
    rows.map(|(_, row)| table.layout.count(row)).sum()
}

/// Each run adds as many spans as events. Two workers run while snapshots are taken.
#[test]
fn every_snapshot_has_whole_runs_only() {
    let mut options = guide_options();
    options.events = Some(vec![dimension("exception.type", None)]);
    let connector = SpanMetrics::new(options);
    let layout = Arc::new(TraceLayout::new(connector.columns()));
    let tables = connector.tables(OwnerId(0));
    let (workers, sides): (Vec<_>, Vec<_>) = (0..2).map(|_| handover(tables.len())).unzip();
    let folder = Folder::new(StoreSpec {
        workers: 2,
        owners: vec![connector.owner(false)],
        tables,
        series_max: StoreSpec::SERIES_MAX,
        series_bytes_max: StoreSpec::SERIES_BYTES_MAX,
        groups_max: StoreSpec::GROUPS_MAX,
    });
    let (client, folder_thread) = spawn(folder, sides, Box::new(|| 1_000)).expect("thread starts");
    let ends = Arc::new(AtomicBool::new(false));
    let runs = Arc::new(AtomicU64::new(0));
    let working: Vec<_> = workers
        .into_iter()
        .enumerate()
        .map(|(worker, mut side)| {
            let mut grouper = connector.grouper(Arc::clone(&layout), OwnerId(0), TableId(0));
            // Other groups each round, so that births and known groups mix.
            let batches: Vec<_> = (0..50)
                .map(|round| {
                    let mut spans = guide_rows(ROWS, 400, worker as u64 * 50 + round);
                    for (at, span) in spans.iter_mut().enumerate() {
                        let kind = text(["Timeout", "NotFound", "Conflict"][at % 3]);
                        span.events = vec![vec![("exception.type".to_owned(), kind)]];
                    }
                    batch(&layout, &[service("shop")], &spans)
                })
                .collect();
            let (ends, runs) = (Arc::clone(&ends), Arc::clone(&runs));
            thread::spawn(move || {
                for batch in batches.iter().cycle() {
                    if ends.load(Ordering::Relaxed) {
                        break;
                    }
                    let observed = grouper.observe(batch, &mut side.take(), 1_000);
                    assert_eq!(
                        (observed.spans, observed.events),
                        (ROWS as u64, ROWS as u64)
                    );
                    // ORDERING: pairs with the Acquire below: the run counts once it is given back.
                    runs.fetch_add(1, Ordering::Release);
                }
                side
            })
        })
        .collect();
    let mut last = 0;
    for _ in 0..300 {
        let snapshot = snapshot(&client);
        let (spans, events) = (table_total(&snapshot, 0), table_total(&snapshot, 1));
        assert_eq!(spans, events);
        assert_eq!(spans % ROWS as u64, 0);
        assert!(spans >= last, "counters never fall");
        last = spans;
    }
    ends.store(true, Ordering::Relaxed);
    let _sides: Vec<_> = working
        .into_iter()
        .map(|it| it.join().expect("worker ends"))
        .collect();
    // ORDERING: pairs with the Release of each run.
    let runs = runs.load(Ordering::Acquire);
    assert_eq!(table_total(&snapshot(&client), 0), runs * ROWS as u64);
    drop(client);
    folder_thread
        .join()
        .expect("the folder ends when nobody can ask any more");
}

#[test]
fn a_snapshot_that_a_reader_holds_does_not_change() {
    let mut rig = Rig::new(guide_options(), &Bounds::default());
    rig.run(0, "shop", &["a", "b"], 10_000);
    rig.fold(0);
    let held = rig.snapshot(10_000);
    let before = rig.seen(&held);
    rig.run(0, "shop", &["a", "b", "c"], 10_000);
    rig.fold(0);
    assert_eq!(rig.seen(&held), before);
    let snapshot = rig.snapshot(10_000);
    assert_eq!(total(&snapshot), 5);
}

#[test]
fn each_snapshot_is_later_than_the_one_before() {
    let mut rig = Rig::new(guide_options(), &Bounds::default());
    assert_eq!(rig.snapshot(10_000).time_ms, 10_000);
    assert_eq!(rig.snapshot(10_000).time_ms, 10_001);
    assert_eq!(rig.snapshot(9_000).time_ms, 10_002);
    rig.run(0, "shop", &["a"], 10_500);
    rig.fold(0);
    // A birth is never after the snapshot that shows it.
    assert_eq!(rig.snapshot(9_000).time_ms, 10_500);
}

#[test]
fn a_flush_is_counted_for_its_owner_and_cells_know_the_flushes_before_them() {
    let mut rig = Rig::new(guide_options(), &Bounds::default());
    rig.tick(10_000);
    rig.tick(10_000);
    rig.run(0, "shop", &["a"], 10_000);
    rig.fold(0);
    let snapshot = rig.snapshot(10_000);
    assert_eq!(snapshot.flush, 2);
    let (cell, _) = spanmetrics_support::rig::cells(&snapshot)
        .next()
        .expect("one cell");
    assert_eq!(cell.birth_flush, 2);
}
