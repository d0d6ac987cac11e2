//! A worker that stops anywhere in a run holds nobody else up.
//!
//! Each scenario stops one worker at one point of its run and keeps it there while another worker
//! ingests a million rows and a fold and snapshot completes.

mod spanmetrics_support;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use spanmetrics_support::{batch, guide_options, guide_rows, service};
use spanmill::batch::{TraceBatch, TraceLayout};
use spanmill::connectors::spanmetrics::{Grouper, SpanMetrics};
use spanmill::store::folder::{Folder, StoreSpec};
use spanmill::store::folder_thread::{FolderClient, spawn};
use spanmill::store::handover::{FolderSide, WorkerSide, handover};
use spanmill::store::snapshot::Snapshot;
use spanmill::store::window::{OwnerId, TableId};

const ROWS: usize = 1_000;
/// Tells hanging from working, nothing else.
const HANGING: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    BeforeTake,
    AfterTake,
    MidObserve,
    BeforeGive,
    AfterGive,
}

struct Worker {
    side: WorkerSide,
    grouper: Grouper,
    batch: Arc<TraceBatch>,
}

/// Where a stopped worker reports, and where it waits.
struct Gate {
    reached: SyncSender<()>,
    go_on: Receiver<()>,
}

impl Gate {
    fn stop(&self) {
        self.reached.send(()).expect("the test waits");
        self.go_on.recv().expect("the test lets go");
    }
}

impl Worker {
    fn run(&mut self) {
        let mut window = self.side.take();
        let observed = self.grouper.observe(&self.batch, &mut window, 1_000);
        assert_eq!(observed.spans, ROWS as u64);
    }

    /// Two half runs in one window: stopping between them is stopping in the middle of one.
    fn run_stopping(&mut self, stop: Stop, gate: &Gate) {
        let at = |point: Stop| {
            if point == stop {
                gate.stop();
            }
        };
        at(Stop::BeforeTake);
        {
            let mut window = self.side.take();
            at(Stop::AfterTake);
            let _ = self.grouper.observe(&self.batch, &mut window, 1_000);
            at(Stop::MidObserve);
            let _ = self.grouper.observe(&self.batch, &mut window, 1_000);
            at(Stop::BeforeGive);
        }
        at(Stop::AfterGive);
    }
}

fn start() -> (FolderClient, thread::JoinHandle<()>, Vec<Worker>) {
    let connector = SpanMetrics::new(guide_options());
    let layout = Arc::new(TraceLayout::new(connector.columns()));
    let rows = guide_rows(ROWS, 100, 5);
    let batch = Arc::new(batch(&layout, &[service("shop")], &rows));
    let tables = connector.tables(OwnerId(0));
    let (workers, sides): (Vec<WorkerSide>, Vec<FolderSide>) =
        (0..2).map(|_| handover(tables.len())).unzip();
    let folder = Folder::new(StoreSpec {
        workers: 2,
        owners: vec![connector.owner(false)],
        tables,
        series_max: StoreSpec::SERIES_MAX,
        series_bytes_max: StoreSpec::SERIES_BYTES_MAX,
        groups_max: StoreSpec::GROUPS_MAX,
    });
    let (client, joined) = spawn(folder, sides, Box::new(|| 2_000)).expect("a thread starts");
    let workers = workers.into_iter().map(|side| Worker {
        side,
        grouper: connector.grouper(Arc::clone(&layout), OwnerId(0), TableId(0)),
        batch: Arc::clone(&batch),
    });
    (client, joined, workers.collect())
}

fn snapshot(client: &FolderClient) -> Snapshot {
    let (reply, answer) = sync_channel(1);
    assert!(client.snapshot(move |snapshot| reply.send(snapshot).expect("the test waits")));
    answer
        .recv_timeout(HANGING)
        .expect("a stopped worker must not stop a snapshot")
}

fn count(snapshot: &Snapshot) -> u64 {
    let table = &snapshot.tables[0];
    let words = table.layout.words();
    let rows = table.chunks.iter().flat_map(|chunk| {
        let rows = chunk.cells.iter().zip(chunk.rows.chunks_exact(words));
        rows.filter(|(cell, _)| cell.identity.is_some())
            .map(|(_, row)| row)
    });
    rows.map(|row| table.layout.count(row)).sum()
}

fn others_go_on_while_one_is(stop: Stop) {
    let (client, joined, mut workers) = start();
    let mut stopped = workers.pop().expect("two workers");
    let mut other = workers.pop().expect("two workers");
    // What the stopped worker counted before is in a window that it may hold now.
    stopped.run();
    let (reached, is_reached) = sync_channel(0);
    let (go_on, may_go_on) = sync_channel(0);
    let stopped = thread::spawn(move || {
        let gate = Gate {
            reached,
            go_on: may_go_on,
        };
        stopped.run_stopping(stop, &gate);
        stopped
    });
    is_reached
        .recv_timeout(HANGING)
        .expect("the worker gets to its stop");

    let (done, is_done) = sync_channel(1);
    let ingesting = thread::spawn(move || {
        for _ in 0..1_000_000 / ROWS {
            other.run();
        }
        done.send(()).expect("the test waits");
        other
    });
    let before = count(&snapshot(&client));
    is_done
        .recv_timeout(HANGING)
        .expect("the other worker ingests a million rows");
    let seen = count(&snapshot(&client));
    let rows = ROWS as u64;
    let of_stopped = match stop {
        Stop::BeforeTake => rows,
        Stop::AfterTake | Stop::MidObserve | Stop::BeforeGive => 0,
        Stop::AfterGive => 3 * rows,
    };
    assert!(before <= seen);
    assert_eq!(seen, 1_000_000 + of_stopped);

    go_on.send(()).expect("the worker waits");
    let _stopped = stopped.join().expect("the worker ends");
    let _other = ingesting.join().expect("the worker ends");
    assert_eq!(count(&snapshot(&client)), 1_000_000 + 3 * rows);
    let (reply, last) = sync_channel(1);
    assert!(client.stop(move |snapshot| reply.send(snapshot).expect("the test waits")));
    assert_eq!(
        count(&last.recv_timeout(HANGING).expect("a last fold")),
        1_000_000 + 3 * rows
    );
    joined.join().expect("the folder ends");
}

#[test]
fn others_go_on_while_one_is_before_its_run() {
    others_go_on_while_one_is(Stop::BeforeTake);
}

#[test]
fn others_go_on_while_one_has_taken_its_window() {
    others_go_on_while_one_is(Stop::AfterTake);
}

#[test]
fn others_go_on_while_one_observes() {
    others_go_on_while_one_is(Stop::MidObserve);
}

#[test]
fn others_go_on_while_one_is_about_to_give() {
    others_go_on_while_one_is(Stop::BeforeGive);
}

#[test]
fn others_go_on_while_one_has_given() {
    others_go_on_while_one_is(Stop::AfterGive);
}
