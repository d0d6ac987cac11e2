//! What a load may cost: the bounds that a scenario as a whole has to keep.

use thiserror::Error;

use super::model::{Scenario, Service};

pub const SERVICES_MAX: usize = 10_000;
/// Operations, and resources, of all services: each has bytes of its own in memory.
pub const PARTS_MAX: u64 = 100_000;
pub const SPANS_PER_REQUEST_MAX: u32 = 100_000;
pub const SPAN_BYTES_MAX: u32 = 1_000_000;
/// A request is not made larger than this.
pub const REQUEST_BYTES_MAX: u64 = 1 << 30;
/// Encoded spans that are kept, one for each operation and status, in each thread.
const KEPT_BYTES_MAX: u64 = 1 << 30;

/// Each in one sentence, without where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Oversize {
    #[error("a request of {spans} spans of {bytes} bytes is above {REQUEST_BYTES_MAX} bytes")]
    Request { spans: u64, bytes: u64 },
    #[error("{count} {what} are more than {PARTS_MAX}")]
    Parts { what: &'static str, count: u64 },
    #[error("{operations} operations with spans of {bytes} bytes do not fit in {KEPT_BYTES_MAX}")]
    Kept { operations: u64, bytes: u64 },
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
        if operations * bytes > KEPT_BYTES_MAX {
            return Err(Oversize::Kept { operations, bytes });
        }
        Ok(())
    }
}
