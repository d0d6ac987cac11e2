//! Request bodies, ready for the socket, and what stands in each.
//!
//! Request n of a seed always holds the same spans (but for their times), whichever thread sends it.
//! Bodies are either encoded when they are sent, or taken in turn from a deck that was made before
//! the run: then sending costs no more than the socket does, and the same spans go out again and
//! again. Either way [`Content`] tells exactly what was in a request.

use std::io::Write;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::write::GzEncoder;

use super::load::{Load, Observation};
use super::traces::Maker;

/// Prefix of a gRPC message: one byte of flags, four of length.
const GRPC_PREFIX_BYTES: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Grpc,
    Http,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
}

/// How a message becomes a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framing {
    pub(super) protocol: Protocol,
    pub(super) compression: Compression,
}

/// What stands in a request.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Index into the deck.
    Prepared(usize),
    Fresh(Vec<Observation>),
}

pub(super) struct Outgoing {
    pub(super) body: Bytes,
    pub(super) content: Content,
}

/// Requests made before the run. May be empty.
#[derive(Default)]
pub(super) struct Deck {
    requests: Vec<(Bytes, Vec<Observation>)>,
}

impl Deck {
    /// At most `requests_max` requests in at most `bytes_max` bytes, but at least one.
    pub(super) fn prepare(source: &mut Source, requests_max: usize, bytes_max: usize) -> Self {
        let spans = source.load.scenario.spans_per_request;
        let mut requests = Vec::new();
        let mut bytes = 0;
        while requests.len() < requests_max && (bytes < bytes_max || requests.is_empty()) {
            let (body, observations) = source.encode(requests.len() as u64, spans);
            bytes += body.len() + size_of_val(observations.as_slice());
            requests.push((body, observations));
        }
        Self { requests }
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn observations(&self, index: usize) -> &[Observation] {
        &self.requests[index].1
    }
}

/// One thread's maker of requests.
pub(super) struct Source {
    load: Arc<Load>,
    maker: Maker,
    framing: Framing,
}

impl Source {
    pub(super) fn new(load: &Arc<Load>, framing: Framing) -> Self {
        Self {
            load: Arc::clone(load),
            maker: Maker::new(load),
            framing,
        }
    }

    /// Request `number` of the run, with `spans` spans.
    pub(super) fn request(&mut self, deck: &Deck, number: u64, spans: u32) -> Outgoing {
        if deck.len() > 0 && spans == self.load.scenario.spans_per_request {
            // The remainder is below a length.
            let index = (number % deck.len() as u64) as usize;
            return Outgoing {
                body: deck.requests[index].0.clone(),
                content: Content::Prepared(index),
            };
        }
        let (body, observations) = self.encode(number, spans);
        Outgoing {
            body,
            content: Content::Fresh(observations),
        }
    }

    fn encode(&mut self, number: u64, spans: u32) -> (Bytes, Vec<Observation>) {
        let prefix_bytes = match self.framing.protocol {
            Protocol::Grpc => GRPC_PREFIX_BYTES,
            Protocol::Http => 0,
        };
        let mut body = vec![0; prefix_bytes];
        let observations = match self.framing.compression {
            Compression::None => self.maker.make(number, spans, unix_ns(), &mut body),
            Compression::Gzip => {
                let mut message = Vec::new();
                let observations = self.maker.make(number, spans, unix_ns(), &mut message);
                let mut gzip = GzEncoder::new(body, Level::default());
                body = gzip
                    .write_all(&message)
                    .and_then(|()| gzip.finish())
                    .expect("writing to memory does not fail");
                observations
            }
        };
        if self.framing.protocol == Protocol::Grpc {
            body[0] = u8::from(self.framing.compression == Compression::Gzip);
            let length = u32::try_from(body.len() - prefix_bytes)
                .expect("the command line bounds spans and their size");
            body[1..GRPC_PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
        }
        (body.into(), observations)
    }
}

fn unix_ns() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
