//! Random bits of the system, by way of std: our instance id, the keys of hash tables.
//!
//! Crates that ask by themselves look for `/dev/urandom` in a static binary, and an empty root has
//! none; std makes the system call.

use std::hash::{BuildHasher, Hash, RandomState as StdState};

/// Keys of a hash table that nobody outside can know. ahash with keys of std.
#[derive(Clone, Debug)]
pub struct RandomState(ahash::RandomState);

impl RandomState {
    #[must_use]
    pub fn new() -> Self {
        Self(ahash::RandomState::with_seeds(
            bits(),
            bits(),
            bits(),
            bits(),
        ))
    }

    pub fn hash_one(&self, value: impl Hash) -> u64 {
        self.0.hash_one(value)
    }
}

impl Default for RandomState {
    fn default() -> Self {
        Self::new()
    }
}

impl BuildHasher for RandomState {
    type Hasher = ahash::AHasher;

    #[inline]
    fn build_hasher(&self) -> ahash::AHasher {
        self.0.build_hasher()
    }
}

/// A random UUID, version 4.
#[must_use]
pub fn uuid() -> uuid::Uuid {
    let bytes = (u128::from(bits()) << 64) | u128::from(bits());
    uuid::Builder::from_random_bytes(bytes.to_ne_bytes()).into_uuid()
}

/// Bits that nobody outside can know.
fn bits() -> u64 {
    StdState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::{RandomState, uuid};

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(
            RandomState::new().hash_one(1),
            RandomState::new().hash_one(1)
        );
        assert_ne!(uuid(), uuid());
        assert_eq!(uuid().get_version_num(), 4);
    }
}
