//! A run: threads with connections, each with lanes that take turns, send and book what came of it.
//!
//! A thread has a runtime of its own; connections are dealt to threads in turn. A lane is one request
//! in flight. Only the schedule and the tally (locked once a request) are shared.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::time::ClockId;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use super::client::{Connection, Outcome};
use super::error::GenerateError;
use super::latencies::Latencies;
use super::load::Load;
use super::scenario::Scenario;
use super::schedule::{Pace, Schedule, Turn};
use super::source::{Compression, Deck, Framing, Protocol, Source};
use super::tally::Tally;
use super::target::Target;
use super::totals::{BoundsNs, Ledger, Sent};
use crate::telemetry::process::clock;

/// After a failed attempt to connect.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone, Debug)]
pub struct RunOptions {
    pub target: Target,
    pub protocol: Protocol,
    pub compression: Compression,
    pub pace: Pace,
    pub threads: usize,
    pub connections: usize,
    /// Requests in flight on each connection; HTTP/1.1 has one.
    pub in_flight: usize,
    /// An answer that takes longer is none.
    pub answer_timeout: Duration,
    /// Distinct requests made before the run and sent over and over; 0: each is made when it is sent.
    pub prepared: usize,
    pub prepared_bytes_max: usize,
    pub load: Scenario,
    /// Buckets to keep totals in; `None`: nobody will ask for totals.
    pub totals: Option<BoundsNs>,
}

/// A run that is under way.
pub struct Running {
    pub load: Arc<Load>,
    begun: Instant,
    deck: Arc<Deck>,
    totals: Option<BoundsNs>,
    tallies: Vec<Arc<Mutex<Tally>>>,
    threads: Vec<JoinHandle<Closed>>,
    stop: watch::Sender<bool>,
    ended: mpsc::Receiver<()>,
}

/// What a thread leaves.
struct Closed {
    ledger: Option<Ledger>,
    cpu: Duration,
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    pub tally: Tally,
    pub sent: Option<Sent>,
    pub elapsed: Duration,
    /// Processor time of the sending threads.
    pub cpu: Duration,
    pub threads: usize,
}

/// What the lanes of a thread share.
struct Thread {
    options: Arc<RunOptions>,
    schedule: Arc<Schedule>,
    deck: Arc<Deck>,
    source: RefCell<Source>,
    ledger: RefCell<Option<Ledger>>,
    tally: Arc<Mutex<Tally>>,
}

/// Makes the load and starts the run.
///
/// # Errors
/// When the target is no address or a thread cannot be started.
pub fn start(options: RunOptions) -> Result<Running, GenerateError> {
    let load = Arc::new(Load::new(options.load.clone()));
    let framing = Framing {
        protocol: options.protocol,
        compression: options.compression,
    };
    let deck = if options.prepared == 0 {
        Deck::default()
    } else {
        let mut source = Source::new(&load, framing);
        Deck::prepare(&mut source, options.prepared, options.prepared_bytes_max)
    };
    // A wrong address shows here, before anything runs.
    Connection::new(&options.target, framing)?;

    let options = Arc::new(options);
    let deck = Arc::new(deck);
    let (stop, stopped) = watch::channel(false);
    let (alive, ended) = mpsc::channel(1);
    let begun = Instant::now();
    let spans_per_request = options.load.spans_per_request;
    let schedule = Arc::new(Schedule::new(
        options.pace,
        spans_per_request,
        begun,
        stopped,
    ));
    let mut running = Running {
        load,
        begun,
        deck,
        totals: options.totals.clone(),
        tallies: Vec::new(),
        threads: Vec::new(),
        stop,
        ended,
    };
    for index in 0..options.threads.min(options.connections) {
        let tally = Arc::<Mutex<Tally>>::default();
        running.tallies.push(Arc::clone(&tally));
        let load = Arc::clone(&running.load);
        let (options, schedule) = (Arc::clone(&options), Arc::clone(&schedule));
        let (deck, alive) = (Arc::clone(&running.deck), alive.clone());
        let thread = std::thread::Builder::new()
            .name(format!("generate-{index}"))
            .spawn(move || {
                let connections = share(options.connections, options.threads, index);
                let thread = Thread {
                    ledger: RefCell::new(
                        options
                            .totals
                            .as_ref()
                            .map(|bounds| Ledger::new(bounds, deck.len())),
                    ),
                    source: RefCell::new(Source::new(&load, framing)),
                    options,
                    schedule,
                    deck,
                    tally,
                };
                let closed = thread.run(connections, framing);
                drop(alive);
                closed
            })
            .map_err(|source| GenerateError::Thread { source })?;
        running.threads.push(thread);
    }
    Ok(running)
}

