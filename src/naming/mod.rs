//! The border between OpenTelemetry's names and Prometheus's names. Crossed once, at a series' birth.
//!
//! | file | purpose |
//! |---|---|
//! | `stream` | what a connector puts out, in OTLP words: the metrics and identity of a table's cells |

pub mod stream;
