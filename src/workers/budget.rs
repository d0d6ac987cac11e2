//! The byte budget: one pool for compressed, joined and inflated bytes of all requests in flight.

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
        Self {
            pool: Arc::new(Pool {
                bytes_max,
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
}

impl Permit {
    /// Takes `bytes` more, or nothing.
    #[must_use]
    pub fn try_grow(&mut self, bytes: u64) -> bool {
        let pool = &self.pool;
        let grown = pool
            .bytes_taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                taken
                    .checked_add(bytes)
                    .filter(|total| *total <= pool.bytes_max)
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
}
