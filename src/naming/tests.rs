use super::label::LabelName;
use super::metric::{Kind, escaped, family_name};
use super::stream::Attribute;
use super::target::{instance, job};

/// Attributes of a resource, and the job they make.
type Case = (
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
);

fn wire(name: &str, unit: &str, kind: Kind, namespace: &str, suffixes: bool) -> String {
    escaped(&family_name(name, unit, kind, namespace, suffixes))
}

#[test]
fn units_and_types_become_suffixes_as_recorded() {
    let table = [
        ("unit 01", "1", Kind::Gauge, "unit_01_ratio"),
        ("unit 02", "s", Kind::Gauge, "unit_02_seconds"),
        ("unit 09", "%", Kind::Gauge, "unit_09_percent"),
        ("unit 14", "TiBy", Kind::Gauge, "unit_14_tibibytes"),
        ("unit 16", "kBy", Kind::Gauge, "unit_16_kBy"),
        ("unit 27", "Cel", Kind::Gauge, "unit_27_celsius"),
        ("unit 29", "By/s", Kind::Gauge, "unit_29_bytes_per_second"),
        ("unit 31", "km/h", Kind::Gauge, "unit_31_km_per_hour"),
        ("unit 32", "1/s", Kind::Gauge, "unit_32_per_second"),
        ("unit 33", "/s", Kind::Gauge, "unit_33_per_second"),
        ("unit 34", "s/", Kind::Gauge, "unit_34_seconds"),
        ("unit 35", "{requests}", Kind::Gauge, "unit_35"),
        ("unit 36", "{req}/s", Kind::Gauge, "unit_36_per_second"),
        ("unit 37", "1/{x}", Kind::Gauge, "unit_37"),
        ("unit 38", "By/{op}", Kind::Gauge, "unit_38_bytes"),
        ("unit 39", "a/b/c", Kind::Gauge, "unit_39_a_per_b_c"),
        ("unit 40", "foo bar", Kind::Gauge, "unit_40_foo_bar"),
        ("unit 41", "m^2", Kind::Gauge, "unit_41_m_2"),
        ("unit 42", "\u{b0}F", Kind::Gauge, "unit_42_F"),
        ("unit 43", "[arb'U]", Kind::Gauge, "unit_43_arb_U"),
        ("unit 44", "s/1", Kind::Gauge, "unit_44_seconds_per_1"),
        (
            "unit 45",
            "ms/min",
            Kind::Gauge,
            "unit_45_milliseconds_per_min",
        ),
        ("unit 47", "req/mo", Kind::Gauge, "unit_47_req_per_month"),
        ("unit 51", " s ", Kind::Gauge, "unit_51_seconds"),
        ("unit 52", "S", Kind::Gauge, "unit_52_S"),
        ("counter 01", "1", Kind::Counter, "counter_01_total"),
        (
            "counter 03",
            "ms",
            Kind::Counter,
            "counter_03_milliseconds_total",
        ),
        ("histogram 00", "1", Kind::Other, "histogram_00"),
        ("histogram 02", "By", Kind::Other, "histogram_02_bytes"),
        (
            "g.request_seconds_total",
            "s",
            Kind::Gauge,
            "g_request_seconds_total",
        ),
        ("g.a.ratio.b", "1", Kind::Gauge, "g_a_b_ratio"),
        (
            "g.disk.io.total",
            "By",
            Kind::Gauge,
            "g_disk_io_total_bytes",
        ),
        ("g.seconds.v", "s", Kind::Gauge, "g_seconds_v"),
        ("g.Seconds", "s", Kind::Gauge, "g_Seconds_seconds"),
        (
            "g.requests_per_second",
            "1/s",
            Kind::Gauge,
            "g_requests_per_second",
        ),
        ("9lives", "", Kind::Gauge, "_9lives"),
        ("1m..x__y", "By", Kind::Gauge, "_1m_x_y_bytes"),
        ("a:b", "s", Kind::Gauge, "a_b_seconds"),
        ("__lead__", "", Kind::Gauge, "lead"),
        ("c.a.total.count", "", Kind::Counter, "c_a_count_total"),
        (
            "c.disk.io.total",
            "By",
            Kind::Counter,
            "c_disk_io_bytes_total",
        ),
        ("@#", "", Kind::Gauge, ""),
    ];
    for (name, unit, kind, expected) in table {
        assert_eq!(
            wire(name, unit, kind, "", true),
            expected,
            "{name:?} {unit:?}"
        );
    }
}

