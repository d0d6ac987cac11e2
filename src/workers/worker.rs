//! One worker, seen from its own thread: connections come in, complete requests are run.
//!
//! Everything here belongs to one thread, hence `Rc` and `RefCell`. Connections push complete
//! requests; the runner lets all that became ready in this turn of the loop push first, then calls
//! the station with what there is. Nothing here looks at a body.
//!
//! Runs on a worker core, per run of requests; no unsafe.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::crew::{Connection, Crew, Seat};
use super::queue::{REQUESTS_PER_RUN_MAX, Ready};
use super::request::{Request, Station};

/// What a connection sees of the worker that serves it.
pub struct Worker {
    index: usize,
    crew: Arc<Crew>,
    ready: RefCell<Ready>,
    /// No connection is left: the runner ends once nothing is ready.
    closing: Cell<bool>,
    drain: watch::Receiver<bool>,
    /// One value per type, for what a receiver keeps per worker.
    locals: RefCell<Vec<Rc<dyn Any>>>,
}

impl Worker {
    /// Of this worker among all, from 0: the shard of its counters.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Queues a complete request for the next run.
    pub fn push(&self, request: Request) {
        self.ready.borrow_mut().push(request);
        self.seat().wake.notify_one();
    }

    /// Turns true when connections are to end.
    #[must_use]
    pub fn drain(&self) -> watch::Receiver<bool> {
        self.drain.clone()
    }

    /// This worker's own `T`: the same for every connection, made at the first call.
    pub fn local<T: Default + 'static>(&self) -> Rc<T> {
        let mut locals = self.locals.borrow_mut();
        let known = locals
            .iter()
            .find_map(|local| Rc::clone(local).downcast::<T>().ok());
        known.unwrap_or_else(|| {
            let made = Rc::new(T::default());
            locals.push(Rc::clone(&made) as Rc<dyn Any>);
            made
        })
    }

    fn seat(&self) -> &Seat {
        &self.crew.seats[self.index]
    }

    /// Whether another run can follow at once. What is pushed later wakes the runner again.
    fn has_more(&self) -> bool {
        !self.ready.borrow().is_empty() || self.crew.has_shared()
    }

    /// Fills `run` with what is ready here, or else with what others gave away.
    fn next_run(&self, run: &mut Vec<Request>) {
        let mut gave = false;
        self.ready.borrow_mut().next_run(run, |request| {
            let given = self.crew.hand_over(self.index, request);
            gave |= given.is_ok();
            given
        });
        // What was just given away is not taken back before the other had a chance.
        if run.is_empty() && !gave {
            self.crew.take_shared(run);
        }
    }
}

/// Serves a worker's thread until `drain`, then until its connections have ended, at most
/// `drain_wait_max`.
pub(super) async fn work(
    index: usize,
    crew: Arc<Crew>,
    station: Box<dyn Station>,
    dealt: mpsc::Receiver<Connection>,
    drain: watch::Receiver<bool>,
    drain_wait_max: Duration,
) {
    let worker = Rc::new(Worker {
        index,
        crew,
        ready: RefCell::default(),
        closing: Cell::new(false),
        drain,
        locals: RefCell::default(),
    });
    // PERF: a task of its own, since a wake of this future would go through the kernel.
    let mut runner = tokio::task::spawn_local(run_ready(Rc::clone(&worker), station));
    tokio::select! {
        ended = &mut runner => return propagate(ended),
        () = serve_dealt(&worker, dealt, drain_wait_max) => {}
    }
    worker.closing.set(true);
    worker.seat().wake.notify_one();
    propagate(runner.await);
}

/// A station that panicked takes its worker with it: its window may be half written. Clients of
/// its requests are told to try again, other workers go on, `Workers::join` tells.
fn propagate(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Runs requests as they become ready; ends, and with it the station, after the last one.
async fn run_ready(worker: Rc<Worker>, mut station: Box<dyn Station>) {
    let mut run = Vec::with_capacity(REQUESTS_PER_RUN_MAX);
    loop {
        worker.seat().wake.notified().await;
        loop {
            end_of_turn().await;
            worker.next_run(&mut run);
            if run.is_empty() {
                break;
            }
            station.run(&mut run);
            // A request that the station left unanswered is refused by being dropped.
            run.clear();
            if !worker.has_more() {
                break;
            }
        }
        if worker.closing.get() {
            worker.seat().end();
            worker.crew.take_shared(&mut run);
            if run.is_empty() {
                break;
            }
            station.run(&mut run);
            run.clear();
            worker.seat().wake.notify_one();
        }
    }
}

/// Lets every task that is ready now go first. Unlike the runtime's own yield this does not ask
/// the kernel for new events, a system call that each run would pay.
async fn end_of_turn() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Serves the connections dealt to this worker until the drain, then to their end.
async fn serve_dealt(
    worker: &Rc<Worker>,
    mut dealt: mpsc::Receiver<Connection>,
    drain_wait_max: Duration,
) {
    let mut connections = JoinSet::new();
    let mut drain = worker.drain();
    let mut draining = std::pin::pin!(drain.wait_for(|draining| *draining));
    loop {
        tokio::select! {
            biased;
            Some(_) = connections.join_next() => ended(worker),
            Some(connection) = dealt.recv() => {
                connections.spawn_local(connection(Rc::clone(worker)));
            }
            _ = &mut draining => break,
        }
    }
    dealt.close();
    while let Some(connection) = dealt.recv().await {
        connections.spawn_local(connection(Rc::clone(worker)));
    }
    let finish = async {
        while connections.join_next().await.is_some() {
            ended(worker);
        }
    };
    if tokio::time::timeout(drain_wait_max, finish).await.is_err() {
        connections.shutdown().await;
    }
}

fn ended(worker: &Worker) {
    let connections = &worker.seat().connections;
    connections.fetch_sub(1, Ordering::Relaxed);
}
