//! The top level of a scenario file.

use super::distribution::share;
use super::model::{Scenario, SignalWeights};
use super::services::{Defaults, read_services};
use super::size::{SPAN_BYTES_MAX, SPANS_PER_REQUEST_MAX};
use super::{logs, metrics};
use crate::config::{Code, Reading, Report, Section, Source, parse};
use crate::generate::Mix;

const SPANS_PER_REQUEST: i64 = 512;
const SPAN_BYTES: i64 = 800;
/// Of one request.
const RESOURCES_MAX: i64 = 10_000;

impl Scenario {
    /// Reads a scenario. Remarks that forbid nothing come with it.
    ///
    /// # Errors
    /// When something is wrong: all of it.
    pub fn read(source: Source) -> Result<(Self, Report), Report> {
        let reading = Reading::default();
        let node = parse(&source, &reading.log);
        let scenario = node
            .map(|node| Section::read(&reading, String::new(), node.span, &node, Self::read_keys));
        let mut report = Report::default();
        report.add(source, reading.log);
        match scenario {
            Some(scenario) if !report.has_errors() => Ok((scenario, report)),
            _ => Err(report),
        }
    }

    pub(super) fn read_keys(section: &mut Section) -> Self {
        let defaults = Defaults::read(section);
        let scenario = Self {
            description: section.string("description", ""),
            seed: section.integer("seed", 1, 0, i64::MAX).cast_unsigned(),
            spans_per_request: bounded(
                section,
                "spans_per_request",
                SPANS_PER_REQUEST,
                1,
                i64::from(SPANS_PER_REQUEST_MAX),
            ),
            resources_per_request: bounded(section, "resources_per_request", 1, 1, RESOURCES_MAX),
            span_bytes: bounded(
                section,
                "span_bytes",
                SPAN_BYTES,
                0,
                i64::from(SPAN_BYTES_MAX),
            ) as usize,
            connections: section
                .integer("connections", 1, 1, i64::from(u16::MAX))
                .try_into()
                .expect("read within bounds"),
            signals: section
                .section("signals", SignalWeights::read)
                .unwrap_or_default(),
            malformed_share: share(section, "malformed_share", 0.0),
            services: read_services(section, &defaults),
            metrics: metrics::read(section).unwrap_or_else(metrics::built_in),
            logs: logs::read(section).unwrap_or_else(logs::built_in),
        };
        if let Err(oversize) = scenario.check_size() {
            section.refuse("services", Code::Limit, oversize.to_string(), "too much");
        }
        scenario
    }
}

fn bounded(section: &mut Section, key: &'static str, default: i64, least: i64, most: i64) -> u32 {
    u32::try_from(section.integer(key, default, least, most)).expect("read within bounds")
}

impl Default for SignalWeights {
    fn default() -> Self {
        Self {
            traces: 1,
            metrics: 0,
            logs: 0,
        }
    }
}

impl SignalWeights {
    fn read(section: &mut Section) -> Self {
        let weights = Self {
            traces: section.unsigned("traces", 0),
            metrics: section.unsigned("metrics", 0),
            logs: section.unsigned("logs", 0),
        };
        if weights.traces == 0 && weights.metrics == 0 && weights.logs == 0 {
            let message = format!("`{}` sends nothing", section.path());
            section.refuse("traces", Code::Value, message, "a weight above 0");
        } else if weights.mix(0).is_none() {
            let message = format!("the weights of `{}` are too fine", section.path());
            section.refuse(
                "traces",
                Code::Limit,
                message,
                "without a common factor, at most 10000 together",
            );
        }
        weights
    }

    /// `None`: they make no round of requests.
    #[must_use]
    pub fn mix(self, seed: u64) -> Option<Mix> {
        Mix::new([self.traces, self.metrics, self.logs], seed)
    }
}
