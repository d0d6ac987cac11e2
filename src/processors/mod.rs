//! Batch in, batch out.

pub mod batch;
pub mod memory_limiter;
pub mod resource;
