//! Finds a wanted attribute by its key.
//!
//! Most attributes of a span are unwanted, and most of them differ from every wanted key in their
//! length or their last eight bytes (OpenTelemetry's keys share prefixes, not ends). So a key's
//! length and end are hashed into a small table of chains that is nearly always empty at that place:
//! an unwanted key costs a load, a multiplication and a look into one cache line or two; a wanted
//! key is compared once. The table is built at start and never changes.
//!
//! Runs on a worker core, per attribute; no allocation, no unsafe; see the bench `decode`.

/// Slots of the table: all values of a byte, so that a look into it needs no check.
const SLOTS: usize = 1 << u8::BITS;

/// The golden ratio in 64 bits: spreads ends that differ in few bits (Knuth, volume 3, 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// No key, or no further one.
const NONE: u32 = u32::MAX;

/// The wanted keys of one kind of attribute, each with its column.
#[derive(Debug)]
pub(super) struct Projection {
    keys: Box<[Wanted]>,
    /// Hash -> first key of its chain.
    heads: [u32; SLOTS],
}

#[derive(Debug)]
struct Wanted {
    key: Box<[u8]>,
    start: u64,
    end: u64,
    next: u32,
}

impl Projection {
    /// The key at an index belongs to the column of that index.
    pub(super) fn new(keys: &[Vec<u8>]) -> Self {
        let mut heads = [NONE; SLOTS];
        let mut wanted = Vec::with_capacity(keys.len());
        for (key, index) in keys.iter().zip(0..) {
            let end = end(key);
            let next = std::mem::replace(&mut heads[slot(end, key.len())], index);
            wanted.push(Wanted {
                key: key.as_slice().into(),
                start: start(key),
                end,
                next,
            });
        }
        Self {
            keys: wanted.into_boxed_slice(),
            heads,
        }
    }

    /// Column of `key`, if somebody wants it.
    ///
    /// # Hot path
    /// - runs: on a worker, per attribute of every span
    /// - cost: no allocation; about 12 instructions for an unwanted key
    /// - invariants: none
    /// - units: none
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        let end = end(key);
        match self.heads[slot(end, key.len())] {
            NONE => None,
            first => self.find_in_chain(first, key, end),
        }
    }

    #[inline(never)]
    fn find_in_chain(&self, first: u32, key: &[u8], end: u64) -> Option<usize> {
        let mut index = first;
        // `NONE` is no index either.
        while let Some(wanted) = self.keys.get(index as usize) {
            if wanted.is(key, end) {
                return Some(index as usize);
            }
            index = wanted.next;
        }
        None
    }
}

impl Wanted {
    // PERF: most keys are compared without a call; bench `decode/guide`.
    #[inline]
    fn is(&self, key: &[u8], end: u64) -> bool {
        let same_ends = self.end == end && self.key.len() == key.len() && self.start == start(key);
        same_ends && (key.len() <= 16 || self.key[8..] == key[8..])
    }
}

#[inline]
fn slot(end: u64, key_bytes: usize) -> usize {
    let mixed = (end ^ key_bytes as u64).wrapping_mul(SPREAD);
    (mixed >> (u64::BITS - u8::BITS)) as usize
}

/// The first eight bytes; of a shorter key nothing, since its end is all of it.
#[inline]
fn start(key: &[u8]) -> u64 {
    key.first_chunk()
        .map_or(0, |first| u64::from_le_bytes(*first))
}

/// The last eight bytes; of a shorter key all of them, some twice.
#[inline]
fn end(key: &[u8]) -> u64 {
    if let Some(last) = key.last_chunk() {
        u64::from_le_bytes(*last)
    } else if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
    } else if let (Some(first), Some(last)) = (key.first(), key.last()) {
        u64::from(*first) | u64::from(key[key.len() / 2]) << 8 | u64::from(*last) << 16
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::Projection;

    fn keys(count: usize) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = (0..count).map(|n| format!("key.{n}").into()).collect();
        keys.extend(["", "a", "ab", "abc", "abcd", "abcdefg"].map(Vec::from));
        keys.extend(["http.request.method", "grpc.request.method"].map(Vec::from));
        keys.push(b"not utf-8 \xff".to_vec());
        keys
    }

    #[test]
    fn each_wanted_key_is_found_at_its_index() {
        for count in [0, 1, 30, 2_000] {
            let keys = keys(count);
            let projection = Projection::new(&keys);
            for (index, key) in keys.iter().enumerate() {
                assert_eq!(projection.find(key), Some(index));
            }
        }
    }

    #[test]
    fn keys_that_differ_in_one_byte_or_in_length_are_not_found() {
        let keys = keys(9);
        let projection = Projection::new(&keys);
        for key in &keys {
            for index in 0..key.len() {
                let mut other = key.clone();
                other[index] ^= 0x80;
                assert_eq!(projection.find(&other), None);
            }
            let longer = [&key[..], b"!"].concat();
            assert_eq!(projection.find(&longer), None);
        }
        assert_eq!(Projection::new(&[]).find(b""), None);
    }
}
