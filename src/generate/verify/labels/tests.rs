//! Label sets and names as the specification has them, written out by hand.

use super::super::expectation::ExpectedHistogram;
use super::super::resource::{ResourceAction, ValueFrom};
use super::*;
use crate::generate::scenario::LoadOptions;

fn load() -> Load {
    Load::new(LoadOptions {
        services: 1,
        routes: 1,
        users: 9,
        ..LoadOptions::default()
    })
}

/// `GET /`, failed, of user 7.
const SERVER: Shape = Shape {
    resource: 0,
    operation: 0,
    status: Status::Error,
    variant: 7,
};

/// Keeps nothing of the resource but what tells the service.
fn plain() -> Expectation {
    Expectation {
        resource_as_labels: false,
        ..Expectation::default()
    }
}

fn set(expectation: &Expectation, shape: Shape, event: Option<usize>) -> String {
    label_set(expectation, &load(), shape, event, true)
        .expect("defined")
        .expect("counted")
}

#[test]
fn guide_configuration_gives_the_labels_of_the_record() {
    assert_eq!(
        set(&plain(), SERVER, None),
        concat!(
            r#"{http_method="GET",http_response_status_code="500",http_route="/","#,
            r#"job="shop/frontend",label1="value1",service_name="frontend","#,
            r#"span_kind="SPAN_KIND_SERVER",span_name="GET /","#,
            r#"status_code="STATUS_CODE_ERROR",user_id="u-0000007"}"#
        )
    );
}

#[test]
fn default_of_a_dimension_stands_in_and_a_missing_one_has_no_label() {
    // The internal operation follows the only route and the client operation.
    let internal = Shape {
        operation: 2,
        status: Status::Unset,
        variant: 0,
        ..SERVER
    };
    assert_eq!(
        set(&plain(), internal, None),
        concat!(
            r#"{http_method="GET",job="shop/frontend",label1="value1",service_name="frontend","#,
            r#"span_kind="SPAN_KIND_INTERNAL",span_name="render",status_code="STATUS_CODE_UNSET"}"#
        )
    );
}

