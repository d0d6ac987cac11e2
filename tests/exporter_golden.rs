//! Whole texts of the recorded scrapes: snapshots that hold what the cases sent, rendered again.
//!
//! Label sets and values are read from the record, turned back into OTLP words and put into cells in
//! reverse order; names, labels, order, numbers and line forms must come out as they were. The times
//! of 02 are set to one and the same in both formats.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a test are small and exact"
)]

mod exporter_support;

use std::collections::BTreeMap;

use exporter_support::{
    Harness, OPEN_METRICS, Pairs, TEXT, Table, count, histogram_ms, options, snapshot, stream,
};
use spanmill::exporters::prometheus::Source;
use spanmill::exporters::prometheus::options::PrometheusOptions;
use spanmill::store::window::Layout;

/// One label set of the record.
#[derive(Default)]
struct Recorded {
    calls: Option<f64>,
    events: Option<f64>,
    /// Not cumulative, the last one is +Inf.
    buckets: Vec<u64>,
    sum: f64,
}

struct Case {
    name: &'static str,
    options: PrometheusOptions,
    compat: bool,
    /// Labels that came from the resource.
    from_resource: &'static [&'static str],
    time_ms: u64,
    /// Flushes between the cells' birth and the scrape.
    flushes: u64,
}

fn case(name: &'static str) -> Case {
    Case {
        name,
        options: options(),
        compat: true,
        from_resource: &[],
        time_ms: 1_700_000_060_000,
        flushes: 2,
    }
}

#[test]
fn span_metrics_come_out_as_recorded() {
    for name in ["05", "06", "08", "09", "11", "13", "22", "23", "35-second"] {
        check(&case(name));
        // Only time and collisions tell the modes apart.
        check(&Case {
            compat: false,
            ..case(name)
        });
    }
}

#[test]
fn guide_configuration_comes_out_as_recorded() {
    let mut options = options();
    options.namespace = "acs".to_owned();
    options.const_labels = vec![("label1".to_owned(), "value1".to_owned())];
    options.send_timestamps = true;
    options.add_metric_suffixes = false;
    options.resource_to_telemetry_conversion = true;
    for compat in [true, false] {
        check(&Case {
            options: options.clone(),
            compat,
            from_resource: &["host_name", "telemetry_sdk_language"],
            time_ms: 1_795_382_595_714,
            ..case("02")
        });
    }
}

#[test]
fn calls_show_zero_at_the_first_flush_and_durations_do_not() {
    check(&Case {
        flushes: 1,
        ..case("35-first")
    });
}

fn check(case: &Case) {
    let text = record(case.name, "txt");
    let prefix = if case.options.namespace.is_empty() {
        "traces_span_metrics_"
    } else {
        "acs_traces_span_metrics_"
    };
    let (bounds, recorded) = read(&text, prefix);
    let mut spans = Table::new(Layout::Histogram {
        buckets: u16::try_from(bounds.len() + 1).unwrap(),
    });
    let mut events = Table::new(Layout::Counter);
    // The other way round: the order must be made.
    for (labels, recorded) in recorded.iter().rev() {
        let (resource, key) = identity(labels, case.from_resource);
        if recorded.calls.is_some() {
            let sum_ns = (recorded.sum * 1e6).round() as u128;
            let mut words = vec![sum_ns as u64, (sum_ns >> 64) as u64];
            words.extend(&recorded.buckets);
            spans.born(&resource, &key, words, 1_600_000_000_000);
        }
        if let Some(count) = recorded.events {
            events.born(&resource, &key, vec![count as u64], 1_600_000_000_000);
        }
    }
    let sources = vec![
        Source {
            table: 0,
            stream: stream(vec![
                count("traces.span.metrics.calls"),
                histogram_ms("traces.span.metrics.duration", &bounds),
            ]),
        },
        Source {
            table: 1,
            stream: stream(vec![count("traces.span.metrics.events")]),
        },
    ];
    let harness = Harness::new(case.options.clone(), case.compat, sources);
    harness.show(snapshot(case.time_ms, case.flushes, &mut [spans, events]));
    let what = format!("{} compat {}", case.name, case.compat);
    same(&harness.scrape(TEXT, "test", true), &text, &what);
    let open_metrics = record(case.name, "openmetrics.txt");
    same(
        &harness.scrape(OPEN_METRICS, "test", true),
        &open_metrics,
        &what,
    );
}

/// Line by line, so that a difference can be read.
fn same(got: &str, expected: &str, case: &str) {
    for (index, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, expected, "{case}, line {}", index + 1);
    }
    assert_eq!(got.len(), expected.len(), "{case}");
}

fn record(name: &str, extension: &str) -> String {
    let path = format!(
        "{}/tests/exporter_golden/{name}.{extension}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

/// Bounds, and label sets with their values.
fn read(text: &str, prefix: &str) -> (Vec<f64>, BTreeMap<String, Recorded>) {
    let mut bounds: Vec<f64> = Vec::new();
    let mut recorded: BTreeMap<String, Recorded> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with(prefix)) {
        let (name, rest) = line[prefix.len()..].split_once('{').unwrap();
        let (labels, numbers) = rest.rsplit_once("} ").unwrap();
        let value: f64 = numbers.split(' ').next().unwrap().parse().unwrap();
        let (labels, le) = match labels.rsplit_once(",le=\"") {
            Some((labels, le)) => (labels, le.trim_end_matches('"')),
            None => (labels, ""),
        };
        let entry = recorded.entry(labels.to_owned()).or_default();
        match name.trim_end_matches("_total") {
            "calls" => entry.calls = Some(value),
            "events" => entry.events = Some(value),
            sum if sum.ends_with("_sum") => entry.sum = value,
            bucket if bucket.ends_with("_bucket") => {
                let bound: f64 = le.parse().unwrap();
                if bound.is_finite() && !bounds.contains(&bound) {
                    bounds.push(bound);
                }
                let below: u64 = entry.buckets.iter().sum();
                entry.buckets.push(value as u64 - below);
            }
            _ => {}
        }
    }
    (bounds, recorded)
}

/// Resource and point attributes that make these labels.
fn identity(labels: &str, from_resource: &[&str]) -> (Pairs, Pairs) {
    let (mut resource, mut key) = (Pairs::new(), Pairs::new());
    for label in labels.strip_suffix('"').unwrap().split("\",") {
        let (name, value) = label.split_once("=\"").unwrap();
        let attribute = match name {
            "http_status_code" => "http.status_code".to_owned(),
            "http_response_status_code" => "http.response.status_code".to_owned(),
            other => other.replace('_', "."),
        };
        let value = value.as_bytes().to_vec();
        let mut of_resource = |name: &str, value: &[u8]| {
            resource.push((name.as_bytes().to_vec(), value.to_vec()));
        };
        match name {
            "job" => {
                let mut parts = value.rsplitn(2, |byte| *byte == b'/');
                of_resource("service.name", parts.next().unwrap());
                if let Some(namespace) = parts.next() {
                    of_resource("service.namespace", namespace);
                }
            }
            "instance" => of_resource("service.instance.id", &value),
            "service_namespace" | "label1" => {}
            scope if scope.starts_with("otel_scope_") => {}
            other if from_resource.contains(&other) => of_resource(&attribute, &value),
            _ => key.push((attribute.into_bytes(), value)),
        }
    }
    key.reverse();
    (resource, key)
}
