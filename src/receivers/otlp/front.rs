//! What both protocols do alike: admit, read on, hand over, count, and say a refusal once.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::admission::{Admission, Room};
use super::body::{Held, Pace};
use super::buffers::Buffers;
use super::compression::{Coding, Inflaters};
use super::counters::Counters;
use super::error::{Reason, ReceiveError};
use super::limits::Limits;
use crate::telemetry::log::Logger;
use crate::workers::request::Reply;
use crate::workers::{Outcome, Request, Signal, Worker};

/// One protocol of one receiver.
pub(super) struct Front {
    /// As in the user's file, `otlp` or `otlp/name`.
    pub(super) id: String,
    /// Of the receiver in the pipeline's table.
    pub(super) index: u16,
    /// Signals that a pipeline takes.
    pub(super) signals: Vec<Signal>,
    /// Of a body, before and after inflating.
    pub(super) bytes_max: u64,
    pub(super) limits: Limits,
    pub(super) admission: Admission,
    pub(super) counters: Counters,
    pub(super) logger: Logger,
    pub(super) said: Said,
}

/// Counts a client that left before its answer: its spans may be counted, but it does not know.
struct Waiting<'a> {
    counters: &'a Counters,
    shard: usize,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.counters.refusal(self.shard, Reason::Unanswered);
        }
    }
}

/// What the log was told already.
#[derive(Default)]
pub(super) struct Said {
    pub(super) signal: AtomicBool,
    pub(super) encoding: AtomicBool,
    pub(super) content_type: AtomicBool,
    pub(super) accept: AtomicBool,
}

/// What a receiver keeps per worker.
#[derive(Default)]
pub(super) struct Tools {
    pub(super) buffers: Buffers,
    pub(super) inflaters: Inflaters,
}

impl Front {
    pub(super) fn room(&self) -> Room<'_> {
        Room {
            budget: &self.admission.bytes,
            bytes_max: self.bytes_max,
        }
    }

    /// One connection's share of the byte budget at the moment.
    pub(super) fn share_bytes(&self) -> u64 {
        let connections = self.admission.connections.bytes_taken().max(1);
        self.admission.bytes.bytes_max() / connections
    }

    pub(super) fn pace(&self) -> Pace {
        Pace {
            stall_max: self.limits.body_stall_max,
            time_max: self.limits.body_time_max,
        }
    }

    pub(super) fn takes(&self, signal: Signal) -> bool {
        self.signals.contains(&signal)
    }

    /// Undoes the coding of a body.
    pub(super) async fn inflate(
        &self,
        held: Held,
        coding: Coding,
        tools: &Tools,
    ) -> Result<Held, ReceiveError> {
        match coding {
            Coding::Identity => Ok(held),
            Coding::Gzip => {
                let room = self.room();
                tools.inflaters.gunzip(held, room, &tools.buffers).await
            }
        }
    }

    /// Hands a body to the worker, waits for its run and counts how it ended. `None`: it was
    /// dropped without an answer, as when a worker ends.
    pub(super) async fn run(
        &self,
        worker: &Rc<Worker>,
        signal: Signal,
        held: Held,
    ) -> Option<Outcome> {
        let (reply, outcome) = Reply::channel();
        worker.push(Request {
            receiver: self.index,
            signal,
            body: held.bytes,
            permit: held.permit,
            reply,
        });
        let shard = worker.index();
        let mut waiting = Waiting {
            counters: &self.counters,
            shard,
            answered: false,
        };
        let outcome = outcome.await.ok();
        waiting.answered = true;
        match &outcome {
            Some(Outcome::Accepted { items }) => self.counters.accepted(shard, *items),
            Some(Outcome::Refused { items, .. }) => {
                self.counters.refused(shard, *items);
                self.counters.refusal(shard, Reason::Pipeline);
            }
            Some(Outcome::Malformed { .. }) => self.counters.refusal(shard, Reason::Malformed),
            Some(Outcome::TooLarge { .. }) => self.counters.refusal(shard, Reason::TooLarge),
            None => self.counters.refusal(shard, Reason::Pipeline),
        }
        outcome
    }

    /// Logs the first refusal for an encoding of the body.
    pub(super) fn say_encoding(&self, encoding: &str) {
        self.say_once(
            &self.said.encoding,
            "refused a request with an encoding that is not supported",
            ("encoding", encoding),
        );
    }

    /// Logs the first refusal of its kind.
    pub(super) fn say_once(&self, said: &AtomicBool, message: &str, field: (&str, &str)) {
        // The load spares a shared write per refused request.
        if said.load(Ordering::Relaxed) || said.swap(true, Ordering::Relaxed) {
            return;
        }
        let (name, value) = field;
        let fields = [("receiver", self.id.as_str().into()), (name, value.into())];
        self.logger.warn(message, &fields);
    }
}
