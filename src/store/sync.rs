//! The one place where `handover` gets its atomics from: the standard library's, or loom's models of
//! them when `tests/loom` includes this folder.

#[cfg(spanmill_loom)]
pub(super) use loom::sync::{
    Arc,
    atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
};
#[cfg(not(spanmill_loom))]
pub(super) use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
};

/// Lets loom see each side's access to a window, whose contents it cannot track.
#[cfg(spanmill_loom)]
#[derive(Debug, Default)]
pub(super) struct Touched(loom::cell::UnsafeCell<()>);

#[cfg(spanmill_loom)]
impl Touched {
    /// Fails the model unless every earlier access happens before this one.
    pub(super) fn touch(&self) {
        self.0.with_mut(|_| ());
    }
}
