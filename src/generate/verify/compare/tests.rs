//! A target that shows what it was sent passes; each way to be wrong is found.

use std::fmt::Write;

use super::super::exposition;
use super::*;
use crate::generate::load::Observation;
use crate::generate::random::Random;
use crate::generate::scenario::LoadOptions;

struct Case {
    load: Arc<Load>,
    expectation: Expectation,
    sent: Sent,
}

impl Case {
    /// `uncertain` of 300 spans were not acknowledged.
    fn new(uncertain: usize) -> Self {
        let load = Arc::new(Load::new(LoadOptions {
            services: 1,
            routes: 2,
            event_share: 0.4,
            ..LoadOptions::default()
        }));
        let expectation = Expectation::default();
        let mut sent = Sent::new(&expectation.bounds_ns().expect("ascending"));
        for (index, observation) in observations(&load).iter().enumerate() {
            if index < uncertain {
                sent.uncertain.add(observation, 1);
            } else {
                sent.acknowledged.add(observation, 1);
            }
        }
        Self {
            load,
            expectation,
            sent,
        }
    }

    /// What an exact target shows when all 300 spans went to it `times` times.
    fn exposition(&self, times: u64) -> String {
        let mut all = Sent::new(&self.expectation.bounds_ns().expect("ascending"));
        for observation in observations(&self.load) {
            all.acknowledged.add(&observation, times);
        }
        let expected = Expected::new(&self.load, &all, &self.expectation).expect("defined");
        let mut text = String::new();
        for (set, range) in &expected.spans {
            text.push_str(&series(
                set,
                &range.low,
                expected.bounds.as_deref().unwrap_or(&[]),
            ));
        }
        for (set, [count, _]) in &expected.events {
            writeln!(text, "acs_traces_span_metrics_events{set} {count}").expect("to memory");
        }
        text
    }

    fn differences(&self, before: &str, after: &str) -> Vec<String> {
        let read = |text| Observed::read(text, &self.expectation).expect("well-formed");
        Expected::new(&self.load, &self.sent, &self.expectation)
            .expect("defined")
            .compare(&read(before), &read(after))
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

fn observations(load: &Load) -> Vec<Observation> {
    let mut random = Random::new(17);
    (0..300).map(|_| load.draw(0, 0, &mut random)).collect()
}

/// The lines of one label set, with a scope label that is no part of the identity.
fn series(set: &str, totals: &ShapeTotals, bounds: &[f64]) -> String {
    let metric = "acs_traces_span_metrics";
    let inner = format!("{},otel_scope_name=\"x\"", &set[1..set.len() - 1]);
    let mut lines = vec![format!("{metric}_calls{{{inner}}} {}", totals.calls)];
    let mut cumulative = 0;
    for (index, count) in totals.buckets.iter().enumerate() {
        cumulative += count;
        let le = bounds
            .get(index)
            .map_or("+Inf".to_owned(), ToString::to_string);
        let labels = format!("{inner},le=\"{le}\"");
        lines.push(format!(
            "{metric}_duration_bucket{{{labels}}} {cumulative} 1700000000000"
        ));
    }
    let sum = totals.sum_ns as f64 / 1e6;
    lines.push(format!("{metric}_duration_sum{{{inner}}} {sum}"));
    lines.push(format!(
        "{metric}_duration_count{{{inner}}} {}",
        totals.calls
    ));
    lines.join("\n") + "\n"
}

/// Drops or changes the lines of the first series whose name is `name`.
fn edit_first(text: &str, name: &str, edit: impl Fn(&str) -> String) -> String {
    let target = text
        .lines()
        .position(|line| line.starts_with(&format!("{name}{{")))
        .expect("such a line");
    let mut edited = String::new();
    for (index, line) in text.lines().enumerate() {
        if index == target {
            edited.push_str(&edit(line));
        } else {
            edited.push_str(line);
            edited.push('\n');
        }
    }
    edited
}

/// The line with `change` added to its value.
fn plus(line: &str, change: f64) -> String {
    let (labels, rest) = line.rsplit_once("} ").expect("labels");
    let value: f64 = rest
        .split(' ')
        .next()
        .expect("a value")
        .parse()
        .expect("a number");
    format!("{labels}}} {}\n", value + change)
}

#[test]
fn exact_target_passes_in_any_order() {
    let case = Case::new(0);
    let text = case.exposition(1);
    assert_eq!(case.differences("", &text), [] as [String; 0]);
    // Only the buckets of a label set keep their order.
    let (buckets, mut others): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains("_bucket"));
    others.reverse();
    let mixed = others.join("\n") + "\n" + &buckets.join("\n") + "\n";
    assert_eq!(case.differences("", &mixed), [] as [String; 0]);
}

#[test]
fn what_was_there_before_the_run_is_subtracted() {
    let case = Case::new(0);
    let (once, twice, thrice) = (case.exposition(1), case.exposition(2), case.exposition(3));
    assert_eq!(case.differences(&twice, &thrice), [] as [String; 0]);
    assert!(!case.differences(&once, &thrice).is_empty());
}

#[test]
fn each_wrong_value_is_found_once() {
    let case = Case::new(0);
    let text = case.exposition(1);
    for name in [
        "calls",
        "duration_bucket",
        "duration_count",
        "duration_sum",
        "events",
    ] {
        let name = format!("acs_traces_span_metrics_{name}");
        for change in [1.0, -1.0] {
            let differences = case.differences("", &edit_first(&text, &name, |l| plus(l, change)));
            assert_eq!(differences.len(), 1, "{name}: {differences:?}");
            assert!(differences[0].starts_with("differs: ") && differences[0].contains(&name));
        }
        let differences = case.differences("", &edit_first(&text, &name, |_| String::new()));
        assert_eq!(differences.len(), 1, "{name} left out: {differences:?}");
    }
}

#[test]
fn sums_may_differ_by_less_than_a_billionth() {
    let case = Case::new(0);
    let text = case.exposition(1);
    let off_by = |share: f64| {
        edit_first(&text, "acs_traces_span_metrics_duration_sum", |line| {
            let value: f64 = line
                .rsplit_once("} ")
                .expect("labels")
                .1
                .parse()
                .expect("number");
            plus(line, value * share)
        })
    };
    assert_eq!(case.differences("", &off_by(5e-10)), [] as [String; 0]);
    assert_eq!(case.differences("", &off_by(5e-9)).len(), 1);
}

#[test]
fn missing_label_set_is_one_difference() {
    let case = Case::new(0);
    let text = case.exposition(1);
    let set = text
        .lines()
        .next()
        .expect("a line")
        .split_once('{')
        .expect("labels")
        .1;
    let set = set.split(",otel_scope").next().expect("a scope");
    let rest: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("_events") || !line.contains(set))
        .collect();
    let differences = case.differences("", &(rest.join("\n") + "\n"));
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].starts_with("missing: acs_traces_span_metrics_calls{"));
}

