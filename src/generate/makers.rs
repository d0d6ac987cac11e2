//! The worlds of all signals a run sends, and a thread's makers of messages from them.
//!
//! A maker appends request `number` of its signal to a message and says what stands in it: a function
//! of seed and number, but for the times.

use std::sync::Arc;

use super::error::GenerateError;
use super::load::Load;
use super::options::RunOptions;
use super::signal::Signal;
use super::source::Content;
use super::{logs, metrics, traces};

/// What is sent, shared by all threads.
#[derive(Clone)]
pub(super) struct Worlds {
    pub(super) traces: Arc<Load>,
    /// `None`: the run has none of this signal.
    pub(super) metrics: Option<Arc<metrics::World>>,
    pub(super) logs: Option<Arc<logs::World>>,
}

/// A thread's.
pub(super) struct Makers {
    traces: traces::Maker,
    metrics: Option<metrics::Maker>,
    logs: Option<logs::Maker>,
}

impl Worlds {
    /// # Errors
    /// When nobody in the scenario sends a signal that has a weight.
    pub(super) fn new(options: &RunOptions) -> Result<Self, GenerateError> {
        let scenario = &options.load;
        let load = Load::new(scenario.clone());
        let items = options.items_per_request;
        let mut worlds = Self {
            traces: Arc::new(load),
            metrics: None,
            logs: None,
        };
        let resources = &worlds.traces.resources;
        let silent = |signal| GenerateError::Silent { signal };
        if options.mix.has(Signal::Metrics) {
            let world = metrics::World::new(&scenario.metrics, resources, items, scenario.seed);
            if world.series() == 0 {
                return Err(silent(Signal::Metrics));
            }
            worlds.metrics = Some(Arc::new(world));
        }
        if options.mix.has(Signal::Logs) {
            let world = logs::World::new(&scenario.logs, resources, items, scenario.seed);
            if world.is_silent() {
                return Err(silent(Signal::Logs));
            }
            worlds.logs = Some(Arc::new(world));
        }
        Ok(worlds)
    }
}

impl Makers {
    pub(super) fn new(worlds: &Worlds) -> Self {
        Self {
            traces: traces::Maker::new(&worlds.traces),
            metrics: worlds.metrics.as_ref().map(metrics::Maker::new),
            logs: worlds.logs.as_ref().map(logs::Maker::new),
        }
    }

    /// Appends request `number` of a signal that the run has, with `items` items, to `out`.
    pub(super) fn make(
        &mut self,
        signal: Signal,
        number: u64,
        items: u32,
        now_ns: u64,
        out: &mut Vec<u8>,
    ) -> Content {
        match (signal, &mut self.metrics, &mut self.logs) {
            (Signal::Metrics, Some(metrics), _) => {
                Content::Metrics(metrics.make(number, items, now_ns, out))
            }
            (Signal::Logs, _, Some(logs)) => Content::Logs(logs.make(number, items, now_ns, out)),
            _ => Content::Fresh(self.traces.make(number, items, now_ns, out)),
        }
    }
}
