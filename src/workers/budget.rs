//! The byte budget: one pool for compressed, joined and inflated bytes of all requests in flight.
//!
//! A part of a pool can be kept for small shares: large bodies that are announced and never come
//! can take the rest, and the many small requests of well-behaved clients go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The pool. Cheap to clone; all clones share it.
#[derive(Clone, Debug)]
pub struct Budget {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    bytes_max: u64,
    /// What shares above `small_bytes_max` leave free.
    bytes_reserved: u64,
    small_bytes_max: u64,
    bytes_taken: AtomicU64,
}

/// A share of the pool, given back on drop.
#[derive(Debug)]
pub struct Permit {
    pool: Arc<Pool>,
    bytes: u64,
}

impl Budget {
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        Self::with_reserve(bytes_max, 0, 0)
    }

    /// A pool of which shares above `small_bytes_max` leave `bytes_reserved` free.
    #[must_use]
    pub fn with_reserve(bytes_max: u64, bytes_reserved: u64, small_bytes_max: u64) -> Self {
        Self {
            pool: Arc::new(Pool {
                bytes_max,
                bytes_reserved,
                small_bytes_max,
                bytes_taken: AtomicU64::new(0),
            }),
        }
    }

    /// Takes `bytes` at once, or nothing.
    #[must_use]
    pub fn try_take(&self, bytes: u64) -> Option<Permit> {
        let mut permit = Permit {
            pool: Arc::clone(&self.pool),
            bytes: 0,
        };
        permit.try_grow(bytes).then_some(permit)
    }

    #[must_use]
    pub fn bytes_taken(&self) -> u64 {
        self.pool.bytes_taken.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn bytes_max(&self) -> u64 {
        self.pool.bytes_max
    }

    /// The largest share that can ever be had.
    #[must_use]
    pub fn share_bytes_max(&self) -> u64 {
        let large = self.pool.bytes_max - self.pool.bytes_reserved;
        large.max(self.pool.small_bytes_max.min(self.pool.bytes_max))
    }
}

impl Permit {
    /// Takes `bytes` more, or nothing.
    #[must_use]
    pub fn try_grow(&mut self, bytes: u64) -> bool {
        let pool = &self.pool;
        let is_small = self.bytes.saturating_add(bytes) <= pool.small_bytes_max;
        let reserved = if is_small { 0 } else { pool.bytes_reserved };
        let total_max = pool.bytes_max - reserved;
        let grown = pool
            .bytes_taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                taken.checked_add(bytes).filter(|total| *total <= total_max)
            });
        if grown.is_ok() {
            self.bytes += bytes;
        }
        grown.is_ok()
    }

    /// Gives back what is held beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let back = self.bytes.saturating_sub(bytes);
        self.bytes -= back;
        self.pool.bytes_taken.fetch_sub(back, Ordering::Relaxed);
    }

    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pool
            .bytes_taken
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn share_is_taken_whole_or_not_and_given_back() {
        let budget = Budget::new(100);
        let mut first = budget.try_take(60).expect("room");
        assert!(budget.try_take(41).is_none());
        assert_eq!(budget.bytes_taken(), 60);
        assert!(first.try_grow(40));
        assert!(!first.try_grow(1));
        assert!(!first.try_grow(u64::MAX));
        first.shrink_to(30);
        first.shrink_to(50);
        assert_eq!((first.bytes(), budget.bytes_taken()), (30, 30));
        drop(first);
        assert_eq!(budget.bytes_taken(), 0);
    }

    #[test]
    fn small_shares_are_had_when_large_ones_have_taken_all_they_can() {
        let budget = Budget::with_reserve(100, 20, 10);
        assert_eq!(budget.share_bytes_max(), 80);
        assert!(budget.try_take(81).is_none());
        let large = budget.try_take(80).expect("room");
        assert!(budget.try_take(11).is_none());
        let mut small = budget.try_take(10).expect("kept for small ones");
        assert!(!small.try_grow(1), "it would be large");
        let second = budget.try_take(10).expect("kept for small ones");
        assert!(budget.try_take(1).is_none());
        drop((large, small, second));
        assert_eq!(budget.bytes_taken(), 0);
    }
}
