//! What people and machines are told of differences.

use super::super::difference::{Difference, Interval, Problem};
use super::*;

fn number(number: u64) -> String {
    number.to_string()
}

fn missing(name: &str, service: &str, span: &str) -> Difference {
    Difference {
        metric: name.to_owned(),
        labels: format!("{{job=\"shop\",service_name=\"{service}\",span_name=\"{span}\"}}"),
        problem: Problem::Missing {
            want: Interval {
                low: 1.0,
                high: 2.0,
            },
        },
    }
}

fn surplus(labels: &str) -> Difference {
    Difference {
        metric: "x_calls".to_owned(),
        labels: labels.to_owned(),
        problem: Problem::Surplus { got: 3.0 },
    }
}

fn verdict(all: Vec<Difference>) -> Verdict {
    let mut differences = Differences::default();
    for difference in all {
        differences.push(difference);
    }
    Verdict {
        label_sets: 20,
        spans: 1_000,
        spans_uncertain: 0,
        scrapes: 2,
        waited: Duration::from_millis(500),
        differences,
        unread: None,
        hints: Vec::new(),
        common: vec![("job".to_owned(), "shop".to_owned())],
    }
}

#[test]
fn good_run_is_one_line() {
    let mut good = verdict(Vec::new());
    assert!(good.passed());
    assert_eq!(
        good.lines(number),
        ["passed: 1000 spans in 20 label sets (scrapes: 2, in 0.5 s)"]
    );
    good.spans_uncertain = 50;
    assert!(good.lines(number)[0].contains(", and 50 of refused or unanswered requests"));
}

#[test]
fn missing_label_sets_are_told_by_what_they_share() {
    let of = |index: u32| missing("x_calls", "cart", &format!("op{index}"));
    let lines = verdict((0..12).map(of).collect()).lines(number);
    assert!(
        lines[0].starts_with("FAILED, 12 differences: "),
        "{}",
        lines[0]
    );
    assert_eq!(
        lines[1],
        "  missing: 12 label sets, all of service_name=\"cart\" (x_calls 12)"
    );
    assert!(
        lines[2].starts_with("    missing: x_calls{job=\"shop\""),
        "{}",
        lines[2]
    );
    assert_eq!(lines[2 + SHOWN_MAX], "    ...");
    assert_eq!(lines.len(), 3 + SHOWN_MAX);
}

#[test]
fn metrics_of_one_label_set_are_counted_apart() {
    let both = vec![
        missing("x_bucket le=1", "cart", "op"),
        missing("x_bucket le=2", "cart", "op"),
        missing("x_sum", "cart", "op"),
    ];
    let lines = verdict(both).lines(number);
    assert_eq!(lines[1], "  missing: 1 label set (x_bucket 2, x_sum 1)");
}

#[test]
fn json_bounds_what_it_lists_and_counts_all() {
    let of = |index: u32| missing("x_calls", "cart", &format!("op{index}"));
    let json = verdict((0..5_000).map(of).collect()).json();
    assert_eq!(json["passed"], false);
    assert_eq!(json["difference_count"], 5_000);
    assert_eq!(json["groups"][0]["label_sets"], 5_000);
    assert_eq!(json["groups"][0]["common_labels"]["service_name"], "cart");
    assert_eq!(json["groups"][0]["common_labels"]["job"], Value::Null);
    assert_eq!(json["differences"].as_array().map(Vec::len), Some(300));
}

#[test]
fn reading_that_failed_is_no_pass() {
    let mut unread = verdict(Vec::new());
    unread.unread = Some("no answer".to_owned());
    assert!(!unread.passed());
    assert!(unread.lines(number)[0].starts_with("FAILED, the last reading failed (no answer)"));
}

#[test]
fn labels_that_tell_missing_from_surplus_are_named() {
    let verdict = verdict(vec![
        missing("x_calls", "cart", "a"),
        surplus("{env=\"prod\",job=\"other\",span_name=\"a\"}"),
        surplus("{env=\"prod\",job=\"other\",span_name=\"b\"}"),
    ]);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let common = [pair("job", "shop"), pair("service_name", "cart")];
    let names = ["job", "service_name", "span_name"]
        .map(ToOwned::to_owned)
        .into();
    assert_eq!(
        label_hints(&verdict.differences, &common, &names),
        [
            "all surplus label sets have the label env=\"prod\"",
            "all missing label sets, and no surplus one, have job=\"shop\"",
            "no surplus label set has the expected label service_name=\"cart\"",
        ]
    );
}
