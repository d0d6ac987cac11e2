//! Requests of spans: a number in, the bytes of an `ExportTraceServiceRequest` and what stands in it out.
//!
//! Request n of a seed always holds the same spans (but for their times), whichever thread makes it.

use std::sync::Arc;

use super::encode::Encoder;
use super::load::{Load, Observation};
use super::random::Random;

/// Keeps the streams of requests apart from those of the load's services.
const REQUEST_STREAMS: u64 = 1 << 32;

/// One thread's maker of requests.
pub(super) struct Maker {
    load: Arc<Load>,
    encoder: Encoder,
}

impl Maker {
    pub(super) fn new(load: &Arc<Load>) -> Self {
        Self {
            load: Arc::clone(load),
            encoder: Encoder::new(load),
        }
    }

    /// Appends request `number` of the run, with `spans` spans that end at `now_ns` (Unix
    /// nanoseconds).
    pub(super) fn make(
        &mut self,
        number: u64,
        spans: u32,
        now_ns: u64,
        out: &mut Vec<u8>,
    ) -> Vec<Observation> {
        let load = &self.load;
        let scenario = &load.scenario;
        let mut random = Random::stream(scenario.seed, REQUEST_STREAMS.wrapping_add(number));
        let mut span = number.saturating_mul(u64::from(scenario.spans_per_request));
        let resources = scenario.resources_per_request.min(spans).max(1);
        let mut observations = Vec::with_capacity(spans as usize);
        for index in 0..resources {
            let resource = load.draw_resource(&mut random);
            // The first ones take what is left over.
            let share = spans / resources + u32::from(index < spans % resources);
            for _ in 0..share {
                let observation = load.draw(resource, span, &mut random);
                self.encoder.add(load, &observation, now_ns, &mut random);
                observations.push(observation);
                span = span.saturating_add(1);
            }
            self.encoder.finish(load, resource, out);
        }
        observations
    }
}
