//! What the threads share: a seat for each worker, and the queue of requests that may run anywhere.
//!
//! # State
//! A seat is `BUSY`, `PARKED` or `ENDED`; the shared queue holds requests.
//!
//! # Who may touch what
//! A seat's own thread parks, unparks and ends it; other workers claim it. Anyone sends to and
//! takes from the shared queue.
//!
//! # Transitions
//! | from | to | by |
//! |---|---|---|
//! | any | `PARKED` | own thread, before it sleeps |
//! | any | `BUSY` | own thread, when it wakes |
//! | `PARKED` | `BUSY` | another worker that put a request in the shared queue: it then wakes the seat |
//! | any | `ENDED` | own thread, before it looks into the shared queue for the last time |
//!
//! # Why no request is forgotten
//! Whoever puts a request into the shared queue and then claims no seat takes it back itself. A
//! claimed seat was parked after the request was in the queue, so its thread wakes, and looks into
//! the queue before it sleeps or ends. A seat that has ended cannot be claimed.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use tokio::sync::{Notify, mpsc, watch};

use super::queue::{SHARED_REQUESTS_MAX, is_full};
use super::request::Request;
use super::worker::Worker;
use crate::telemetry::padded::Padded;

/// What serves one connection on the worker it is dealt to.
pub type Connection =
    Box<dyn FnOnce(Rc<Worker>) -> Pin<Box<dyn Future<Output = ()>>> + Send + 'static>;

/// Connections dealt to a worker that it has not picked up yet; the acceptor waits beyond.
const DEALT_MAX: usize = 64;

const BUSY: u8 = 0;
const PARKED: u8 = 1;
const ENDED: u8 = 2;

/// One worker as the others see it. Padded, for its thread writes with every sleep.
pub(super) struct Seat {
    state: AtomicU8,
    /// Connections dealt and not ended.
    pub(super) connections: AtomicUsize,
    /// Wakes the worker's runner.
    pub(super) wake: Notify,
    dealt: mpsc::Sender<Connection>,
}

impl Seat {
    pub(super) fn park(&self) {
        // ORDERING: pairs with `claim`: who claims this seat sees that it looked into the queue
        // before it went to sleep.
        self.state.store(PARKED, Ordering::Release);
    }

    pub(super) fn unpark(&self) {
        // ORDERING: pairs with `claim`: what was sent before the claim is seen from here on.
        self.state.swap(BUSY, Ordering::AcqRel);
    }

    pub(super) fn end(&self) {
        // ORDERING: as in `unpark`; the last look into the queue comes after.
        self.state.swap(ENDED, Ordering::AcqRel);
    }

    /// Takes a sleeping worker for a request that is in the queue already.
    fn claim(&self) -> bool {
        // ORDERING: pairs with `park`, `unpark` and `end`.
        self.state
            .compare_exchange(PARKED, BUSY, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    pub(super) fn looks_parked(&self) -> bool {
        self.state.load(Ordering::Relaxed) == PARKED
    }
}

pub(super) struct Crew {
    pub(super) seats: Vec<Padded<Seat>>,
    shared_in: Sender<Request>,
    shared_out: Receiver<Request>,
}

impl Crew {
    /// A crew and the ends at which its workers pick up connections.
    pub(super) fn new(workers: usize) -> (Arc<Self>, Vec<mpsc::Receiver<Connection>>) {
        let (shared_in, shared_out) = crossbeam_channel::bounded(SHARED_REQUESTS_MAX);
        let (seats, dealt) = (0..workers)
            .map(|_| {
                let (dealt, pick_up) = mpsc::channel(DEALT_MAX);
                let seat = Seat {
                    state: AtomicU8::new(BUSY),
                    connections: AtomicUsize::new(0),
                    wake: Notify::new(),
                    dealt,
                };
                (Padded(seat), pick_up)
            })
            .unzip();
        let crew = Self {
            seats,
            shared_in,
            shared_out,
        };
        (Arc::new(crew), dealt)
    }

    /// Gives `request` to a sleeping worker other than `own`, or returns it.
    pub(super) fn hand_over(&self, own: usize, request: Request) -> Result<(), Request> {
        let mut others = self.others(own);
        if !others.any(Seat::looks_parked) {
            return Err(request);
        }
        self.shared_in
            .try_send(request)
            .map_err(TrySendError::into_inner)?;
        let claimed = self.others(own).find(|seat| seat.claim());
        claimed.unwrap_or(&self.seats[own]).wake.notify_one();
        Ok(())
    }

    fn others(&self, own: usize) -> impl Iterator<Item = &Seat> {
        let seats = self.seats.iter().enumerate();
        seats.filter_map(move |(index, Padded(seat))| (index != own).then_some(seat))
    }

    /// Whether the shared queue holds a request at the moment.
    pub(super) fn has_shared(&self) -> bool {
        !self.shared_out.is_empty()
    }

    /// Fills `run` from the shared queue. The last body may exceed a run's bytes.
    pub(super) fn take_shared(&self, run: &mut Vec<Request>) {
        let mut bytes = 0;
        while !is_full(run.len(), bytes, 1) {
            let Ok(request) = self.shared_out.try_recv() else {
                break;
            };
            bytes += request.body.len();
            run.push(request);
        }
    }
}

/// Deals connections to the workers. Cheap to clone.
#[derive(Clone)]
pub struct Dealer {
    pub(super) crew: Arc<Crew>,
    pub(super) drain: watch::Receiver<bool>,
}

impl Dealer {
    /// Deals to the least loaded worker, and waits while its connections pile up. False: no worker
    /// takes connections any more.
    pub async fn deal(&self, connection: Connection) -> bool {
        let open = self
            .crew
            .seats
            .iter()
            .filter(|seat| !seat.dealt.is_closed());
        let Some(seat) = open.min_by_key(|seat| seat.connections.load(Ordering::Relaxed)) else {
            return false;
        };
        seat.connections.fetch_add(1, Ordering::Relaxed);
        let dealt = seat.dealt.send(connection).await.is_ok();
        if !dealt {
            seat.connections.fetch_sub(1, Ordering::Relaxed);
        }
        dealt
    }

    /// Turns true when connections are to end.
    #[must_use]
    pub fn drain(&self) -> watch::Receiver<bool> {
        self.drain.clone()
    }
}
