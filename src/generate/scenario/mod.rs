//! A described load: the YAML of a scenario in, settled values out.
//!
//! Every mistake is reported with its place, all at once, as for a configuration: the reader is the
//! same. What is settled has nothing optional left.
//!
//! | file | purpose |
//! |---|---|
//! | `attributes` | attributes, fixed or drawn |
//! | `distribution`, `zipf` | how numbers, and the ranks of values, are spread |
//! | `metrics`, `logs` | the sections of these signals |
//! | `format` | numbered texts |
//! | `reader` | what all sections are read with |

pub mod attributes;
pub mod distribution;
pub mod format;
pub mod metrics;
pub mod reader;
pub mod zipf;

#[cfg(test)]
mod tests;
