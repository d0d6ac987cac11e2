//! Keeps what one thread writes off the cache lines that others read or write.

use std::ops::Deref;

/// A value on two lines of 64 bytes of its own: x86-64 prefetches lines in pairs, and some aarch64
/// lines are 128 bytes (sources: Intel SDM volume 3, "spatial prefetcher"; Apple M1
/// `hw.cachelinesize`).
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Padded<T>(pub T);

impl<T> Deref for Padded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
