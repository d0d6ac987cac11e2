//! `exporters.debug`. Parsed and checked; it does not act yet.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    Basic,
    Normal,
    Detailed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugOptions {
    pub verbosity: Verbosity,
    pub sampling_initial: i64,
    pub sampling_thereafter: i64,
    pub use_internal_logger: bool,
}
