//! A target that shows what it was sent passes; each way to be wrong is found.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::exposition::Format;
use super::super::reading::Lines;
use super::*;
use crate::generate::load::Observation;
use crate::generate::random::Random;
use crate::generate::scenario::{LoadOptions, Scenario, builtin};
use crate::generate::verify::difference::Kind;
use crate::generate::verify::expectation::{ExpectedDimension, ExpectedHistogram, bounds_of_all};
use crate::generate::verify::observed::Watch;

const SPANS: usize = 300;

struct Case {
    load: Arc<Load>,
    ways: Vec<Expectation>,
    observations: Vec<Observation>,
    sent: Sent,
}

impl Case {
    /// `uncertain` of the spans were not acknowledged.
    fn new(uncertain: usize) -> Self {
        let options = LoadOptions {
            services: 1,
            routes: 2,
            event_share: 0.4,
            ..LoadOptions::default()
        };
        Self::of(options, vec![Expectation::default()], uncertain)
    }

    fn of(scenario: impl Into<Scenario>, ways: Vec<Expectation>, uncertain: usize) -> Self {
        let load = Arc::new(Load::new(scenario));
        let mut random = Random::new(17);
        let resources = load.resources.len() as u32;
        let mut draw = |number| load.draw(random.below(resources), number, &mut random);
        let observations: Vec<Observation> = (0..SPANS as u64).map(&mut draw).collect();
        let mut sent = Sent::new(&bounds_of_all(&ways).expect("ascending"));
        for (index, observation) in observations.iter().enumerate() {
            if index < uncertain {
                sent.uncertain.add(observation, 1);
            } else {
                sent.acknowledged.add(observation, 1);
            }
        }
        Self {
            load,
            ways,
            observations,
            sent,
        }
    }

    /// What an exact target shows when all spans went to it `times` times.
    fn exposition(&self, times: usize) -> String {
        let lines = rendered(&self.load, &self.ways, &self.observations, times);
        lines.join("\n") + "\n"
    }

    fn read(&self, text: &str) -> Result<Observed, GenerateError> {
        let watch = Watch::new(&self.ways, false)?;
        let mut lines = Lines::new(Format::Text, &watch);
        // In pieces that cut lines.
        for piece in text.as_bytes().chunks(1_000) {
            let refused = |error: Box<dyn std::error::Error + Send + Sync>| {
                *error
                    .downcast::<GenerateError>()
                    .expect("a reason with its line")
            };
            lines.piece(piece).map_err(refused)?;
        }
        Ok(lines.end().expect("a whole exposition"))
    }

    fn compare(&self, before: &str, after: &str) -> Differences {
        let read = |text| self.read(text).expect("well-formed");
        let bounds = bounds_of_all(&self.ways).expect("ascending");
        Expected::new(&self.load, &self.sent, &self.ways, &bounds, true)
            .expect("defined")
            .compare(&read(before), &read(after))
    }

    fn differences(&self, before: &str, after: &str) -> Vec<String> {
        let differences = self.compare(before, after);
        differences.kept().map(ToString::to_string).collect()
    }
}

/// The obvious way to count, with a scope label that is no part of the identity.
fn rendered(
    load: &Load,
    ways: &[Expectation],
    observations: &[Observation],
    times: usize,
) -> Vec<String> {
    // Name of the metric and labels -> its value, or of a duration its nanoseconds.
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut durations: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    let repeated = observations.iter().flat_map(|of| vec![of; times]);
    for (way, of) in repeated.flat_map(|of| ways.iter().map(move |way| (way, of))) {
        let names = names(way);
        let set = |event| {
            let set = label_set(way, load, of.shape, event, true);
            let set = set.expect("defined").expect("counted");
            let inner = set.strip_suffix('}').and_then(|set| set.strip_prefix('{'));
            format!("{},otel_scope_name=\"x\"", inner.expect("braces"))
        };
        *counts.entry((names.calls, set(None))).or_default() += 1;
        if way.histogram.is_some() {
            let metric = names.bucket.trim_end_matches("_bucket").to_owned();
            let key = (metric, set(None));
            durations.entry(key).or_default().push(of.duration_ns);
        }
        for kind in (0..EVENT_KINDS).filter(|_| way.events.is_some()) {
            if of.events[kind] > 0 {
                let key = (names.events.clone(), set(Some(kind)));
                *counts.entry(key).or_default() += u64::from(of.events[kind]);
            }
        }
    }
    let mut lines: Vec<String> = counts
        .iter()
        .map(|((name, labels), count)| format!("{name}{{{labels}}} {count} 1700000000000"))
        .collect();
    for ((metric, labels), nanos) in &durations {
        let of_metric = |way: &&Expectation| names(way).bucket == format!("{metric}_bucket");
        let way = ways.iter().find(of_metric).expect("its way");
        let histogram = way.histogram.as_ref().expect("its histogram");
        let unit = histogram.unit.nanos();
        let values: Vec<f64> = nanos.iter().map(|nanos| *nanos as f64 / unit).collect();
        for bound in &histogram.bounds_ns {
            let bound = *bound as f64 / unit;
            let below = values.iter().filter(|value| **value <= bound).count();
            lines.push(format!(
                "{metric}_bucket{{{labels},le=\"{bound}\"}} {below}"
            ));
        }
        let (count, sum) = (values.len(), values.iter().sum::<f64>());
        lines.push(format!("{metric}_bucket{{{labels},le=\"+Inf\"}} {count}"));
        lines.push(format!("{metric}_sum{{{labels}}} {sum}"));
        lines.push(format!("{metric}_count{{{labels}}} {count}"));
    }
    lines
}

