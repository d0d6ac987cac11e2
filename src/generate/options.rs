//! All that a run is told, settled.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::coding::{Compression, Protocol};
use super::mix::Mix;
use super::replay::Replay;
use super::scenario::{LoadOptions, Scenario};
use super::schedule::Pace;
use super::target::Target;
use super::totals::BoundsNs;

/// Bodies made before the run, where nothing else is said.
const PREPARED_BYTES_MAX: usize = 128 << 20;

#[derive(Clone, Debug)]
pub struct RunOptions {
    pub target: Target,
    pub protocol: Protocol,
    pub compression: Compression,
    pub pace: Pace,
    pub threads: usize,
    pub connections: usize,
    /// Requests in flight on each connection; HTTP/1.1 has one.
    pub in_flight: usize,
    /// An answer that takes longer is none, and so is a connection.
    pub answer_timeout: Duration,
    /// Distinct requests made before the run and sent over and over; 0: each is made when it is sent.
    pub prepared: usize,
    pub prepared_bytes_max: usize,
    /// Spans, points or records.
    pub items_per_request: u32,
    pub mix: Mix,
    /// Share of requests that are broken on purpose.
    pub malformed_share: f64,
    pub load: Scenario,
    /// Bodies to send instead of the load's.
    pub replay: Option<Arc<Replay>>,
    /// Where to write the bodies that are sent.
    pub capture: Option<CaptureOptions>,
    /// Buckets to keep totals in; `None`: nobody will ask for totals.
    pub totals: Option<BoundsNs>,
    /// Whether somebody will ask what points and records add up to.
    pub item_totals: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureOptions {
    pub path: PathBuf,
    /// Of the whole file; what does not fit any more is left out and counted.
    pub bytes_max: u64,
}

impl RunOptions {
    /// A closed loop of the built-in load over one gRPC connection, without an end.
    #[must_use]
    pub fn new(target: Target) -> Self {
        let load = Scenario::from(LoadOptions::default());
        Self {
            target,
            protocol: Protocol::Grpc,
            compression: Compression::None,
            pace: Pace::closed(None, None),
            threads: 1,
            connections: 1,
            in_flight: 1,
            answer_timeout: Duration::from_secs(10),
            prepared: 0,
            prepared_bytes_max: PREPARED_BYTES_MAX,
            items_per_request: load.spans_per_request,
            mix: Mix::traces(),
            malformed_share: 0.0,
            load,
            replay: None,
            capture: None,
            totals: None,
            item_totals: false,
        }
    }

    #[must_use]
    pub fn seed(&self) -> u64 {
        self.load.seed
    }
}
