//! Bits in, bytes out, lowest bit first (RFC 1951, section 3.1.1).

/// Bits that are no whole word yet.
#[derive(Default)]
pub(super) struct Bits {
    held: u64,
    count: u32,
}

impl Bits {
    /// Appends the low `count` bits of `value`, at most 32; the others are 0.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, value: u32, count: u32) {
        debug_assert!(count <= 32 && u64::from(value) >> count == 0);
        self.held |= u64::from(value) << self.count;
        self.count += count;
        if self.count >= 32 {
            let [word @ .., _, _, _, _] = self.held.to_le_bytes();
            out.extend_from_slice(&word);
            self.held >>= 32;
            self.count -= 32;
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let bytes = self.count.div_ceil(8) as usize;
        out.extend_from_slice(&self.held.to_le_bytes()[..bytes]);
        *self = Self::default();
    }
}
