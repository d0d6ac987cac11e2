//! The worker threads: started together, drained together.
//!
//! Shutdown, in order:
//! 1. [`Workers::stop`] turns the drain signal on. Acceptors close their listeners: a new client is
//!    refused by the kernel and goes elsewhere.
//! 2. Each connection says GOAWAY or `connection: close` and finishes what is in flight. What was
//!    dealt but not yet picked up is served the same way, so no accepted connection is forgotten.
//! 3. A worker whose connections have ended runs what is still ready, its own and the shared. After
//!    `drain_wait_max` it drops the connections that are left; their requests still run.
//! 4. It drops its station on its own thread (which hands over the window), and the thread ends.
//! 5. [`Workers::join`] returns when the last thread has ended.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::LocalSet;

use super::crew::{Crew, Dealer};
use super::request::Station;
use super::worker::work;

/// Builds a worker's station on its own thread.
pub type BuildStation = Box<dyn FnOnce() -> Box<dyn Station> + Send>;

#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// Binds each worker to one of the allowed cores. Off unless asked for: all sidecars of a node
    /// would land on its first cores.
    pub pin: bool,
    /// How long connections may take to end once they are told to.
    pub drain_wait_max: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            pin: false,
            drain_wait_max: Duration::from_secs(5),
        }
    }
}

pub struct Workers {
    crew: Arc<Crew>,
    drain: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// So many worker threads ended by a panic: a bug of ours.
#[derive(Debug, thiserror::Error)]
#[error("{workers} workers ended by a panic")]
pub struct WorkersPanicked {
    pub workers: usize,
}

impl Workers {
    /// Starts one thread per station.
    ///
    /// # Errors
    /// The system gives no thread or no event queue, or the affinity cannot be set.
    pub fn start(stations: Vec<BuildStation>, options: WorkerOptions) -> io::Result<Self> {
        let (crew, dealt) = Crew::new(stations.len());
        let (drain, _) = watch::channel(false);
        let cores = if options.pin {
            allowed_cores()?
        } else {
            Vec::new()
        };
        let mut workers = Self {
            crew,
            drain,
            threads: Vec::new(),
        };
        for (index, (station, dealt)) in stations.into_iter().zip(dealt).enumerate() {
            let runtime = runtime(&workers.crew, index)?;
            let crew = Arc::clone(&workers.crew);
            let drain = workers.drain.subscribe();
            let core = (!cores.is_empty()).then(|| cores[index % cores.len()]);
            let (started, wait) = std::sync::mpsc::sync_channel(1);
            let thread = std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || {
                    let pinned = core.map_or(Ok(()), pin_to);
                    let ready = pinned.is_ok();
                    // The starter waits for this answer and nothing else.
                    let _ = started.send(pinned);
                    if ready {
                        let work =
                            work(index, crew, station(), dealt, drain, options.drain_wait_max);
                        LocalSet::new().block_on(&runtime, work);
                    }
                })?;
            workers.threads.push(thread);
            wait.recv().map_err(io::Error::other)??;
        }
        Ok(workers)
    }

    #[must_use]
    pub fn dealer(&self) -> Dealer {
        Dealer {
            crew: Arc::clone(&self.crew),
            drain: self.drain.subscribe(),
        }
    }

    /// Tells acceptors and connections to end. Returns at once.
    pub fn stop(&self) {
        self.drain.send_replace(true);
    }

    /// Stops, and blocks until every thread has ended.
    ///
    /// # Errors
    /// A worker had panicked.
    pub fn join(mut self) -> Result<(), WorkersPanicked> {
        self.stop();
        let ended = self.threads.drain(..).map(JoinHandle::join);
        match ended.filter(Result::is_err).count() {
            0 => Ok(()),
            workers => Err(WorkersPanicked { workers }),
        }
    }
}

/// A start that failed half-way, or an owner that does not wait, leaves no thread running for ever.
impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}

fn runtime(crew: &Arc<Crew>, index: usize) -> io::Result<Runtime> {
    let (park, unpark) = (Arc::clone(crew), Arc::clone(crew));
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || park.seats[index].park())
        .on_thread_unpark(move || unpark.seats[index].unpark())
        .build()
}

fn allowed_cores() -> io::Result<Vec<usize>> {
    let allowed = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|core| allowed.is_set(*core))
        .collect())
}

fn pin_to(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests;
