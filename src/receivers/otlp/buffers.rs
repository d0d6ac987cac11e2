//! The memory of bodies, used again.
//!
//! A worker keeps a handle on the last few bodies it joined or inflated. Once nobody else holds
//! one, its memory serves the next body, so a steady load touches the same pages again and again.
//! What is kept here is outside of the byte budget and bounded on its own.

use std::cell::RefCell;

use bytes::Bytes;

/// Bodies kept per worker.
const BUFFERS_MAX: usize = 8;

/// The largest body kept: with `BUFFERS_MAX` at most 8 MiB a worker.
const BUFFER_BYTES_MAX: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Buffers {
    sent: RefCell<Vec<Bytes>>,
}

impl Buffers {
    /// An empty buffer with room for `bytes`.
    pub(super) fn take(&self, bytes: usize) -> Vec<u8> {
        let mut sent = self.sent.borrow_mut();
        let free = sent.iter().position(Bytes::is_unique);
        let reused = free.and_then(|index| sent.swap_remove(index).try_into_mut().ok());
        let mut buffer = reused.map_or_else(Vec::new, |mut body| {
            body.clear();
            Vec::from(body)
        });
        if buffer.capacity() < bytes {
            // Not `reserve`, which would copy what is no longer wanted.
            buffer = Vec::with_capacity(bytes);
        }
        buffer
    }

    /// Turns a filled buffer into a body.
    pub(super) fn seal(&self, buffer: Vec<u8>) -> Bytes {
        let kept = buffer.capacity() <= BUFFER_BYTES_MAX;
        let body = Bytes::from(buffer);
        let mut sent = self.sent.borrow_mut();
        if kept && sent.len() < BUFFERS_MAX {
            sent.push(body.clone());
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::{BUFFER_BYTES_MAX, BUFFERS_MAX, Buffers};

    #[test]
    fn memory_of_a_body_is_used_again_once_nobody_holds_it() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(1000);
        buffer.extend_from_slice(b"first");
        let memory = buffer.as_ptr();
        let body = buffers.seal(buffer);
        let other = buffers.take(10);
        assert_ne!(other.as_ptr(), memory, "the body is still held");
        drop(body);
        let buffer = buffers.take(900);
        assert_eq!(buffer.as_ptr(), memory);
        assert!(buffer.is_empty() && buffer.capacity() >= 1000);
    }

    #[test]
    fn few_and_small_bodies_are_kept() {
        let buffers = Buffers::default();
        drop(buffers.seal(Vec::with_capacity(BUFFER_BYTES_MAX + 1)));
        assert!(buffers.sent.borrow().is_empty());
        let held: Vec<_> = (0..20).map(|_| buffers.seal(vec![0; 10])).collect();
        assert_eq!(buffers.sent.borrow().len(), BUFFERS_MAX);
        drop(held);
    }
}
