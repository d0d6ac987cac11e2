//! What the receiver counts, per protocol. Everything is registered when the receiver is bound.

use super::error::Reason;
use crate::telemetry::counters::{Counter, Registry};

/// Status codes that occur; anything else would be counted as the last.
const GRPC_CODES: [u16; 9] = [0, 1, 2, 3, 4, 8, 12, 13, 14];
const HTTP_CODES: [u16; 8] = [200, 307, 400, 404, 405, 415, 500, 503];

/// The word for a protocol in labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Grpc,
    Http,
}

impl Transport {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }

    fn codes(self) -> &'static [u16] {
        match self {
            Self::Grpc => &GRPC_CODES,
            Self::Http => &HTTP_CODES,
        }
    }
}

/// Counters of one protocol of one receiver. The first argument is always the worker's shard.
pub(super) struct Counters {
    accepted_spans: Counter,
    refused_spans: Counter,
    requests: Vec<(u16, Counter)>,
    refusals: Vec<(Reason, Counter)>,
}

impl Counters {
    pub(super) fn new(registry: &Registry, receiver: &str, transport: Transport) -> Self {
        let labels = |own: Option<(&'static str, String)>| {
            let mut labels = vec![
                ("receiver", receiver.to_owned()),
                ("transport", transport.word().to_owned()),
            ];
            labels.extend(own);
            labels
        };
        let requests = transport.codes().iter().map(|code| {
            let counter = registry.counter(
                "spanmill_receiver_requests_total",
                "Requests answered, by status code.",
                labels(Some(("code", code.to_string()))),
            );
            (*code, counter)
        });
        let refusals = Reason::ALL.iter().map(|(reason, word)| {
            let counter = registry.counter(
                "spanmill_receiver_refused_requests_total",
                "Requests and connections refused, by reason.",
                labels(Some(("reason", (*word).to_owned()))),
            );
            (*reason, counter)
        });
        Self {
            accepted_spans: registry.counter(
                "otelcol_receiver_accepted_spans",
                "Number of spans successfully pushed into the pipeline. [alpha]",
                labels(None),
            ),
            refused_spans: registry.counter(
                "otelcol_receiver_refused_spans",
                "Number of spans that could not be pushed into the pipeline. [alpha]",
                labels(None),
            ),
            requests: requests.collect(),
            refusals: refusals.collect(),
        }
    }

    pub(super) fn accepted(&self, shard: usize, spans: u32) {
        self.accepted_spans.add(shard, u64::from(spans));
    }

    pub(super) fn refused(&self, shard: usize, spans: u32) {
        self.refused_spans.add(shard, u64::from(spans));
    }

    pub(super) fn answered(&self, shard: usize, code: u16) {
        let known = self.requests.iter().find(|(known, _)| *known == code);
        if let Some((_, counter)) = known.or(self.requests.last()) {
            counter.add(shard, 1);
        }
    }

    pub(super) fn refusal(&self, shard: usize, reason: Reason) {
        let known = self.refusals.iter().find(|(known, _)| *known == reason);
        if let Some((_, counter)) = known {
            counter.add(shard, 1);
        }
    }
}