#[test]
fn event_dimensions_look_at_the_event_before_the_default() {
    let mut expectation = plain();
    expectation.events = Some(vec![
        ExpectedDimension::new("cache.tier", Some("none")),
        ExpectedDimension::new("default", Some("GET")),
    ]);
    let exception = set(&expectation, SERVER, Some(0));
    assert!(
        exception.contains(r#"cache_tier="none",default="GET""#),
        "{exception}"
    );
    let miss = set(&expectation, SERVER, Some(1));
    assert!(miss.contains(r#"cache_tier="2",default="GET""#), "{miss}");
}

#[test]
fn kept_resource_attributes_become_labels_and_deleted_ones_do_not() {
    let mut expectation = Expectation::default();
    let labels = set(&expectation, SERVER, None);
    for kept in [
        "host_arch=\"amd64\"",
        "telemetry_sdk_language=\"java\"",
        "service_namespace=",
    ] {
        assert!(labels.contains(kept), "{kept} in {labels}");
    }
    for deleted in [
        "instance",
        "process_pid",
        "container_id",
        "process_command_args",
    ] {
        assert!(!labels.contains(deleted), "{deleted} in {labels}");
    }
    expectation.resource.clear();
    let labels = set(&expectation, SERVER, None);
    assert!(labels.contains(r#",instance="shop.frontend-"#), "{labels}");
    let arguments = r#"process_command_args="[\"/usr/lib/jvm/java-21/bin/java\",\"-XX:"#;
    assert!(labels.contains(arguments), "{labels}");
}

#[test]
fn excluded_dimensions_have_no_label() {
    let mut expectation = plain();
    expectation.exclude_dimensions = vec!["span.kind".to_owned(), "service.name".to_owned()];
    let labels = set(&expectation, SERVER, None);
    assert!(
        !labels.contains("span_kind") && !labels.contains("service_name"),
        "{labels}"
    );
    assert!(labels.contains("job=\"shop/frontend\""), "{labels}");
}

#[test]
fn resource_without_a_service_is_not_counted() {
    let mut expectation = plain();
    expectation
        .resource
        .push(ResourceAction::delete("service.name"));
    assert_eq!(
        label_set(&expectation, &load(), SERVER, None, true).expect("defined"),
        None
    );
}

#[test]
fn what_cannot_be_foretold_is_refused() {
    let mut expectation = plain();
    expectation.const_labels = vec![("span_name".to_owned(), "x".to_owned())];
    let error = label_set(&expectation, &load(), SERVER, None, true).expect_err("two values");
    assert!(matches!(error, GenerateError::LabelCollision { label } if label == "span_name"));

    let mut expectation = plain();
    expectation.dimensions = vec![ExpectedDimension::new("request.id", None)];
    let error = label_set(&expectation, &load(), SERVER, None, true).expect_err("random");
    assert!(matches!(error, GenerateError::RandomDimension { .. }));
}

#[test]
fn label_that_is_reserved_is_refused() {
    for key in ["le", "__x", "otel.scope.name", ""] {
        let mut expectation = plain();
        expectation.dimensions = vec![ExpectedDimension::new(key, Some("x"))];
        let error = label_set(&expectation, &load(), SERVER, None, true).expect_err(key);
        assert!(matches!(error, GenerateError::LabelName { .. }), "{key}");
    }
}

#[test]
fn empty_labels_are_none_to_prometheus_and_ignored_ones_to_everybody() {
    let mut expectation = plain();
    expectation.dimensions = vec![ExpectedDimension::new("none", Some(""))];
    expectation.ignored_labels = vec!["job".to_owned()];
    let of = |keeps_empty| {
        let set = label_set(&expectation, &load(), SERVER, None, keeps_empty);
        set.expect("defined").expect("counted")
    };
    assert!(of(true).starts_with(r#"{label1="value1",none="",service"#));
    assert!(of(false).starts_with(r#"{label1="value1",service"#));
}

#[test]
fn processors_behind_the_connector_change_what_the_exporter_sees_only() {
    let upsert = |key: &str, value: &str| ResourceAction::Upsert {
        key: key.to_owned(),
        value: ValueFrom::Value(Value::Text(value.to_owned())),
    };
    let mut expectation = plain();
    expectation.resource_behind = vec![
        upsert("service.name", "other"),
        upsert("service.instance.id", "pod"),
        ResourceAction::delete("service.namespace"),
    ];
    let labels = set(&expectation, SERVER, None);
    for part in [
        r#",instance="pod","#,
        r#",job="other","#,
        r#",service_name="frontend","#,
    ] {
        assert!(labels.contains(part), "{part} in {labels}");
    }
    expectation.resource_as_labels = true;
    assert!(set(&expectation, SERVER, None).contains(r#",service_name="other","#));
    expectation.resource = std::mem::take(&mut expectation.resource_behind);
    expectation.resource_as_labels = false;
    assert!(set(&expectation, SERVER, None).contains(r#",service_name="other","#));
}

#[test]
fn service_name_that_is_no_text_is_empty_but_for_the_job() {
    let mut expectation = plain();
    expectation.resource.push(ResourceAction::Upsert {
        key: "service.name".to_owned(),
        value: ValueFrom::Value(Value::Int(7)),
    });
    let labels = set(&expectation, SERVER, None);
    assert!(labels.contains(r#",job="shop/7","#) && labels.contains(r#",service_name="","#));
}

#[test]
fn names_follow_namespace_unit_and_suffixes() {
    let plain = names(&Expectation::default());
    assert_eq!(plain.calls, "acs_traces_span_metrics_calls");
    assert_eq!(plain.bucket, "acs_traces_span_metrics_duration_bucket");
    let suffixed = names(&Expectation {
        metric_suffixes: true,
        exporter_namespace: String::new(),
        connector_namespace: "9red_x".to_owned(),
        histogram: Some(ExpectedHistogram {
            unit: DurationUnit::Seconds,
            bounds_ns: vec![1],
        }),
        ..Expectation::default()
    });
    let digit = names(&Expectation {
        exporter_namespace: "9x".to_owned(),
        ..Expectation::default()
    });
    assert_eq!(escaped(&digit.calls), "_x_traces_span_metrics_calls");
    assert_eq!(suffixed.calls, "_9red_x_calls_total");
    assert_eq!(suffixed.events, "_9red_x_events_total");
    assert_eq!(suffixed.sum, "_9red_x_duration_seconds_sum");
}

#[test]
fn total_goes_last_and_letters_live_until_they_are_written() {
    let of = names(&Expectation {
        metric_suffixes: true,
        exporter_namespace: "\u{fc}n.x".to_owned(),
        connector_namespace: "total.of".to_owned(),
        ..Expectation::default()
    });
    assert_eq!(of.calls, "\u{fc}n_x_of_calls_total");
    assert_eq!(escaped(&of.calls), "_n_x_of_calls_total");
    assert_eq!(of.sum, "\u{fc}n_x_total_of_duration_milliseconds_sum");
    assert_eq!(escaped("9a-b"), "_a_b");
}

#[test]
fn label_names_are_sanitised_as_the_specification_says() {
    for (key, name) in [
        ("http.response.status_code", "http_response_status_code"),
        ("9x", "key_9x"),
        ("_x", "key_x"),
        (".x", "key_x"),
        ("__x", "__x"),
        ("\u{fc}n\u{ef}.x", "\u{fc}n\u{ef}_x"),
    ] {
        assert_eq!(label_name(key), name);
    }
}
