//! The end of one pipeline and the start of another.

pub mod spanmetrics;
