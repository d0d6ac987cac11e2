//! `exporters.prometheus`: snapshot in, text 0.0.4 and OpenMetrics 1.0 over HTTP out.

pub mod options;
