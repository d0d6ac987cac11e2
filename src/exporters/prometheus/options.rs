//! `exporters.prometheus`: what the user wrote, settled.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrometheusOptions {
    /// `host:port` as written.
    pub endpoint: String,
    pub namespace: String,
    /// In the order of the file.
    pub const_labels: Vec<(String, String)>,
    pub send_timestamps: bool,
    pub metric_expiration: Duration,
    pub enable_open_metrics: bool,
    pub add_metric_suffixes: bool,
    pub resource_to_telemetry_conversion: bool,
    pub response_headers: Vec<(String, String)>,
    /// Our own key: a series' first exposure carries a zero at its birth.
    pub start_at_zero: bool,
}