/// Drops or changes the first line that `name` begins.
fn edit_first(text: &str, name: &str, edit: impl Fn(&str) -> String) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_target = |line: &String| line.starts_with(&format!("{name}{{"));
    let target = lines.iter().position(is_target).expect("such a line");
    lines[target] = edit(&lines[target]);
    lines.join("\n") + "\n"
}

/// The line with another value.
fn changed(line: &str, change: impl Fn(f64) -> f64) -> String {
    let (labels, rest) = line.rsplit_once("} ").expect("labels");
    let value = rest.split(' ').next().expect("a value");
    let value: f64 = value.parse().expect("a number");
    format!("{labels}}} {}", change(value))
}

/// Each way to be wrong by one thing.
const MUTATIONS: [&str; 11] = [
    "more",
    "less",
    "a little more",
    "not a number",
    "dropped",
    "doubled",
    "another label value",
    "another label",
    "a label less",
    "another name",
    "another bound",
];

/// `None`: the mutation does not apply to such a line.
fn mutated(lines: &[String], at: usize, mutation: &str) -> Option<Vec<String>> {
    let mut lines = lines.to_vec();
    let line = lines[at].clone();
    let is_sum = line.contains("_sum{");
    let instead = |line: String| Some(vec![line]);
    let replaced = match mutation {
        "more" => instead(changed(&line, |value| value + 1.0)),
        "less" => instead(changed(&line, |value| value - 1.0)),
        // Ten times what is allowed.
        "a little more" if is_sum => instead(changed(&line, |value| value * (1.0 + 1e-8))),
        "not a number" => instead(changed(&line, |_| f64::NAN)),
        "dropped" => Some(Vec::new()),
        "doubled" => Some(vec![line.clone(), line.clone()]),
        "another label value" => instead(line.replace("span_name=\"", "span_name=\"x")),
        "another label" => instead(line.replace("span_name=\"", "a_label=\"\",span_name=\"")),
        "a label less" => {
            let (head, rest) = line.split_once("span_kind=\"")?;
            let (_, rest) = rest.split_once("\",")?;
            instead(format!("{head}{rest}"))
        }
        "another name" => instead(format!("x{line}")),
        "another bound" if line.contains(",le=\"") && !line.contains("+Inf") => {
            instead(line.replace(",le=\"", ",le=\"1"))
        }
        _ => None,
    }?;
    lines.splice(at..=at, replaced);
    Some(lines)
}

