//! Who may come in: the bytes, requests and connections that all receivers share.
//!
//! A body of declared length takes its permit for all of it at once or is refused; a body of
//! unknown length, or one that inflates, grows its permit in steps. A permit always covers the
//! memory that its body has reserved.

use super::error::ReceiveError;
use super::limits::Limits;
use crate::telemetry::counters::Registry;
use crate::workers::budget::{Budget, Permit};

/// The first step of a permit that grows; later steps double it.
const STEP_BYTES: u64 = 64 << 10;

/// Where the memory limit is unknown or large.
const BUDGET_BYTES_MAX: u64 = 256 << 20;
const BUDGET_BYTES_MIN: u64 = 16 << 20;

/// The byte budget for a process that may use `memory_bytes`: a quarter of them, 16 to 256 MiB.
#[must_use]
pub fn budget_bytes(memory_bytes: Option<u64>) -> u64 {
    let quarter = memory_bytes.map_or(BUDGET_BYTES_MAX, |bytes| bytes / 4);
    quarter.clamp(BUDGET_BYTES_MIN, BUDGET_BYTES_MAX)
}

/// One part in so many of the budget is kept for bodies of at most `SMALL_BYTES_MAX`: clients that
/// announce large bodies and let them trickle cannot take it.
const RESERVE_SHARE: u64 = 8;
const SMALL_BYTES_MAX: u64 = 64 << 10;

/// What all receivers of the program share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admission {
    pub bytes: Budget,
    /// Requests in progress: a budget of ones.
    pub requests: Budget,
    /// Open connections: a budget of ones.
    pub connections: Budget,
}

impl Admission {
    #[must_use]
    pub fn new(budget_bytes: u64, limits: &Limits, registry: &Registry) -> Self {
        let admission = Self {
            bytes: Budget::with_reserve(
                budget_bytes,
                budget_bytes / RESERVE_SHARE,
                SMALL_BYTES_MAX,
            ),
            requests: Budget::new(limits.requests_max),
            connections: Budget::new(limits.connections_max),
        };
        let taken = |name, help, budget: &Budget| {
            let budget = budget.clone();
            #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
            registry.gauge(name, help, Vec::new(), move || budget.bytes_taken() as f64);
        };
        taken(
            "spanmill_receiver_bytes_in_flight",
            "Bytes of requests in progress, compressed and inflated.",
            &admission.bytes,
        );
        taken(
            "spanmill_receiver_requests_in_flight",
            "Requests in progress.",
            &admission.requests,
        );
        taken(
            "spanmill_receiver_connections",
            "Open connections.",
            &admission.connections,
        );
        admission
    }
}

/// Room for one body: what it may take of the budget.
#[derive(Clone, Copy)]
pub(super) struct Room<'a> {
    pub(super) budget: &'a Budget,
    /// Of this body, compressed or inflated.
    pub(super) bytes_max: u64,
}

impl Room<'_> {
    /// A permit for a body that declares its length.
    pub(super) fn take(self, bytes: u64) -> Result<Permit, ReceiveError> {
        let bytes_max = self.bytes_max;
        if bytes > bytes_max {
            return Err(ReceiveError::TooLarge { bytes, bytes_max });
        }
        self.budget
            .try_take(bytes)
            .ok_or_else(|| self.refused(bytes))
    }

    /// Grows `permit` until it covers `bytes`, by more than that where there is room.
    pub(super) fn cover(self, permit: &mut Permit, bytes: u64) -> Result<(), ReceiveError> {
        let bytes_max = self.bytes_max;
        if bytes > bytes_max {
            return Err(ReceiveError::TooLarge { bytes, bytes_max });
        }
        let Some(needed) = bytes.checked_sub(permit.bytes()).filter(|more| *more > 0) else {
            return Ok(());
        };
        let doubled = permit.bytes().max(STEP_BYTES);
        let step = doubled.min(bytes_max - permit.bytes()).max(needed);
        if permit.try_grow(step) || permit.try_grow(needed) {
            Ok(())
        } else {
            Err(self.refused(bytes))
        }
    }

    /// Why the budget refused so many bytes.
    pub(super) fn refused(self, bytes: u64) -> ReceiveError {
        let budget_bytes = self.budget.share_bytes_max();
        if bytes > budget_bytes {
            ReceiveError::NeverFits {
                bytes,
                budget_bytes,
            }
        } else {
            ReceiveError::NoRoom
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Room, STEP_BYTES, budget_bytes};
    use crate::receivers::otlp::error::ReceiveError;
    use crate::workers::budget::Budget;

    #[test]
    fn budget_is_a_quarter_of_the_memory_within_bounds() {
        assert_eq!(budget_bytes(None), 256 << 20);
        assert_eq!(budget_bytes(Some(64 << 30)), 256 << 20);
        assert_eq!(budget_bytes(Some(512 << 20)), 128 << 20);
        assert_eq!(budget_bytes(Some(1 << 20)), 16 << 20);
    }

    #[test]
    fn permit_grows_by_doubling_and_by_the_least_at_the_end_of_the_budget() {
        let budget = Budget::new(3 * STEP_BYTES);
        let room = Room {
            budget: &budget,
            bytes_max: 10 * STEP_BYTES,
        };
        let mut permit = room.take(0).expect("room");
        room.cover(&mut permit, 1).expect("room");
        assert_eq!(permit.bytes(), STEP_BYTES);
        room.cover(&mut permit, STEP_BYTES + 1).expect("room");
        assert_eq!(permit.bytes(), 2 * STEP_BYTES);
        room.cover(&mut permit, 2 * STEP_BYTES + 1).expect("room");
        assert_eq!(permit.bytes(), 2 * STEP_BYTES + 1);
        let mut other = room.take(0).expect("nothing always fits");
        let refused = room.cover(&mut other, STEP_BYTES);
        assert_eq!(refused, Err(ReceiveError::NoRoom));
    }

    #[test]
    fn refusals_name_what_is_too_large_for_the_limit_and_for_the_budget() {
        let budget = Budget::new(100);
        let room = Room {
            budget: &budget,
            bytes_max: 200,
        };
        let refused = |bytes| room.take(bytes).map(drop);
        assert_eq!(refused(100), Ok(()));
        let (bytes, budget_bytes) = (101, 100);
        assert_eq!(
            refused(101),
            Err(ReceiveError::NeverFits {
                bytes,
                budget_bytes
            })
        );
        let (bytes, bytes_max) = (201, 200);
        assert_eq!(
            refused(201),
            Err(ReceiveError::TooLarge { bytes, bytes_max })
        );
    }
}
