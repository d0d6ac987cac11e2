//! Requests, ready for the socket, and what stands in each.
//!
//! Request n of a seed always holds the same items (but for their times), whichever thread sends it.
//! Bodies are either made when they are sent, or taken in turn from a deck that was made before the
//! run: then sending costs no more than the socket does, and the same items go out again and again.
//! A deck has bodies of each signal, and deals each by its own count; which signal a request is of
//! does not depend on it. Either way [`Content`] tells exactly what was in a request. A replay takes
//! its bodies from a capture and knows nothing of their content.

use std::ops::Range;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::client::Head;
use super::coding::{Packer, Protocol};
use super::error::GenerateError;
use super::json;
use super::load::Observation;
use super::makers::{Makers, Worlds};
use super::malformed::{Defect, Defects, WRONG_CONTENT_TYPE};
use super::options::RunOptions;
use super::signal::Signal;
use super::{logs, metrics};

/// What stands in a request.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Index into the deck.
    Prepared(usize),
    Fresh(Vec<Observation>),
    Metrics(metrics::Content),
    Logs(logs::Content),
    /// Nothing that counts: a broken request, or one that is not known from within.
    Uncounted,
}

pub(super) struct Outgoing {
    pub(super) plan: Plan,
    pub(super) head: Arc<Head>,
    pub(super) body: Bytes,
    pub(super) content: Content,
}

/// What is known of a request before it is made, and all that its content follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) signal: Signal,
    /// Requests of the signal before it, which is its number as one of the signal.
    of_signal: u64,
    pub(super) defect: Option<Defect>,
}

/// Requests made before the run. May be empty.
#[derive(Default)]
pub(super) struct Deck {
    requests: Vec<(Bytes, Content)>,
    /// One for each of `Signal::ALL`: where its requests stand.
    of_signals: [Range<usize>; 3],
}

impl Deck {
    /// At most `requests_max` requests in about `bytes_max` bytes, each signal its part of them by
    /// weight, but at least one of each that is sent.
    pub(super) fn prepare(source: &mut Source, requests_max: usize, bytes_max: usize) -> Self {
        let options = Arc::clone(&source.options);
        let mut deck = Self::default();
        for signal in Signal::ALL {
            if !options.mix.has(signal) {
                continue;
            }
            let begin = deck.requests.len();
            let requests = options.mix.part(signal, requests_max).max(1);
            let mut room = options.mix.part(signal, bytes_max);
            for of_signal in 0..requests as u64 {
                if room == 0 && of_signal > 0 {
                    break;
                }
                let plan = Plan {
                    signal,
                    of_signal,
                    defect: None,
                };
                let (body, content) = source.make(plan, options.items_per_request);
                room = room.saturating_sub(body.len());
                if let Content::Fresh(observations) = &content {
                    room = room.saturating_sub(size_of_val(observations.as_slice()));
                }
                deck.requests.push((body, content));
            }
            deck.of_signals[signal.index()] = begin..deck.requests.len();
        }
        deck
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Which one a request is, if any of its signal is prepared.
    fn index(&self, plan: Plan) -> Option<usize> {
        let of_signal = &self.of_signals[plan.signal.index()];
        // The remainder is below a length.
        let index = plan.of_signal.checked_rem(of_signal.len() as u64)? as usize;
        Some(of_signal.start + index)
    }

    pub(super) fn observations(&self, index: usize) -> &[Observation] {
        match &self.requests[index].1 {
            Content::Fresh(observations) => observations,
            _ => &[],
        }
    }

    pub(super) fn content(&self, index: usize) -> &Content {
        &self.requests[index].1
    }
}

/// One thread's maker of requests.
pub(super) struct Source {
    options: Arc<RunOptions>,
    defects: Defects,
    makers: Makers,
    packer: Packer,
    /// One for each of `Signal::ALL`.
    heads: [Arc<Head>; 3],
}

impl Source {
    /// Of the built-in load, for a target that is not there.
    #[cfg(test)]
    pub(super) fn of_load(
        load: impl Into<super::scenario::Scenario>,
        protocol: Protocol,
        compression: super::coding::Compression,
    ) -> Self {
        let target = super::target::Target::parse("localhost", 4317).expect("an address");
        let load = load.into();
        let options = RunOptions {
            protocol,
            compression,
            items_per_request: load.spans_per_request,
            load,
            ..RunOptions::new(target)
        };
        let worlds = Worlds::new(&options).expect("spans alone");
        Self::new(&Arc::new(options), &worlds).expect("an address")
    }

