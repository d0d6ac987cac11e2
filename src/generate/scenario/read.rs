//! The top level of a scenario file.

use std::collections::BTreeSet;

use super::distribution::share;
use super::model::{Scenario, Service, SignalWeights};
use super::reader::refuse_strangers;
use super::services::{Defaults, read_services};
use super::size::{Oversize, SPAN_BYTES_MAX, SPANS_PER_REQUEST_MAX};
use super::{logs, metrics};
use crate::config::{Code, Reading, Report, Section, Source, parse};
use crate::generate::Mix;
use crate::generate::signal::Signal;

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
            let key = match oversize {
                Oversize::Request { .. } if section.is_given("spans_per_request") => {
                    "spans_per_request"
                }
                Oversize::Request { signal, .. } if signal != Signal::Traces => signal.name(),
                _ => "services",
            };
            section.refuse(key, Code::Limit, oversize.to_string(), "too much");
        }
        // A name that differs from pod to pod may be any.
        let names = scenario.services.iter().map(Service::told_name);
        let names: Option<BTreeSet<String>> = names.collect();
        if let Some(names) = names.filter(|names| !names.is_empty()) {
            refuse_strangers(section, "metrics", &names);
            refuse_strangers(section, "logs", &names);
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
    #[must_use]
    pub fn of(self, signal: Signal) -> u32 {
        match signal {
            Signal::Traces => self.traces,
            Signal::Metrics => self.metrics,
            Signal::Logs => self.logs,
        }
    }

    fn read(section: &mut Section) -> Self {
        let weights = Self {
            traces: section.unsigned("traces", 0),
            metrics: section.unsigned("metrics", 0),
            logs: section.unsigned("logs", 0),
        };
        if weights.is_nothing() {
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

    #[must_use]
    pub fn is_nothing(self) -> bool {
        Signal::ALL.into_iter().all(|signal| self.of(signal) == 0)
    }

    /// `None`: they make no round of requests.
    #[must_use]
    pub fn mix(self, seed: u64) -> Option<Mix> {
        Mix::new(Signal::ALL.map(|signal| self.of(signal)), seed)
    }
}
