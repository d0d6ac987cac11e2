//! Requests in, a window out: the compiled path that a worker runs.
//!
//! A run decodes what was ready into one batch, takes the worker's window, walks the batch through
//! each branch, gives the window back, and only then answers: success means "in a window". A
//! malformed request is cut out of the batch again and counts nothing. Nothing here blocks or waits.

use std::sync::Arc;

use crate::batch::TraceBatch;
use crate::connectors::spanmetrics::{Grouper, Observed};
use crate::decode::TraceDecoder;
use crate::processors::resource::ResourceProcessor;
use crate::store::handover::WorkerSide;
use crate::store::window::Window;
use crate::telemetry::counters::{Counter, Registry};
use crate::workers::budget::Permit;
use crate::workers::request::Reply;
use crate::workers::{Outcome, Request, Station, clock};

/// The path of one worker.
pub(super) struct TraceStation {
    /// Which shard of the counters this worker adds to.
    pub(super) shard: usize,
    pub(super) decoder: TraceDecoder,
    /// By [`Request::receiver`]: its traces pipelines.
    pub(super) receivers: Vec<Vec<Branch>>,
    pub(super) connectors: Vec<ConnectorRun>,
    pub(super) side: WorkerSide,
    /// Answers that wait for the end of their run; empty between runs.
    pub(super) answers: Vec<Answer>,
}

/// One traces pipeline behind a receiver, on one worker.
pub(super) struct Branch {
    pub(super) processors: Vec<ResourceProcessor>,
    /// Indices of [`TraceStation::connectors`].
    pub(super) connectors: Vec<usize>,
}

/// One connector on one worker.
pub(super) struct ConnectorRun {
    pub(super) grouper: Grouper,
    pub(super) counters: Arc<ConnectorCounters>,
}

/// What becomes of the spans that reach a connector.
pub(super) struct ConnectorCounters {
    pub(super) counted_spans: Counter,
    pub(super) counted_events: Counter,
    pub(super) no_service_name: Counter,
}

pub(super) struct Answer {
    reply: Reply,
    outcome: Outcome,
    /// Its bytes go back to the budget when the request has been answered.
    permit: Permit,
}

impl Station for TraceStation {
    fn run(&mut self, ready: &mut Vec<Request>) {
        let now_ms = clock::wall_ms();
        let mut ready = ready.drain(..).peekable();
        // Requests of one receiver that stand together share a batch; a program has one, as a rule.
        while let Some(first) = ready.next() {
            let receiver = usize::from(first.receiver);
            self.decode(first);
            while let Some(next) = ready.next_if(|next| usize::from(next.receiver) == receiver) {
                self.decode(next);
            }
            let batch = self.decoder.finish();
            if !self.count(receiver, &batch, now_ms) {
                self.refuse();
            }
            self.decoder.recycle(batch);
            self.answer();
        }
    }
}

impl TraceStation {
    fn decode(&mut self, request: Request) {
        let outcome = match self.decoder.append(request.body) {
            Ok(appended) => Outcome::Accepted {
                // A span takes two bytes at least and a body is bounded by u32.
                items: u32::try_from(appended.spans).unwrap_or(u32::MAX),
            },
            Err(error) => {
                let reason = error.to_string();
                if error.is_too_large() {
                    Outcome::TooLarge { reason }
                } else {
                    Outcome::Malformed { reason }
                }
            }
        };
        self.answers.push(Answer {
            reply: request.reply,
            outcome,
            permit: request.permit,
        });
    }

    /// The only part of a run that holds the window. False: the window is full, for the folder is
    /// stuck; nothing was counted.
    fn count(&mut self, receiver: usize, batch: &TraceBatch, now_ms: u64) -> bool {
        let Self {
            shard,
            receivers,
            connectors,
            side,
            ..
        } = self;
        let mut window = side.take();
        if !window.has_room() {
            return false;
        }
        for branch in &mut receivers[receiver] {
            branch.count(batch, connectors, &mut window, now_ms, *shard);
        }
        true
    }

    #[cold]
    fn refuse(&mut self) {
        for answer in &mut self.answers {
            if let Outcome::Accepted { items } = answer.outcome {
                answer.outcome = Outcome::Refused {
                    items,
                    reason: "the window of this worker is full",
                };
            }
        }
    }

    fn answer(&mut self) {
        for Answer {
            reply,
            outcome,
            permit,
        } in self.answers.drain(..)
        {
            reply.send(outcome);
            drop(permit);
        }
    }
}

impl Branch {
    fn count(
        &mut self,
        batch: &TraceBatch,
        connectors: &mut [ConnectorRun],
        window: &mut Window,
        now_ms: u64,
        shard: usize,
    ) {
        let mut rewritten = None;
        for processor in &mut self.processors {
            // Cloning a batch counts references: other branches see it unchanged.
            let input = rewritten.unwrap_or_else(|| batch.clone());
            rewritten = Some(processor.run(input));
        }
        let batch = rewritten.as_ref().unwrap_or(batch);
        for connector in &self.connectors {
            let ConnectorRun { grouper, counters } = &mut connectors[*connector];
            counters.add(shard, grouper.observe(batch, window, now_ms));
        }
    }
}

impl ConnectorCounters {
    fn add(&self, shard: usize, observed: Observed) {
        self.counted_spans.add(shard, observed.spans);
        self.counted_events.add(shard, observed.events);
        // Most runs discard nothing: no line of another counter is touched then.
        if observed.no_service_name > 0 {
            self.no_service_name.add(shard, observed.no_service_name);
        }
    }
}

impl ConnectorCounters {
    pub(super) fn new(registry: &Registry, connector: &str) -> Self {
        let counter = |name, help, reason: Option<&str>| {
            let mut labels = vec![("connector", connector.to_owned())];
            labels.extend(reason.map(|reason| ("reason", reason.to_owned())));
            registry.counter(name, help, labels)
        };
        Self {
            counted_spans: counter(
                "spanmill_spanmetrics_counted_spans_total",
                "Spans that are in a series.",
                None,
            ),
            counted_events: counter(
                "spanmill_spanmetrics_counted_events_total",
                "Span events that are in a series.",
                None,
            ),
            no_service_name: counter(
                "spanmill_spanmetrics_discarded_spans_total",
                "Spans that are in no series, by reason.",
                Some("no_service_name"),
            ),
        }
    }
}