#[test]
fn without_suffixes_underscores_and_colons_survive() {
    let table = [
        (":lead", ":lead"),
        ("UPPER.Case", "UPPER_Case"),
        ("1m..x__y", "_1m_x__y"),
        ("__lead__", "__lead__"),
        ("a:b", "a:b"),
        ("a..b__c--d", "a_b__c_d"),
        ("trailing.", "trailing"),
        ("c.requests_total", "c_requests_total"),
    ];
    for (name, expected) in table {
        assert_eq!(
            wire(name, "s", Kind::Counter, "", false),
            expected,
            "{name:?}"
        );
    }
    assert_eq!(
        wire("traces.span.metrics.calls", "", Kind::Counter, "acs", false),
        "acs_traces_span_metrics_calls"
    );
}

#[test]
fn namespace_is_cleaned_and_takes_the_place_of_an_empty_name() {
    let table = [
        ("1m.x", "test_space_1m_x"),
        ("requests_total", "test_space_requests_total"),
        ("j\u{e1}.ok:x", "test_space_j__ok_x"),
        ("___", "test_space"),
        ("", "test_space"),
        ("@#", "test_space"),
    ];
    for (name, expected) in table {
        let kind = if name == "requests_total" {
            Kind::Counter
        } else {
            Kind::Gauge
        };
        assert_eq!(
            wire(name, "", kind, "test-space", true),
            expected,
            "{name:?}"
        );
    }
}

#[test]
fn label_names_are_sanitised_as_recorded() {
    let table: [(&[u8], &str); 13] = [
        (b"_x", "key_x"),
        (b"9x", "key_9x"),
        (b"a..b", "a__b"),
        ("\u{e9}".as_bytes(), "_"),
        (b"a:b", "a_b"),
        (b".", "key_"),
        (b"_", "key_"),
        (b".x", "key_x"),
        (b"ab/c-d", "ab_c_d"),
        (b"UPPER", "UPPER"),
        ("\u{65e5}\u{672c}".as_bytes(), "__"),
        (b"a_", "a_"),
        (b"a\xffb", "a_b"),
    ];
    for (key, expected) in table {
        let name = LabelName::of_attribute(key);
        assert!(name.is_valid(), "{key:?}");
        assert_eq!(name.printed, expected, "{key:?}");
    }
}

#[test]
fn reserved_and_empty_label_names_are_invalid_and_can_be_made_valid() {
    let table = [
        ("__x", "key__x"),
        ("..", "key__"),
        ("__name__", "key__name__"),
        ("", "key_"),
    ];
    for (key, expected) in table {
        let name = LabelName::of_attribute(key.as_bytes());
        assert!(!name.is_valid(), "{key:?}");
        let name = name.made_valid();
        assert!(name.is_valid(), "{key:?}");
        assert_eq!(name.printed, expected, "{key:?}");
    }
    assert_eq!(LabelName::of_attribute(b"a.b").made_valid().printed, "a_b");
}

#[test]
fn const_label_names_are_kept_and_escaped_on_the_wire_only() {
    let name = LabelName::verbatim("data-mode");
    assert_eq!(
        (name.sorted_by.as_str(), name.printed.as_str()),
        ("data-mode", "data_mode")
    );
    assert_eq!(LabelName::verbatim("1st").printed, "_st");
    // Legal in the legacy set by the reference's test; Prometheus refuses it.
    assert_eq!(LabelName::verbatim("a:b").printed, "a_b");
}

#[test]
fn job_and_instance_come_from_the_service_attributes() {
    let resource = |pairs: &[(&str, &str)]| -> Vec<Attribute> {
        pairs
            .iter()
            .map(|(key, text)| Attribute {
                key: key.as_bytes().to_vec(),
                text: text.as_bytes().to_vec(),
            })
            .collect()
    };
    let table: [Case; 6] = [
        (&[], None),
        (&[("service.namespace", "only")], None),
        (&[("service.name", "a")], Some("a")),
        (&[("service.name", "")], Some("")),
        (
            &[("service.name", "a"), ("service.namespace", "")],
            Some("/a"),
        ),
        (
            &[
                ("service.namespace", "n"),
                ("service.name", "a"),
                ("service.name", "b"),
            ],
            Some("n/a"),
        ),
    ];
    for (pairs, expected) in table {
        assert_eq!(
            job(&resource(pairs)),
            expected.map(|text| text.as_bytes().to_vec())
        );
    }
    assert_eq!(
        instance(&resource(&[("service.instance.id", "i")])),
        Some(b"i".to_vec())
    );
    assert_eq!(instance(&[]), None);
}
