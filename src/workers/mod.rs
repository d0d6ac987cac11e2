//! Threads: how many, what they run, how they stop, and the one clock.
//!
//! A worker is one thread with a `current_thread` runtime. It owns its connections and a
//! [`Station`]: the pipeline's compiled path from request bytes to a window. Receivers hand a
//! worker complete bodies; the worker runs what is ready as one batch and every request is
//! answered when its run has ended.

pub mod budget;
pub mod own_metrics;
pub mod request;
pub mod web;
mod web_io;

pub use request::{Outcome, Request, Signal, Station};
