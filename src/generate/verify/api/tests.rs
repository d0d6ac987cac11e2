//! Answers as Prometheus 2.42, 3.5 and `VictoriaMetrics` give them.

use super::super::expectation::Expectation;
use super::*;

fn watch(is_summing: bool) -> Watch {
    Watch::new(&[Expectation::default()], is_summing).expect("names")
}

fn scrapes() -> Scrapes {
    let mut scrapes = Scrapes::default();
    let up = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"__name__":"up","instance":"127.0.0.1:1234","job":"spanmill"},"value":[1.5,"1"]},
        {"metric":{"__name__":"up","instance":"127.0.0.1:9","job":"gone"},"value":[1.5,"0"]}]}}"#;
    each_element(up.as_bytes(), |element| {
        scrapes.add(element);
        Ok(())
    })
    .expect("well-formed");
    scrapes
}

/// What comes of series with these labels, values 1, 2, 3 ...
fn read(metrics: &[&str], is_summing: bool) -> Result<Observed, BoxError> {
    let series: Vec<String> = metrics
        .iter()
        .enumerate()
        .map(|(at, metric)| {
            format!(
                r#"{{"metric":{metric},"value":[1700000000.123,"{}"]}}"#,
                at + 1
            )
        })
        .collect();
    let body = format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}},"stats":{{"x":1}}}}"#,
        series.join(",")
    );
    let watch = watch(is_summing);
    let (mut observed, scrapes, mut set) = (Observed::new(&watch), scrapes(), LabelSet::new());
    each_element(body.as_bytes(), |element| {
        add(&mut observed, &watch, &scrapes, &element, &mut set)
    })?;
    observed.sort_buckets();
    Ok(observed)
}

/// The one label set of the calls.
fn calls(labels: &str) -> String {
    let metric = format!(r#"{{"__name__":"acs_traces_span_metrics_calls",{labels}}}"#);
    let observed = read(&[&metric], false).expect("well-formed");
    observed.groups[0]
        .spans
        .keys()
        .next()
        .expect("a series")
        .clone()
}

#[test]
fn labels_get_their_own_names_back() {
    for (labels, own) in [
        // honor_labels is off, and the exposition has an instance or has none.
        (
            r#""job":"spanmill","exported_job":"shop","instance":"127.0.0.1:1234""#,
            r#"{job="shop"}"#,
        ),
        (
            r#""job":"spanmill","exported_job":"shop","instance":"127.0.0.1:1234","exported_instance":"pod""#,
            r#"{instance="pod",job="shop"}"#,
        ),
        // It is on.
        (
            r#""job":"shop","instance":"127.0.0.1:1234""#,
            r#"{job="shop"}"#,
        ),
        (
            r#""job":"shop","instance":"pod""#,
            r#"{instance="pod",job="shop"}"#,
        ),
        // A label of the scrape's configuration.
        (
            r#""job":"shop","tier":"of scrape","exported_tier":"web""#,
            r#"{job="shop",tier="web"}"#,
        ),
        // Not of a scrape, though it looks so.
        (
            r#""job":"shop","exported_goods":"tea","otel_scope_name":"x""#,
            r#"{exported_goods="tea",job="shop"}"#,
        ),
        // Names that Prometheus 3 keeps.
        (
            r#""job":"shop","data-mode":"a\"b""#,
            r#"{data_mode="a\"b",job="shop"}"#,
        ),
    ] {
        assert_eq!(calls(labels), own, "{labels}");
    }
}

#[test]
fn bounds_are_numbers_and_come_in_any_order() {
    let bucket = |le: &str| {
        format!(
            r#"{{"__name__":"acs_traces_span_metrics_duration_bucket","job":"shop","le":"{le}"}}"#
        )
    };
    let buckets = [bucket("+Inf"), bucket("5.0"), bucket("1"), bucket("1e+04")];
    let observed = read(&buckets.each_ref().map(String::as_str), false).expect("well-formed");
    let series = &observed.groups[0].spans["{job=\"shop\"}"];
    let wanted = [(1.0, 3.0), (5.0, 2.0), (1e4, 4.0), (f64::INFINITY, 1.0)];
    assert_eq!(series.buckets, wanted);
}

#[test]
fn counters_may_have_the_ending_of_openmetrics() {
    let calls = r#"{"__name__":"acs_traces_span_metrics_calls_total","job":"shop"}"#;
    let observed = read(&[calls], false).expect("well-formed");
    assert_eq!(observed.groups[0].spans["{job=\"shop\"}"].calls, Some(1.0));
}

#[test]
fn replicas_are_added_up_only_when_that_is_asked_for() {
    let of = |port: u16| {
        format!(
            r#"{{"__name__":"acs_traces_span_metrics_calls","exported_job":"shop","job":"x","instance":"a:{port}"}}"#
        )
    };
    let (one, other) = (of(1), of(2));
    let error = read(&[&one, &other], false).expect_err("twice").to_string();
    assert!(error.starts_with("a series stands twice"), "{error}");
    let observed = read(&[&one, &other], true).expect("summed");
    assert_eq!(observed.groups[0].spans["{job=\"shop\"}"].calls, Some(3.0));
}

#[test]
fn targets_that_are_down_are_known() {
    assert_eq!(scrapes().down, ["127.0.0.1:9"]);
}

#[test]
fn answers_that_are_no_list_of_numbers_are_refused() {
    let answer = |kind: &str, result: &str| {
        format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#)
    };
    for (body, reason) in [
        (answer("matrix", "[]"), "a matrix"),
        (answer("vector", "7"), "a list of series"),
        (answer("vector", r#"[{"metric":{}}]"#), "native histogram"),
        (
            answer("vector", r#"[{"metric":{},"value":[1,"one"]}]"#),
            "no number",
        ),
        (r#"{"status":"success"}"#.to_owned(), "without data"),
        ("{".to_owned(), "EOF"),
    ] {
        let (watch, mut set) = (watch(false), LabelSet::new());
        let mut observed = Observed::new(&watch);
        let read = each_element(body.as_bytes(), |element| {
            add(
                &mut observed,
                &watch,
                &Scrapes::default(),
                &element,
                &mut set,
            )
        });
        let error = read.expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn queries_are_escaped_and_ask_for_both_spellings() {
    let target = Target::parse("http://localhost:9090/prometheus/", 80).expect("an address");
    let api = Api::new(target, "job=\"a\"".to_owned());
    let selector = api.selector(&["\u{fc}_calls"], ",le=\"1\"");
    assert_eq!(
        selector,
        "{__name__=~\"\u{fc}_calls|__calls\",le=\"1\",job=\"a\"}"
    );
    assert_eq!(
        query_path(&api.target, "a{b=\"\u{fc}\"}", Some("1.5")),
        "/prometheus/api/v1/query?nocache=1&query=a%7Bb%3D%22%C3%BC%22%7D&time=1.5"
    );
}
