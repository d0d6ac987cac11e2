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
