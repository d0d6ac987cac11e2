//! What a load may cost: the bounds that a scenario as a whole has to keep.

use thiserror::Error;

use super::model::{Scenario, Service};
use super::sized::LoadOptions;
use crate::generate::signal::Signal;

pub const SERVICES_MAX: usize = 10_000;
/// Operations, and resources, of all services: each has bytes of its own in memory.
pub const PARTS_MAX: u64 = 100_000;
pub const SPANS_PER_REQUEST_MAX: u32 = 100_000;
pub const SPAN_BYTES_MAX: u32 = 1_000_000;
/// A request is not made larger than this.
pub const REQUEST_BYTES_MAX: u64 = 1 << 30;
/// Each operation has a span encoded for each of these, at most.
const STATUSES: u64 = 3;
/// Attributes of resources, and of the spans of each operation, that each thread keeps encoded.
const KEPT_BYTES_MAX: u64 = 1 << 30;

/// Each in one sentence, without where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Oversize {
    #[error(
        "a request of {items} {} may take {bytes} bytes, above {REQUEST_BYTES_MAX}",
        signal.items()
    )]
    Request {
        signal: Signal,
        items: u32,
        bytes: u64,
    },
    #[error("{count} {what} are more than {PARTS_MAX}")]
    Parts { what: &'static str, count: u64 },
    #[error("the attributes of all pods and operations take {bytes} bytes, above {KEPT_BYTES_MAX}")]
    Kept { bytes: u64 },
}

/// What services take. Known before the services of a pattern are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    operations: u64,
    pods: u64,
    /// Of the attributes of all pods.
    pod_bytes: u64,
    /// Of the attributes of all operations.
    span_bytes: u64,
}

impl Extent {
    #[must_use]
    pub fn of(service: &Service) -> Self {
        let operations = service.operations.iter();
        let spans = operations.map(|operation| operation.spans.bytes() as u64);
        let pods = u64::from(service.pods);
        Self {
            operations: service.operations.len() as u64,
            pods,
            pod_bytes: pods.saturating_mul(service.pod_bytes()),
            span_bytes: spans.fold(0, u64::saturating_add),
        }
    }

    /// With `count` services of the extent of `other` beside it.
    #[must_use]
    pub fn with(self, other: Self, count: u64) -> Self {
        let sum = |one: u64, other: u64| one.saturating_add(other.saturating_mul(count));
        Self {
            operations: sum(self.operations, other.operations),
            pods: sum(self.pods, other.pods),
            pod_bytes: sum(self.pod_bytes, other.pod_bytes),
            span_bytes: sum(self.span_bytes, other.span_bytes),
        }
    }

    /// `filled_bytes` is what each span is filled up to.
    ///
    /// # Errors
    /// When it is more than a machine can be expected to hold.
    pub fn check(self, filled_bytes: u64) -> Result<(), Oversize> {
        for (what, count) in [("operations", self.operations), ("pods", self.pods)] {
            if count > PARTS_MAX {
                return Err(Oversize::Parts { what, count });
            }
        }
        // At most `PARTS_MAX` operations of `SPAN_BYTES_MAX`.
        let spans = self
            .span_bytes
            .saturating_add(self.operations * filled_bytes);
        let bytes = spans
            .saturating_mul(STATUSES)
            .saturating_add(self.pod_bytes);
        if bytes > KEPT_BYTES_MAX {
            return Err(Oversize::Kept { bytes });
        }
        Ok(())
    }
}

impl LoadOptions {
    /// # Errors
    /// When so many parts were asked for that not even a scenario should be made of them.
    pub fn check_size(&self) -> Result<(), Oversize> {
        for (what, of_service) in [("routes", self.routes), ("resources", self.resources)] {
            let count = u64::from(self.services) * u64::from(of_service);
            if count > PARTS_MAX {
                return Err(Oversize::Parts { what, count });
            }
        }
        Ok(())
    }
}

impl Scenario {
    /// # Errors
    /// When the load is larger than a machine can be expected to hold, or a request of a signal that
    /// is sent larger than `REQUEST_BYTES_MAX`.
    pub fn check_size(&self) -> Result<(), Oversize> {
        let services = self.services.iter().map(Extent::of);
        let extent = services.fold(Extent::default(), |sum, of| sum.with(of, 1));
        extent.check(self.span_bytes as u64)?;
        for signal in Signal::ALL {
            let bytes = self.request_bytes_max(signal);
            if self.signals.of(signal) > 0 && bytes > REQUEST_BYTES_MAX {
                let items = self.spans_per_request;
                return Err(Oversize::Request {
                    signal,
                    items,
                    bytes,
                });
            }
        }
        Ok(())
    }
}
