//! The store, built on loom's atomics.

#[allow(dead_code, reason = "the models use the hand-over only")]
#[path = "../../../src/store/mod.rs"]
pub mod store;

#[path = "../../../src/telemetry/padded.rs"]
mod padded;

/// What the store knows of it.
mod telemetry {
    pub(crate) use crate::padded;
}
