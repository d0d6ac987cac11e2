//! Records are settled with their defaults; what does not fit is located.

use super::super::tests;
use super::*;

fn read_text(text: &str) -> Result<Vec<Record>, String> {
    tests::read(text, read).map(|read| read.expect("given"))
}

#[test]
fn built_in_records_are_read() {
    let records = built_in();
    let mix: Vec<_> = records
        .iter()
        .map(|record| (record.severity, record.weight))
        .collect();
    assert_eq!(mix[0], (Severity::Info, 60));
    assert!(
        records
            .iter()
            .any(|record| matches!(record.body, Body::Map(_)))
    );
    assert!(records.iter().any(|record| !record.event_name.is_empty()));
}

#[test]
fn a_record_needs_no_more_than_a_body() {
    let records = read_text("logs: [{body: hello}]").unwrap();
    assert_eq!(records[0].severity, Severity::Info);
    assert_eq!(records[0].severity_text, "INFO");
    assert_eq!(records[0].weight, 1);
}

#[test]
fn mistakes_are_located() {
    insta::assert_snapshot!(
        read_text(
            "\
logs:
  - severity: warning
    body: a
  - severity: info
  - body: user {user.id}
    attributes: {user: 1}
  - body: {message: a}
    body_bytes: 10
    traced: 1.5
    observed_after: 5
"
        )
        .unwrap_err()
    );
}
