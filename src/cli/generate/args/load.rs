//! The arguments that say what is sent.

use clap::Args;

use super::{ArgsError, Settled};
use crate::generate::LoadOptions;

/// A request is not made larger than this.
const REQUEST_BYTES_MAX: u64 = 1 << 30;
/// Operations, and resources, of all services: each has bytes of its own in memory.
const PARTS_MAX: u64 = 100_000;
/// Prepared spans for each label set, so that hardly one is left out of the draw.
const SPANS_PER_LABEL_SET: u64 = 4;
const PREPARED_MIN: u64 = 64;
pub(super) const PREPARED_MAX: u64 = 1 << 16;

#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// Spans in each request
    #[arg(long, value_name = "SPANS", default_value_t = 512)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub spans_per_request: u32,
    /// Values of service.name
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub services: u32,
    /// Server routes of each service; it also has a client, an internal, a producer and a consumer
    /// operation
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub routes: u32,
    /// Resources (pods) of each service
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub resources: u32,
    /// Values of user.id on server spans; 0: none
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    pub cardinality: u32,
    /// Share of spans with an error, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = parse_share)]
    pub error_share: f64,
    /// Share of the other spans with events, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = parse_share)]
    pub event_share: f64,
    /// Mean bytes of a span, made up with attributes nobody asks for
    #[arg(long, value_name = "BYTES", default_value_t = 800)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub span_bytes: u32,
    /// Start of the random numbers: the same seed sends the same spans
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

impl LoadArgs {
    pub(super) fn options(&self) -> Settled<LoadOptions> {
        let (spans, bytes) = (self.spans_per_request, self.span_bytes);
        if u64::from(spans) * u64::from(bytes) > REQUEST_BYTES_MAX {
            let limit = REQUEST_BYTES_MAX;
            return Err(ArgsError::Request {
                spans,
                bytes,
                limit,
            }
            .into());
        }
        for (what, of_service) in [("routes", self.routes), ("resources", self.resources)] {
            let count = u64::from(self.services) * u64::from(of_service);
            if count > PARTS_MAX {
                let limit = PARTS_MAX;
                return Err(ArgsError::Parts { what, count, limit }.into());
            }
        }
        Ok(LoadOptions {
            services: self.services,
            routes: self.routes,
            resources: self.resources,
            users: self.cardinality,
            error_share: self.error_share,
            event_share: self.event_share,
            span_bytes: usize::try_from(self.span_bytes)?,
            spans_per_request: self.spans_per_request,
            seed: self.seed,
        })
    }

    /// Requests that hold about every label set of the load.
    pub(super) fn prepared_for_all(&self) -> u64 {
        let users = u64::from(self.cardinality.max(1));
        let pods = u64::from(self.services) * u64::from(self.resources);
        let label_sets = pods * u64::from(self.routes.max(1)) * users;
        let spans = label_sets.saturating_mul(SPANS_PER_LABEL_SET);
        (spans / u64::from(self.spans_per_request)).clamp(PREPARED_MIN, PREPARED_MAX)
    }
}

fn parse_share(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1"),
    }
}
