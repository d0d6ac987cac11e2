//! What a load may cost: the bounds that a scenario as a whole has to keep.

use thiserror::Error;

use super::attributes::Spec;
use super::model::{Scenario, Service};
use super::sized::LoadOptions;

pub const SERVICES_MAX: usize = 10_000;
/// Operations, and resources, of all services: each has bytes of its own in memory.
pub const PARTS_MAX: u64 = 100_000;
pub const SPANS_PER_REQUEST_MAX: u32 = 100_000;
pub const SPAN_BYTES_MAX: u32 = 1_000_000;
/// A request is not made larger than this.
pub const REQUEST_BYTES_MAX: u64 = 1 << 30;
/// Attributes of resources, and of one span of each operation, that each thread keeps encoded.
const KEPT_BYTES_MAX: u64 = 1 << 30;

/// Each in one sentence, without where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Oversize {
    #[error("a request of {spans} spans of {bytes} bytes is above {REQUEST_BYTES_MAX} bytes")]
    Request { spans: u64, bytes: u64 },
    #[error("{count} {what} are more than {PARTS_MAX}")]
    Parts { what: &'static str, count: u64 },
    #[error("the attributes of all pods and operations take {bytes} bytes, above {KEPT_BYTES_MAX}")]
    Kept { bytes: u64 },
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
    /// When the load is larger than a machine can be expected to hold.
    pub fn check_size(&self) -> Result<(), Oversize> {
        let (spans, bytes) = (u64::from(self.spans_per_request), self.span_bytes as u64);
        if spans * bytes > REQUEST_BYTES_MAX {
            return Err(Oversize::Request { spans, bytes });
        }
        let sum = |of: fn(&Service) -> u64| self.services.iter().map(of).sum::<u64>();
        let operations = sum(|service| service.operations.len() as u64);
        let pods = sum(|service| u64::from(service.pods));
        for (what, count) in [("operations", operations), ("pods", pods)] {
            if count > PARTS_MAX {
                return Err(Oversize::Parts { what, count });
            }
        }
        let kept = sum(|service| {
            let attributes = service.attributes.iter().map(Spec::bytes).sum::<usize>() as u64;
            let operations = service.operations.iter();
            let spans = operations.map(|operation| operation.spans.bytes() as u64);
            u64::from(service.pods) * attributes + spans.sum::<u64>()
        });
        let bytes = kept.saturating_add(operations * bytes);
        if bytes > KEPT_BYTES_MAX {
            return Err(Oversize::Kept { bytes });
        }
        Ok(())
    }
}
