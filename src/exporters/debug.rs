//! `exporters.debug`. Parsed and checked; it does not act yet.

use crate::config::Section;

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

impl DebugOptions {
    pub fn read(section: &mut Section) -> Self {
        let words = ["basic", "normal", "detailed"];
        Self {
            verbosity: match section.word("verbosity", "basic", &words, true) {
                "detailed" => Verbosity::Detailed,
                "normal" => Verbosity::Normal,
                _ => Verbosity::Basic,
            },
            sampling_initial: section.integer("sampling_initial", 2, i64::MIN, i64::MAX),
            sampling_thereafter: section.integer("sampling_thereafter", 1, i64::MIN, i64::MAX),
            use_internal_logger: section.bool("use_internal_logger", true),
        }
    }
}
