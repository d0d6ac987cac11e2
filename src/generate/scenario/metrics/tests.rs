//! Instruments are settled with what SDKs take by default; what does not fit is located.

use super::super::tests;
use super::*;

fn read_text(text: &str) -> Result<Vec<Metric>, String> {
    tests::read(text, read).map(|read| read.expect("given"))
}

#[test]
fn built_in_metrics_have_every_type_and_temporality() {
    let metrics = built_in();
    let mut kinds: Vec<String> = metrics
        .iter()
        .map(|metric| {
            let temporality = metric.kind.temporality().map_or("none", Temporality::name);
            format!("{} {temporality}", metric.kind.name())
        })
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "exponential_histogram delta",
            "gauge none",
            "histogram cumulative",
            "sum cumulative",
            "sum delta",
            "summary cumulative",
        ]
    );
}

#[test]
fn defaults_are_those_of_the_sdks() {
    let metrics = read_text("metrics: [{name: d, type: histogram, value: 3}]").unwrap();
    let [metric] = metrics.as_slice() else {
        panic!("one metric: {metrics:?}");
    };
    assert_eq!(
        metric.kind,
        Kind::Histogram {
            temporality: Temporality::Cumulative,
            bounds: DEFAULT_BOUNDS.to_vec(),
            has_min_max: true,
        }
    );
    assert_eq!(metric.number, Number::Double);
    assert!(metric.has_start_time);
    assert!(
        tests::read("a: 1", |section| {
            section.entry("a");
            read(section)
        })
        .unwrap()
        .is_none()
    );
}

#[test]
fn mistakes_are_located() {
    insta::assert_snapshot!(
        read_text(
            "\
metrics:
  - type: gauge
    value: 1
  - name: a
    type: guage
    value: 1
  - name: b
    type: gauge
    monotonic: true
    temporality: delta
  - name: c
    type: histogram
    value: {uniform: {max: 1}}
    bounds: [1, 1, two]
    measurements: 1001
  - name: d
    type: summary
    value: 1
    quantiles: [0.5, 1.5]
    exemplars: 0.5
  - name: e
    type: exponential_histogram
    value: 1
    scale: 21
    zero_threshold: -1
    no_value: 2
    attributes:
      a: {cardinality: 10000}
      b: {cardinality: 10000}
"
        )
        .unwrap_err()
    );
}
