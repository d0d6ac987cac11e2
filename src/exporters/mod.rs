//! Snapshots in, what a backend reads out.

pub mod debug;
pub mod prometheus;
pub mod prometheusremotewrite;
