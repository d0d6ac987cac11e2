//! Requests, ready for the socket, and what stands in each.
//!
//! Request n of a seed always holds the same items (but for their times), whichever thread sends it.
//! Bodies are either made when they are sent, or taken in turn from a deck that was made before the
//! run: then sending costs no more than the socket does, and the same items go out again and again.
//! Either way [`Content`] tells exactly what was in a request. A replay takes its bodies from a
//! capture and knows nothing of their content.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::client::Head;
use super::coding::{Packer, Protocol};
use super::error::GenerateError;
use super::json;
use super::load::Observation;
use super::makers::{Makers, Worlds};
use super::malformed::{Defect, WRONG_CONTENT_TYPE};
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

/// What is known of a request before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) signal: Signal,
    pub(super) defect: Option<Defect>,
}

/// Requests made before the run. May be empty.
#[derive(Default)]
pub(super) struct Deck {
    requests: Vec<(Bytes, Content)>,
}

impl Deck {
    /// At most `requests_max` requests in at most `bytes_max` bytes, but at least one.
    pub(super) fn prepare(source: &mut Source, requests_max: usize, bytes_max: usize) -> Self {
        let items = source.options.items_per_request;
        let mut requests = Vec::new();
        let mut bytes = 0;
        while requests.len() < requests_max && (bytes < bytes_max || requests.is_empty()) {
            let number = requests.len() as u64;
            let (body, content) = source.make(None, number, items);
            bytes += body.len();
            if let Content::Fresh(observations) = &content {
                bytes += size_of_val(observations.as_slice());
            }
            requests.push((body, content));
        }
        Self { requests }
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whose turn it is at request `number`, if anything is prepared.
    fn index(&self, number: u64) -> Option<usize> {
        // The remainder is below a length.
        (self.len() > 0).then(|| (number % self.len() as u64) as usize)
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
            options: Arc::clone(options),
        })
    }

    /// What request `number` of the run will be.
    pub(super) fn plan(&self, deck: &Deck, number: u64) -> Plan {
        let options = &self.options;
        if let Some(replay) = &options.replay {
            let signal = replay.request(number).signal;
            return Plan {
                signal,
                defect: None,
            };
        }
        let seed = options.seed();
        let drawn = deck.index(number).map_or(number, |index| index as u64);
        Plan {
            signal: options.mix.at(drawn).0,
            defect: Defect::draw(seed, number, options.malformed_share, options.protocol),
        }
    }

    /// Request `number` of the run, with `items` items.
    pub(super) fn request(&mut self, deck: &Deck, number: u64, items: u32) -> Outgoing {
        let plan = self.plan(deck, number);
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
            let (body, _) = self.make(Some(defect), number, items);
            let head = head(&self.options, plan.signal, Some(defect));
            return Outgoing {
                plan,
                head: head.expect("as one was made at the start"),
                body: defect.break_body(self.options.protocol, body),
                content: Content::Uncounted,
            };
        }
        let head = Arc::clone(&self.heads[plan.signal.index()]);
        if let Some(index) = deck.index(number)
            && items == self.options.items_per_request
        {
            return Outgoing {
                plan,
                head,
                body: deck.requests[index].0.clone(),
                content: Content::Prepared(index),
            };
        }
        let (body, content) = self.make(None, number, items);
        Outgoing {
            plan,
            head,
            body,
            content,
        }
    }

    fn make(&mut self, defect: Option<Defect>, number: u64, items: u32) -> (Bytes, Content) {
        let (signal, of_signal) = self.options.mix.at(number);
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
