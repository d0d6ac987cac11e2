//! `connectors.spanmetrics`: a trace batch in, groups in a window out.

pub mod options;