#[test]
fn surplus_series_is_found_unless_it_was_there_before() {
    let case = Case::new(0);
    let text = case.exposition(1);
    let other = "acs_traces_span_metrics_calls{span_name=\"other\"} 5\n";
    let event = "acs_traces_span_metrics_events{span_name=\"other\"} 2\n";
    let all = format!("{text}{other}{event}");
    let differences = case.differences("", &all);
    assert_eq!(
        differences,
        [
            "surplus: acs_traces_span_metrics_calls{span_name=\"other\"} is 5",
            "surplus: acs_traces_span_metrics_events{span_name=\"other\"} is 2"
        ]
    );
    let before = format!("{other}{event}");
    assert_eq!(case.differences(&before, &all), [] as [String; 0]);
    assert_eq!(
        case.differences(&other.replace('5', "3"), &all)[0]
            .rsplit(' ')
            .next(),
        Some("2")
    );
}

#[test]
fn other_bounds_are_told_as_such() {
    let case = Case::new(0);
    let text = case.exposition(1).replace("le=\"50\"", "le=\"60\"");
    let differences = case.differences("", &text);
    assert!(!differences.is_empty());
    assert!(
        differences
            .iter()
            .all(|line| line.contains("has bounds [1.0, 5.0, 10.0, 60.0"))
    );
}

#[test]
fn unanswered_requests_make_an_interval() {
    let case = Case::new(100);
    // All counted, or only those that were acknowledged: both are right. More than all is not.
    let mut certain = Case::new(100);
    certain.sent.uncertain = Totals::new(certain.expectation.bounds_ns().expect("ascending"));
    assert_eq!(case.differences("", &case.exposition(1)), [] as [String; 0]);
    assert!(!certain.differences("", &case.exposition(1)).is_empty());
    assert!(!case.differences("", &case.exposition(2)).is_empty());
    let wanted = case.differences("", "");
    assert!(!wanted.is_empty());
    assert!(
        wanted.iter().any(|line| line.contains(" to ")),
        "{wanted:?}"
    );
}

#[test]
fn series_that_stands_twice_is_refused() {
    let case = Case::new(0);
    let text = case.exposition(1);
    for name in ["calls", "duration_bucket", "duration_sum", "events"] {
        let name = format!("acs_traces_span_metrics_{name}");
        let doubled = edit_first(&text, &name, |line| format!("{line}\n{line}\n"));
        let read = Observed::read(&doubled, &case.expectation);
        assert!(
            matches!(read, Err(GenerateError::Exposition { .. })),
            "{name}"
        );
    }
    exposition::read(&text, |_| Ok(())).expect("the text itself is well-formed");
}
