//! A sending thread: its connections, and the lanes on each that take turns, send and book.
//!
//! A lane is one request in flight. Only the schedule and the tally (each locked a few times a
//! request, the tally by the live line a few times a second) are shared with other threads.
//!
//! In an open loop one free lane of a thread waits for the time of its turn, the others for it: turns
//! are due in their order, and a thread needs one timer, however many lanes it has.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use super::capture::{Captured, Recorder};
use super::client::{Connection, Outcome};
use super::item_totals::ItemTotals;
use super::limit::Effort;
use super::options::RunOptions;
use super::schedule::{Departure, Schedule, Turn};
use super::source::{Deck, Outgoing, Source};
use super::tally::Tally;
use super::timer::Timer;
use super::totals::Ledger;

/// After a failed attempt to connect.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// What the lanes of a thread share.
pub(super) struct Thread {
    pub(super) options: Arc<RunOptions>,
    pub(super) schedule: Arc<Schedule>,
    pub(super) deck: Arc<Deck>,
    pub(super) recorder: Option<Arc<Recorder>>,
    pub(super) source: RefCell<Source>,
    pub(super) ledger: RefCell<Option<Ledger>>,
    pub(super) items: RefCell<Option<ItemTotals>>,
    pub(super) tally: Arc<Mutex<Tally>>,
}

/// The timer of a thread whose turns have a time, held by the lane whose turn is next.
type Clock = Option<tokio::sync::Mutex<Timer>>;

/// What a thread leaves.
pub(super) struct Closed {
    pub(super) ledger: Option<Ledger>,
    pub(super) items: Option<ItemTotals>,
    pub(super) effort: Effort,
}

impl Thread {
    /// Sends over `connections` connections until the run is over.
    pub(super) fn run(self, connections: usize) -> Closed {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime needs a few descriptors and one thread that is there");
        let clock = Rc::new(self.clock(&runtime));
        let thread = Rc::new(self);
        let local = LocalSet::new();
        let mut lanes = Vec::new();
        for _ in 0..connections {
            let options = &thread.options;
            let connection = Connection::new(
                &options.target,
                options.protocol.is_grpc(),
                options.answer_timeout,
            );
            let connection = Rc::new(connection);
            for _ in 0..options.in_flight {
                let (thread, clock) = (Rc::clone(&thread), Rc::clone(&clock));
                lanes.push(local.spawn_local(lane(thread, Rc::clone(&connection), clock)));
            }
        }
        runtime.block_on(local.run_until(async {
            for lane in lanes {
                lane.await.expect("a lane neither panics nor is aborted");
            }
        }));
        Closed {
            ledger: thread.ledger.take(),
            items: thread.items.take(),
            effort: Effort::of_this_thread(),
        }
    }

    fn clock(&self, runtime: &tokio::runtime::Runtime) -> Clock {
        let _within = runtime.enter();
        self.schedule.is_open().then(|| {
            let timer = Timer::new();
            timer
                .expect("one descriptor more than the runtime has")
                .into()
        })
    }

    /// The next turn, when its time has come. `None`: the run is over.
    async fn next(&self, clock: &Clock) -> Option<(Turn, Departure)> {
        let Some(clock) = clock else {
            return Some((self.schedule.take()?, Departure::now()));
        };
        let free_since = Instant::now();
        let timer = clock.lock().await;
        let turn = self.schedule.take()?;
        let due = turn.due.expect("turns of an open loop have a time");
        let departure = self.schedule.wait(due, free_since, &timer).await?;
        Some((turn, departure))
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request in flight after the other, until the run is over.
async fn lane(thread: Rc<Thread>, connection: Rc<Connection>, clock: Rc<Clock>) {
    while let Some((turn, departure)) = thread.next(&clock).await {
        if connection.open(thread.schedule.ended()).await {
            send(&thread, &connection, turn, departure).await;
            continue;
        }
        let plan = thread.source.borrow().plan(turn.number);
        thread
            .tally()
            .add_unsent(plan.signal, plan.defect, turn.items);
        tokio::select! {
            () = tokio::time::sleep(RECONNECT_PAUSE) => {}
            () = thread.schedule.ended() => {}
        }
    }
}

async fn send(thread: &Thread, connection: &Connection, turn: Turn, departure: Departure) {
    let outgoing = thread
        .source
        .borrow_mut()
        .request(&thread.deck, turn.number, turn.items);
    if let Some(recorder) = &thread.recorder {
        recorder.record(captured(&outgoing, thread.options.protocol.is_grpc()));
    }
    let (plan, body_bytes) = (outgoing.plan, outgoing.body.len());
    let sending = connection.send(&outgoing.head, outgoing.body);
    let outcome = tokio::time::timeout(thread.options.answer_timeout, sending)
        .await
        .unwrap_or(Outcome::Unanswered);
    let latency = departure.counted_from.elapsed();
    let mut tally = thread.tally();
    tally.add_departure(departure.overslept);
    match plan.defect {
        None => tally.add(plan.signal, &outcome, turn.items, body_bytes, latency),
        Some(defect) => tally.add_malformed(defect, &outcome, body_bytes),
    }
    drop(tally);
    let is_acknowledged = outcome == Outcome::Acknowledged;
    if let Some(ledger) = thread.ledger.borrow_mut().as_mut() {
        ledger.book(&outgoing.content, is_acknowledged);
    }
    if let Some(items) = thread.items.borrow_mut().as_mut()
        && is_acknowledged
    {
        items.book(&outgoing.content);
    }
}

fn captured(outgoing: &Outgoing, is_grpc: bool) -> Captured {
    let head = &outgoing.head;
    Captured {
        at: Duration::ZERO,
        is_grpc,
        path: head.path.clone(),
        content_type: head.content_type.clone(),
        encoding: head.encoding.clone(),
        body: outgoing.body.clone(),
    }
}