fn ways() -> impl Strategy<Value = Vec<Expectation>> {
    let one = (any::<[bool; 6]>(), 1_u64..40).prop_map(|(on, step)| {
        let guide = Expectation::default();
        let bounds_ns = (1..6).map(|n| n * n * step * 1_000_000).collect();
        Expectation {
            metric_suffixes: on[0],
            resource_as_labels: on[1],
            events: guide.events.clone().filter(|_| on[2]),
            histogram: guide.histogram.clone().filter(|_| on[3]).map(|histogram| {
                ExpectedHistogram {
                    bounds_ns,
                    ..histogram
                }
            }),
            exclude_dimensions: if on[4] {
                vec!["status.code".to_owned()]
            } else {
                Vec::new()
            },
            dimensions: if on[5] {
                Vec::new()
            } else {
                guide.dimensions.clone()
            },
            ..guide
        }
    });
    prop::collection::vec(one, 1..3).prop_map(|mut ways| {
        for (index, way) in ways.iter_mut().enumerate() {
            way.connector_namespace = format!("way{index}");
        }
        ways
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    /// Whatever the load and the configuration.
    #[test]
    fn exact_target_passes_and_any_single_change_is_found(
        ways in ways(), services in 1_u32..4, users in 0_u32..3, seed: u64, at: prop::sample::Index,
    ) {
        let options = LoadOptions { services, users, seed, resources: 2, event_share: 0.4, ..LoadOptions::default() };
        let case = Case::of(options, ways, 0);
        let lines = rendered(&case.load, &case.ways, &case.observations, 1);
        let text = |lines: &[String]| lines.join("\n") + "\n";
        prop_assert_eq!(case.differences("", &text(&lines)), [] as [String; 0]);
        for mutation in MUTATIONS {
            let Some(wrong) = mutated(&lines, at.index(lines.len()), mutation) else { continue };
            let Ok(after) = case.read(&text(&wrong)) else { continue };
            let bounds = bounds_of_all(&case.ways).expect("ascending");
            let expected = Expected::new(&case.load, &case.sent, &case.ways, &bounds, true);
            let nothing = case.read("").expect("empty");
            let differences = expected.expect("defined").compare(&nothing, &after);
            prop_assert!(!differences.is_empty(), "{}: {}", mutation, lines[at.index(lines.len())]);
        }
    }
}

#[test]
fn each_mutation_of_each_kind_of_line_is_found() {
    let case = Case::new(0);
    let lines = rendered(&case.load, &case.ways, &case.observations, 1);
    let metric = "acs_traces_span_metrics_";
    let mut found = 0;
    for name in [
        "calls",
        "events",
        "duration_bucket",
        "duration_sum",
        "duration_count",
    ] {
        let begin = format!("{metric}{name}{{");
        let at = lines
            .iter()
            .position(|line| line.starts_with(&begin))
            .expect("such a line");
        for mutation in MUTATIONS {
            let Some(wrong) = mutated(&lines, at, mutation) else {
                continue;
            };
            found += 1;
            let text = wrong.join("\n") + "\n";
            match case.read(&text) {
                Err(error) => assert_eq!(mutation, "doubled", "{name}: {error}"),
                Ok(_) => assert!(!case.compare("", &text).is_empty(), "{name} {mutation}"),
            }
        }
    }
    assert_eq!(found, 5 * 9 + 2);
}

#[test]
fn exact_target_passes_in_any_order() {
    let case = Case::new(0);
    let text = case.exposition(1);
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
fn target_that_was_started_anew_is_told_as_such() {
    let case = Case::new(0);
    let differences = case.compare(&case.exposition(3), &case.exposition(1));
    let kinds: Vec<Kind> = differences.groups().map(|(kind, _)| kind).collect();
    assert!(kinds.contains(&Kind::Fell), "{kinds:?}");
    let first = differences.kept().next().expect("a difference").to_string();
    assert!(
        first.starts_with("fell: ") && first.ends_with(" before the run"),
        "{first}"
    );
}

#[test]
fn each_wrong_value_is_found_once() {
    let case = Case::new(0);
    let text = case.exposition(1);
    for name in ["calls", "duration_bucket", "duration_sum", "events"] {
        let name = format!("acs_traces_span_metrics_{name}");
        for change in [1.0, -1.0] {
            let edit = |line: &str| changed(line, |value| value + change);
            let differences = case.differences("", &edit_first(&text, &name, edit));
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
        let edit = |line: &str| changed(line, |value| value * (1.0 + share));
        edit_first(&text, "acs_traces_span_metrics_duration_sum", edit)
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
    certain.sent.uncertain = Totals::new(bounds_of_all(&certain.ways).expect("ascending"));
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

/// Whatever became of it, what is uncertain is in all metrics of a label set or in none.
#[test]
fn intervals_do_not_hide_metrics_that_disagree() {
    let case = Case::new(SPANS);
    let text = case.exposition(1);
    let less = |line: &str| changed(line, |value| value - 1.0);
    let torn = edit_first(&text, "acs_traces_span_metrics_duration_count", less);
    assert_eq!(case.differences("", &torn).len(), 1);
}

#[test]
fn two_ways_into_the_same_metrics_add_up() {
    let mut case = Case::new(0);
    let twice = case.exposition(2);
    assert!(!case.differences("", &twice).is_empty());
    case.ways.push(Expectation::default());
    assert_eq!(case.differences("", &twice), [] as [String; 0]);
    assert_eq!(case.exposition(1), twice);
}

#[test]
fn two_ways_that_meet_in_one_metric_only_are_refused() {
    let plain = Expectation::default();
    let mut seconds = plain.clone();
    seconds.metric_suffixes = true;
    seconds.connector_namespace = "traces.span.metrics".to_owned();
    let mut other = seconds.clone();
    other.histogram = other.histogram.map(|histogram| ExpectedHistogram {
        unit: crate::generate::verify::DurationUnit::Seconds,
        ..histogram
    });
    assert!(Watch::new(&[plain, seconds.clone()], false).is_ok());
    let meeting = Watch::new(&[seconds, other], false).expect_err("the same calls");
    assert!(matches!(meeting, GenerateError::Ways { name } if name.ends_with("_calls_total")));
}

/// Values of every type as labels, and label sets that nobody knows beforehand.
#[test]
fn every_built_in_scenario_is_verified_with_all_its_attributes_as_labels() {
    for (name, _) in builtin::ALL {
        let scenario = builtin::scenario(name).expect("it is there");
        let mut way = Expectation::default();
        let case = Case::of(scenario.clone(), vec![way.clone()], 0);
        let shapes = case.observations.iter().map(|of| of.shape);
        let keys: BTreeSet<String> = shapes
            .flat_map(|shape| case.load.attributes(shape))
            .map(|attribute| attribute.key)
            .collect();
        let dimension = |key: &String| ExpectedDimension::new(key, None);
        way.dimensions = keys.iter().map(dimension).collect();
        let case = Case::of(scenario, vec![way], 0);
        assert_eq!(
            case.differences("", &case.exposition(1)),
            [] as [String; 0],
            "{name}"
        );
        let lines = rendered(&case.load, &case.ways, &case.observations, 1);
        let less = lines[1..].join("\n") + "\n";
        assert_eq!(case.differences("", &less).len(), 1, "{name}");
    }
}