    /// # Errors
    /// When the target's address cannot be put in a request, or no compressor can be had.
    pub(super) fn new(options: &Arc<RunOptions>, worlds: &Worlds) -> Result<Self, GenerateError> {
        let (protocol, compression) = (options.protocol, options.compression);
        let [traces, metrics, logs] = Signal::ALL.map(|signal| head(options, signal, None));
        Ok(Self {
            makers: Makers::new(worlds),
            packer: Packer::new(protocol, compression)?,
            heads: [traces?, metrics?, logs?],
            defects: Defects::of(options),
            options: Arc::clone(options),
        })
    }

    /// What request `number` of the run will be. Nothing else decides it.
    pub(super) fn plan(&self, number: u64) -> Plan {
        let (signal, of_signal) = match &self.options.replay {
            None => self.options.mix.at(number),
            Some(replay) => (replay.request(number).signal, number),
        };
        Plan {
            signal,
            of_signal,
            defect: self.defects.draw(number),
        }
    }

    /// Request `number` of the run, with `items` items.
    pub(super) fn request(&mut self, deck: &Deck, number: u64, items: u32) -> Outgoing {
        let plan = self.plan(number);
        if let Some(replay) = &self.options.replay {
            let captured = replay.request(number);
            return Outgoing {
                plan,
                head: Arc::clone(&captured.head),
                body: captured.body.clone(),
                content: Content::Uncounted,
            };
        }
        if let Some(defect) = plan.defect {
            let (body, _) = self.make(plan, items);
            let head = head(&self.options, plan.signal, Some(defect));
            return Outgoing {
                plan,
                head: head.expect("as one was made at the start"),
                body: defect.break_body(self.options.protocol, body),
                content: Content::Uncounted,
            };
        }
        let is_whole = items == self.options.items_per_request;
        let (body, content) = match deck.index(plan).filter(|_| is_whole) {
            Some(index) => (deck.requests[index].0.clone(), Content::Prepared(index)),
            None => self.make(plan, items),
        };
        Outgoing {
            plan,
            head: Arc::clone(&self.heads[plan.signal.index()]),
            body,
            content,
        }
    }

    fn make(&mut self, plan: Plan, items: u32) -> (Bytes, Content) {
        let Plan {
            signal,
            of_signal,
            defect,
        } = plan;
        let mut plain = self.packer.hole();
        let begin = plain.len();
        let content = self
            .makers
            .make(signal, of_signal, items, unix_ns(), &mut plain);
        if self.options.protocol == Protocol::HttpJson {
            plain = json::transcode(signal, &plain);
        }
        if let Some(defect) = defect {
            defect.break_message(signal, self.options.protocol, begin, &mut plain);
        }
        (self.packer.pack(plain), content)
    }
}

/// The head of requests of one signal, or of one that is broken.
fn head(
    options: &RunOptions,
    signal: Signal,
    defect: Option<Defect>,
) -> Result<Arc<Head>, GenerateError> {
    let protocol = options.protocol;
    let path = match protocol {
        Protocol::Grpc => signal.grpc_path(),
        Protocol::Http | Protocol::HttpJson => signal.http_path(),
    };
    let content_type = match defect {
        Some(Defect::ContentType) => WRONG_CONTENT_TYPE,
        _ => protocol.content_type(),
    };
    let compression = defect.map_or(options.compression, |defect| {
        defect.compression(options.compression)
    });
    let encoding = compression.encoding();
    let head = Head::new(
        &options.target,
        protocol.is_grpc(),
        path,
        content_type,
        encoding,
    );
    head.map(Arc::new)
}

fn unix_ns() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
