//! `exporters.prometheus`: what the user wrote, settled.

use std::time::Duration;

use crate::config::{Code, Section, blocks};

#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a key of the user's file"
)]
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

/// 5 minutes, as the Collector has it.
const METRIC_EXPIRATION: Duration = Duration::from_mins(5);

/// Keys that came after v0.128.0.
const LATER_KEYS: &[&str] = &[
    "translation_strategy",
    "without_scope_info",
    "sending_queue",
    "resource_constant_labels",
];

impl PrometheusOptions {
    pub fn read(section: &mut Section) -> Self {
        section.later_keys(LATER_KEYS);
        section.not_yet(blocks::HTTP_SERVER_GUARDS, blocks::GUARD_LABEL);
        section.dormant(blocks::HTTP_SERVER);
        section.dormant(blocks::HTTP_SERVER_LIMITS);
        let metric_expiration = section.duration("metric_expiration", METRIC_EXPIRATION);
        if metric_expiration.is_zero() {
            section.warn(
                "metric_expiration",
                Code::Value,
                format!("`{}` is zero", section.path_of("metric_expiration")),
                "every series expires at once and no scrape shows anything",
            );
        }
        Self {
            endpoint: section.listen_endpoint(""),
            namespace: section.string("namespace", ""),
            const_labels: section.string_map("const_labels"),
            send_timestamps: section.bool("send_timestamps", false),
            metric_expiration,
            enable_open_metrics: section.bool("enable_open_metrics", false),
            add_metric_suffixes: section.bool("add_metric_suffixes", true),
            resource_to_telemetry_conversion: section
                .section("resource_to_telemetry_conversion", |block| {
                    block.bool("enabled", false)
                })
                .unwrap_or(false),
            response_headers: section.string_map("response_headers"),
            start_at_zero: section.bool("start_at_zero", true),
        }
    }
}
