//! A run: options in, threads that send, and in the end what came of it.
//!
//! A thread has a runtime of its own; connections are dealt to threads in turn.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::time::ClockId;
use tokio::sync::{mpsc, watch};

use super::capture::{CaptureSummary, Recorder};
use super::error::GenerateError;
use super::item_totals::ItemTotals;
use super::lanes::{Closed, Thread};
use super::latencies::Latencies;
use super::limit::{Effort, Limit};
use super::load::Load;
use super::makers::Worlds;
use super::options::RunOptions;
use super::schedule::Schedule;
use super::source::{Deck, Source};
use super::tally::Tally;
use super::totals::{Ledger, Sent};
use crate::telemetry::process::clock;

/// A run that is under way.
pub struct Running {
    pub load: Arc<Load>,
    worlds: Worlds,
    options: Arc<RunOptions>,
    begun: Instant,
    /// Of the whole process, before the run.
    cpu_before: Duration,
    schedule: Arc<Schedule>,
    deck: Arc<Deck>,
    recorder: Option<Arc<Recorder>>,
    tallies: Vec<Arc<Mutex<Tally>>>,
    threads: Vec<JoinHandle<Closed>>,
    stop: watch::Sender<Option<Instant>>,
    ended: mpsc::Receiver<()>,
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    pub options: Arc<RunOptions>,
    pub tally: Tally,
    pub sent: Option<Sent>,
    /// What the acknowledged points and records add up to, if somebody asked.
    pub item_totals: Option<serde_json::Value>,
    pub elapsed: Duration,
    /// Of each sending thread.
    pub efforts: Vec<Effort>,
    /// Processor time of the whole process during the run, user and system.
    pub process_cpu: Duration,
    /// Requests of an open loop that were due, and for which no lane was free before the end.
    pub missed: u64,
    /// Requests that were made before the run.
    pub prepared: usize,
    pub capture: Option<Result<CaptureSummary, GenerateError>>,
}

/// Makes the load and starts the run.
///
/// # Errors
/// When the target is no address, a thread cannot be started or a file cannot be made.
pub fn start(options: RunOptions) -> Result<Running, GenerateError> {
    let worlds = Worlds::new(&options)?;
    let options = Arc::new(options);
    let mut sources = Vec::new();
    for _ in 0..options.threads.min(options.connections) {
        sources.push(Source::new(&options, &worlds)?);
    }
    let deck = match sources.first_mut() {
        Some(source) if options.prepared > 0 && options.replay.is_none() => {
            Deck::prepare(source, options.prepared, options.prepared_bytes_max)
        }
        _ => Deck::default(),
    };
    let recorder = options.capture.as_ref().map(Recorder::create).transpose()?;

    let (stop, stopped) = watch::channel(None);
    let (alive, ended) = mpsc::channel(1);
    let begun = Instant::now();
    let schedule = Schedule::new(&options, begun, stopped);
    let mut running = Running {
        load: Arc::clone(&worlds.traces),
        worlds,
        options,
        begun,
        cpu_before: clock(ClockId::ProcessCPUTime),
        schedule: Arc::new(schedule),
        deck: Arc::new(deck),
        recorder: recorder.map(Arc::new),
        tallies: Vec::new(),
        threads: Vec::new(),
        stop,
        ended,
    };
    for (index, source) in sources.into_iter().enumerate() {
        running.spawn(index, source, alive.clone())?;
    }
    Ok(running)
}

/// How many of `count` things the `index`-th of `parts` gets.
fn share(count: usize, parts: usize, index: usize) -> usize {
    count / parts + usize::from(index < count % parts)
}

impl Running {
    fn spawn(
        &mut self,
        index: usize,
        source: Source,
        alive: mpsc::Sender<()>,
    ) -> Result<(), GenerateError> {
        let tally = Arc::<Mutex<Tally>>::default();
        self.tallies.push(Arc::clone(&tally));
        let (options, schedule) = (Arc::clone(&self.options), Arc::clone(&self.schedule));
        let (deck, recorder) = (Arc::clone(&self.deck), self.recorder.clone());
        let items = options.item_totals.then(|| ItemTotals::new(&self.worlds));
        let body = move || {
            let connections = share(options.connections, options.threads, index);
            let ledger = options
                .totals
                .as_ref()
                .map(|bounds| Ledger::new(bounds, deck.len()));
            let thread = Thread {
                ledger: RefCell::new(ledger),
                items: RefCell::new(items),
                source: RefCell::new(source),
                options,
                schedule,
                deck,
                recorder,
                tally,
            };
            let closed = thread.run(connections);
            drop(alive);
            closed
        };
        let thread = std::thread::Builder::new()
            .name(format!("generate-{index}"))
            .spawn(body)
            .map_err(|source| GenerateError::Thread { source })?;
        self.threads.push(thread);
        Ok(())
    }

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

    /// Whether requests are those of a capture, and items are not known.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.options.replay.is_some()
    }

    /// No request is sent any more; those in flight are waited for.
    pub fn stop(&self) {
        self.stop.send_if_modified(|stopped| {
            let is_first = stopped.is_none();
            stopped.get_or_insert_with(Instant::now);
            is_first
        });
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
        let mut sent = self.options.totals.as_ref().map(Sent::new);
        let mut items = self
            .options
            .item_totals
            .then(|| ItemTotals::new(&self.worlds));
        let mut efforts = Vec::new();
        for thread in self.threads {
            let closed = thread.join().expect("a sending thread does not panic");
            efforts.push(closed.effort);
            if let (Some(ledger), Some(sent)) = (closed.ledger, sent.as_mut()) {
                ledger.close(&self.deck, sent);
            }
            if let (Some(closed), Some(items)) = (&closed.items, items.as_mut()) {
                items.close(closed, &self.deck);
            }
        }
        let elapsed = self.begun.elapsed();
        let process_cpu = clock(ClockId::ProcessCPUTime).saturating_sub(self.cpu_before);
        let mut tally = Tally::default();
        for thread in &self.tallies {
            tally.merge(&thread.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let capture = self.recorder.map(|recorder| recorder.finish());
        let had_turn = tally.sent().items + tally.unsent().items;
        Finished {
            missed: self.schedule.missed(tally.requests(), had_turn),
            tally,
            sent,
            item_totals: items.map(|items| items.json()),
            elapsed,
            efforts,
            process_cpu,
            prepared: self.deck.len(),
            capture,
            options: self.options,
        }
    }
}

impl Finished {
    /// Processor time of the sending threads.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.efforts.iter().map(|effort| effort.cpu).sum()
    }

    /// What kept the generator from sending more, if it was the generator.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        let requests = self.tally.requests();
        Limit::find(&self.efforts, self.elapsed, requests, self.tally.overslept)
    }
}
