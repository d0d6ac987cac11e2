//! A described load: the YAML of a scenario in, settled values out.
//!
//! Every mistake is reported with its place, all at once, as for a configuration: the reader is the
//! same. What is settled has nothing optional left.
//!
//! | file | purpose |
//! |---|---|
//! | `model` | a scenario as it is settled |
//! | `builtin` | the scenarios that come with the program |
//! | `sized` | one that is only sized |
//! | `size` | what a load may cost |
//! | `request_bytes` | what a request may take |
//! | `read` | the top level of a file |
//! | `services`, `spans` | who sends, and what spans are like |
//! | `attributes` | attributes, fixed or drawn |
//! | `distribution`, `zipf` | how numbers, and the ranks of values, are spread |
//! | `metrics`, `logs` | the sections of these signals |
//! | `format`, `template` | numbered texts, and texts with places for words |
//! | `reader` | what all sections are read with |

pub mod attributes;
pub mod builtin;
pub mod distribution;
pub mod format;
pub mod logs;
pub mod metrics;
pub mod model;
mod read;
pub mod reader;
mod request_bytes;
pub mod services;
pub mod size;
pub mod sized;
pub mod spans;
pub mod template;
pub mod zipf;

pub use model::Scenario;
pub use sized::LoadOptions;

#[cfg(test)]
pub(super) mod tests;
