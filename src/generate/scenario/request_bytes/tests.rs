//! No request that is really made is larger than its bound, and the bound is not absurd.

use super::super::{builtin, tests::read};
use super::*;
use crate::generate::makers::{Makers, Worlds};
use crate::generate::{LoadOptions, Mix, RunOptions, Target};

const NOW_NS: u64 = 1_700_000_000_000_000_000;

/// Everything that is long, on every signal.
const LONG: &str = "
spans_per_request: 40
resources_per_request: 7
span_bytes: 300
resource_attributes:
  hex: '{hex:1024}{hex:1000}'
  list: [{map: {a: '{hex:300}', b: '{uuid}'}}, '{pod}']
  drawn: {cardinality: 4000000, format: '{service}-{n:040}'}
  listed: {values: [a, '{hex:512}']}
spans:
  status: {error: 1, message: it broke in a way that takes long to tell}
  attributes:
    random: {random: 700}
    listed: {values: [1, {value: [a, b, {bytes: AAAAAAAA}], weight: 9}]}
    code: {by_status: {unset: 1, ok: 1, error: a long text instead of a number}}
    growing: {growing: {start: 9, per_million: 1000000}, format: 'g-{n}'}
  events:
    - {name: broke, count: 16, attributes: {why: [1, 2, 3]}}
    - {name: again, on: error, count: 16}
  links: {count: 16, attributes: {link: true, name: other}}
services:
  - {name: short, operations: [{name: x}]}
  - {name: a-service-with-a-long-name, pods: 12, pod_name: '{service}-{hex:200}-{n}', operations: [{name: y}]}
metrics:
  - {name: g, type: gauge, value: 1, attributes: {a: {random: 900}}}
  - {name: h, type: histogram, value: {uniform: {max: 9000}}, exemplars: 1, scope: other}
  - {name: e, type: exponential_histogram, value: {uniform: {min: -9, max: 9}}, measurements: 1000, exemplars: 1}
  - {name: s, type: summary, value: 5, quantiles: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], scope: third}
logs:
  - body: '{list} {list} {text}'
    body_bytes: 900
    traced: 1
    event_name: something.happened
    attributes:
      list: {values: [[{bytes: '////////'}, '<&>', 0.1]]}
      text: {random: 1024}
  - body: {map: {map: {inner: [1, 2]}}, drawn: {cardinality: 1000}}
    scope: another.one
";

fn of_sizes(mut scenario: Scenario) -> Vec<Scenario> {
    let large = scenario.clone();
    scenario.spans_per_request = 3;
    vec![large, scenario]
}

#[test]
fn no_request_is_larger_than_its_bound() {
    let sized = Scenario {
        metrics: super::super::metrics::built_in(),
        logs: super::super::logs::built_in(),
        ..LoadOptions::default().into()
    };
    let built_in = builtin::ALL.map(|(name, _)| builtin::scenario(name).expect("built in"));
    let long = read(LONG, Scenario::read_keys).expect("fits");
    let scenarios = [sized, long].into_iter().chain(built_in);
    for scenario in scenarios.flat_map(of_sizes) {
        let items = scenario.spans_per_request;
        let options = RunOptions {
            mix: Mix::new([1, 1, 1], 1).expect("weights"),
            items_per_request: items,
            load: scenario.clone(),
            ..RunOptions::new(Target::parse("localhost", 1).expect("an address"))
        };
        let worlds = Worlds::new(&options).expect("all signals are sent");
        let mut makers = Makers::new(&worlds);
        for signal in Signal::ALL {
            let bound = scenario.request_bytes_max(signal);
            let mut largest = 0;
            for number in 0..60 {
                let mut message = Vec::new();
                drop(makers.make(signal, number, items, NOW_NS, &mut message));
                largest = largest.max(message.len() as u64);
            }
            let name = &scenario.description;
            assert!(
                largest <= bound,
                "{name} {signal} {items}: {largest} > {bound}"
            );
            assert!(bound < 60 * largest, "{name} {signal} {items}: {bound}");
        }
    }
}

#[test]
fn bound_is_of_what_is_sent_and_located_at_its_cause() {
    let text = |more: &str| {
        format!(
            "services: [{{name: a, operations: [{{name: x}}]}}]\nspans_per_request: 100000\n{more}\n"
        )
    };
    let long = "spans: {attributes: {a: {random: 1024}, b: {random: 1024}, c: {random: 1024}, \
                d: {random: 1024}, e: {random: 1024}, f: {random: 1024}, g: {random: 1024}, \
                h: {random: 1024}, i: {random: 1024}, j: {random: 1024}}}";
    let body = "logs: [{body: x, body_bytes: 20000}]";
    for (more, part) in [
        (long.to_owned(), "a request of 100000 spans may take"),
        (
            format!("signals: {{logs: 1}}\n{body}"),
            "100000 records may take",
        ),
        ("resource_attributes: {a: '{hex:1024}'}".to_owned(), ""),
        (format!("{body}\nsignals: {{traces: 1}}"), ""),
    ] {
        match read(&text(&more), Scenario::read_keys) {
            Ok(_) => assert!(part.is_empty(), "{more}"),
            Err(said) => {
                let is_located = said.contains("scenario.yaml:2:20");
                assert!(
                    !part.is_empty() && said.contains(part) && is_located,
                    "{said}"
                );
            }
        }
    }
}