/// How many of `count` things the `index`-th of `parts` gets.
fn share(count: usize, parts: usize, index: usize) -> usize {
    count / parts + usize::from(index < count % parts)
}

impl Thread {
    fn run(self, connections: usize, framing: Framing) -> Closed {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime needs a few descriptors and one thread that is there");
        let thread = Rc::new(self);
        let local = LocalSet::new();
        let mut lanes = Vec::new();
        for _ in 0..connections {
            let connection = Connection::new(&thread.options.target, framing)
                .expect("the address was checked before the start");
            let connection = Rc::new(connection);
            for _ in 0..thread.options.in_flight {
                lanes.push(local.spawn_local(lane(Rc::clone(&thread), Rc::clone(&connection))));
            }
        }
        runtime.block_on(local.run_until(async {
            for lane in lanes {
                lane.await.expect("a lane neither panics nor is aborted");
            }
        }));
        Closed {
            ledger: thread.ledger.take(),
            cpu: clock(ClockId::ThreadCPUTime),
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request in flight after the other, until the run is over.
async fn lane(thread: Rc<Thread>, connection: Rc<Connection>) {
    while let Some(turn) = thread.schedule.take() {
        let Some(counted_from) = thread.schedule.wait(turn).await else {
            break;
        };
        if connection.open().await.is_err() {
            thread.tally().add_unsent(turn.spans);
            tokio::time::sleep(RECONNECT_PAUSE).await;
            continue;
        }
        send(&thread, &connection, turn, counted_from).await;
    }
}

async fn send(thread: &Thread, connection: &Connection, turn: Turn, counted_from: Instant) {
    let outgoing = thread
        .source
        .borrow_mut()
        .request(&thread.deck, turn.number, turn.spans);
    let body_bytes = outgoing.body.len();
    let sending = connection.send(outgoing.body);
    let outcome = tokio::time::timeout(thread.options.answer_timeout, sending)
        .await
        .unwrap_or(Outcome::Unanswered);
    let latency = counted_from.elapsed();
    thread
        .tally()
        .add(&outcome, turn.spans, body_bytes, latency);
    if let Some(ledger) = thread.ledger.borrow_mut().as_mut() {
        ledger.book(&outgoing.content, outcome == Outcome::Acknowledged);
    }
}

impl Running {
    /// Everything so far. The latencies of `latencies_recent` are given once.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for tally in &self.tallies {
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            sum.merge(&tally);
            tally.latencies_recent = Latencies::default();
        }
        sum
    }

    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Requests that the deck holds; 0 when each is made as it is sent.
    #[must_use]
    pub fn prepared(&self) -> usize {
        self.deck.len()
    }

    /// No request is sent any more; those in flight are waited for.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Returns when all threads have ended.
    pub async fn ended(&mut self) {
        // Nothing is ever sent: the channel closes when the last thread has dropped its end.
        while self.ended.recv().await.is_some() {}
    }

    /// Waits for the threads and adds up what they sent.
    ///
    /// # Panics
    /// When a sending thread has panicked.
    #[must_use]
    pub fn finish(self) -> Finished {
        let mut cpu = Duration::ZERO;
        let mut sent = self.totals.as_ref().map(Sent::new);
        let thread_count = self.threads.len();
        let mut tally = Tally::default();
        for thread in self.threads {
            let closed = thread.join().expect("a sending thread does not panic");
            cpu += closed.cpu;
            if let (Some(ledger), Some(sent)) = (closed.ledger, sent.as_mut()) {
                ledger.close(&self.deck, sent);
            }
        }
        let elapsed = self.begun.elapsed();
        for thread in &self.tallies {
            tally.merge(&thread.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Finished {
            tally,
            sent,
            elapsed,
            cpu,
            threads: thread_count,
        }
    }
}

/// A sending thread that is busy for this share of the run was what limited it.
const BUSY_SHARE: f64 = 0.9;

impl Finished {
    /// Whether the target could have taken more than the generator sent.
    #[must_use]
    pub fn is_generator_limit(&self) -> bool {
        let available = self.elapsed.as_secs_f64() * self.threads as f64;
        self.cpu.as_secs_f64() > BUSY_SHARE * available
    }
}
