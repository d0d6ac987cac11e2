//! Scenarios as text, read through the functions that everybody uses.

use super::{Scenario, builtin};
use crate::config::{Reading, Report, Section, Source, parse};
use crate::generate::LoadOptions;
use crate::generate::load::{Load, Status};
use crate::generate::random::Random;

mod documentation;

/// What `read` makes of a file, or what is wrong with it.
pub(in crate::generate) fn read<T>(
    text: &str,
    read: impl FnOnce(&mut Section) -> T,
) -> Result<T, String> {
    read_all(text, read).0
}

/// Blocks that were read, by path, with the keys they have.
type Known = Vec<(String, Vec<&'static str>)>;

/// The same, and what was asked for.
fn read_all<T>(text: &str, read: impl FnOnce(&mut Section) -> T) -> (Result<T, String>, Known) {
    let source = Source::new("scenario.yaml", text);
    let reading = Reading::default();
    let node = parse(&source, &reading.log).expect("well-formed YAML");
    let got = Section::read(&reading, String::new(), node.span, &node, read);
    let known = reading.log.known.take();
    let mut report = Report::default();
    report.add(source, reading.log);
    let got = if report.has_errors() {
        Err(report.render())
    } else {
        Ok(got)
    };
    (got, known)
}

/// A scenario with this text in its only operation.
fn operation(text: &str) -> String {
    format!("services:\n  - name: a\n    operations:\n      - name: x\n        {text}\n")
}

#[test]
fn mistakes_are_located() {
    let service =
        |text: &str| format!("services:\n  - {{name: a, operations: [{{name: x}}], {text}}}\n");
    let wrong = [
        "services: []\n".to_owned(),
        "description: nobody sends\n".to_owned(),
        "services:\n  - operations: []\n".to_owned(),
        "servces: [{name: a, operations: [{name: x}]}]\n".to_owned(),
        "services: [{name: a, operations: [{name: x}]}, {name: a, operations: [{name: x}]}]\n"
            .to_owned(),
        service("weight: 0"),
        service("pods: none"),
        service("count: 3"),
        service("scopes: []"),
        service("scopes: [{version: '1'}]"),
        service("attributes: {k: {by_status: {unset: 1, ok: 1, error: 1}}}"),
        service("attributes: {k: 'a{pod'}"),
        service("attributes: {k: [x, {map: {l: '{pod}{hex:8'}}]}"),
        service("attributes: {k: {cardinality: 5, format: '{service-{n}'}}"),
        service("pod_name: '{service}-{n'"),
        format!("{}spans_per_request: 0\n", service("pods: 1")),
        format!("{}span_bytes: 2000000\n", service("pods: 1")),
        format!("{}signals: {{traces: 0}}\n", service("pods: 1")),
        format!(
            "{}signals: {{traces: 10000, logs: 1}}\n",
            service("pods: 1")
        ),
        format!("{}malformed_share: 2\n", service("pods: 1")),
        format!(
            "{}spans_per_request: 100000\nspan_bytes: 1000000\n",
            service("pods: 1")
        ),
        "services: [{name: 'a{n}', count: 9999, pods: 11, operations: [{name: x}]}]\n".to_owned(),
        format!(
            "{}spans_per_request: 100000\nresources_per_request: 10000\n",
            {
                let places = "{hex:1024}".repeat(110);
                service(&format!("attributes: {{k: '{places}'}}"))
            }
        ),
        format!(
            "{}logs: [{{body: x, services: [b, a, b]}}]\n",
            service("pods: 1")
        ),
        format!(
            "{}metrics: [{{name: m, type: gauge, value: 1, services: shp}}]\n",
            service("pods: 1").replace("name: a", "name: shop")
        ),
        "services: [{name: 'a{n}', count: 9999, operations: [{name: x}]}, \
         {name: 'b{n}', count: 2, operations: [{name: x}]}]\n"
            .to_owned(),
        operation("kind: servr"),
        operation("scope: nowhere"),
        operation("status: {ok: 0.6, error: 0.5}"),
        operation("status: {error: -1}"),
        operation("latency: {}"),
        operation("events: [{on: error}]"),
        operation("events: [{name: a, on: failure, count: 17}]"),
        operation("events: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}]"),
        operation("links: {count: 0}"),
        operation("attributes: {a: {growing: {}}, b: {growing: {}}}"),
    ]
    .map(|text| read(&text, Scenario::read_keys).expect_err(&text));
    insta::assert_snapshot!(wrong.join("\n"));
}

#[test]
fn services_of_a_pattern_are_measured_before_they_are_made() {
    // One fits; all of them would take two gigabytes.
    let text = format!(
        "resource_attributes:\n  k: {}\n\
         services: [{{name: 'a{{n}}', count: 10000, operations: [{{name: x}}]}}]\n",
        "x".repeat(200_000)
    );
    let said = read(&text, Scenario::read_keys).expect_err("too large");
    assert!(said.contains("bytes, above"), "{said}");
    assert!(said.contains("scenario.yaml:3:34"), "{said}");
    let one = text.replace("count: 10000", "count: 1");
    assert!(read(&one, Scenario::read_keys).is_ok());
}

#[test]
fn names_of_services_are_those_that_their_resources_tell() {
    let text = |name: &str, attributes: &str| {
        format!(
            "services: [{{name: a, attributes: {{{attributes}}}, operations: [{{name: x}}]}}]\n\
             logs: [{{body: x, services: [{name}]}}]\n"
        )
    };
    for (name, attributes, is_known) in [
        ("a", "", true),
        ("b", "", false),
        ("shop.a", "service.name: 'shop.{service}'", true),
        ("a", "service.name: 'shop.{service}'", false),
        // Any name may be one of them.
        ("b", "service.name: '{pod}'", true),
        ("b", "service.name: {values: [b, c]}", true),
    ] {
        let read = read(&text(name, attributes), Scenario::read_keys);
        assert_eq!(read.is_ok(), is_known, "{name} {attributes}");
    }
}

#[test]
fn what_grows_in_any_signal_that_is_sent_makes_the_load_grow() {
    let text = |signals: &str, more: &str| {
        format!(
            "services: [{{name: a, operations: [{{name: x}}]}}]\nsignals: {{{signals}}}\n{more}\n"
        )
    };
    let grows = "{growing: {start: 5}}";
    let metrics =
        format!("metrics: [{{name: m, type: gauge, value: 1, attributes: {{k: {grows}}}}}]");
    let logs = format!("logs: [{{body: x, attributes: {{k: {grows}}}}}]");
    let body = format!("logs: [{{body: {{k: {grows}}}}}]");
    let spans = format!("spans: {{attributes: {{k: {grows}}}}}");
    for (signals, more, is_growing) in [
        ("metrics: 1", &metrics, true),
        ("traces: 1", &metrics, false),
        ("logs: 1", &logs, true),
        ("logs: 1", &body, true),
        ("metrics: 1", &logs, false),
        ("traces: 1, logs: 1", &spans, true),
        ("logs: 1", &spans, false),
    ] {
        let scenario = read(&text(signals, more), Scenario::read_keys).expect("fits");
        assert_eq!(scenario.is_growing(), is_growing, "{signals} {more}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = operation("kind: servr\n        weight: 0\n        latency: soon") + "sed: 1\n";
    let report = read(&text, Scenario::read_keys).expect_err("four mistakes");
    assert_eq!(report.matches("error[").count(), 4, "{report}");
}

#[test]
fn bare_durations_are_remarked_on_and_pass() {
    let source = Source::new("scenario.yaml", operation("latency: 500"));
    let (_, remarks) = Scenario::read(source).expect("fits");
    assert!(remarks.render().contains("is 500 nanoseconds"));
}

#[test]
fn common_keys_hold_for_operations_that_say_nothing_else() {
    let text = "
spans:
  status: {error: 0.5}
  latency: 3ms
  attributes: {a: 1, b: 2}
  events: [{name: e, count: 2}]
services:
  - name: s
    operations:
      - name: plain
      - name: own
        status: {ok: 1}
        attributes: {b: 3, c: 4}
        events: [{name: e, count: 5}, {name: f}]
";
    let scenario = read(text, Scenario::read_keys).expect("fits");
    let [plain, own] = &scenario.services[0].operations[..] else {
        panic!("two operations");
    };
    let numbers = |of: &super::model::Operation| -> Vec<String> {
        let specs = of.spans.attributes.iter();
        specs
            .map(|spec| format!("{}={:?}", spec.key, spec.values))
            .collect()
    };
    assert_eq!(
        numbers(plain),
        ["a=Fixed(Int(1))", "b=Fixed(Int(2))"].map(str::to_owned)
    );
    assert_eq!(
        numbers(own),
        ["a=Fixed(Int(1))", "b=Fixed(Int(3))", "c=Fixed(Int(4))"].map(str::to_owned)
    );
    assert!(plain.spans.status.has(Status::Error) && !own.spans.status.has(Status::Error));
    assert_eq!(plain.spans.latency, own.spans.latency);
    let counts: Vec<u32> = own.spans.events.iter().map(|event| event.count).collect();
    assert_eq!(counts, [5, 1]);
}

#[test]
fn built_in_scenarios_are_read_without_remarks_and_have_their_size() {
    for (name, services, pods, spans) in [
        ("shop", 5, 10, 50),
        ("sidecar", 1, 1, 10),
        ("gateway", 20, 500, 512),
        ("cardinality-bomb", 1, 2, 512),
    ] {
        let text = builtin::text(name).expect("built in");
        let source = Source::new(name, text);
        let (scenario, remarks) = Scenario::read(source).expect("fits");
        assert!(remarks.is_empty(), "{}", remarks.render());
        assert_eq!(builtin::scenario(name), Some(scenario.clone()));
        let load = Load::new(scenario);
        let scenario = &load.scenario;
        assert_eq!(scenario.services.len(), services, "{name}");
        assert_eq!(load.resources.len(), pods, "{name}");
        assert_eq!(scenario.spans_per_request, spans, "{name}");
        assert_eq!(scenario.is_growing(), name == "cardinality-bomb");
    }
    assert_eq!(builtin::ALL.len(), 4);
    assert_eq!(builtin::scenario("none"), None);
}

#[test]
fn weights_of_services_and_operations_are_kept() {
    let text = "
services:
  - {name: rare, operations: [{name: x, weight: 3}, {name: y}]}
  - {name: often, weight: 9, pods: 3, operations: [{name: z}]}
";
    let load = Load::new(read(text, Scenario::read_keys).expect("fits"));
    let mut random = Random::new(3);
    let mut counts = [0_u32; 4];
    for _ in 0..100_000 {
        counts[load.draw_resource(&mut random) as usize] += 1;
    }
    for (count, wanted) in counts.into_iter().zip([10_000, 30_000, 30_000, 30_000]) {
        assert!(count.abs_diff(wanted) < 600, "{count} for {wanted}");
    }
    let firsts = (0..100_000)
        .filter(|_| load.draw(0, 0, &mut random).shape.operation == 0)
        .count();
    assert!(firsts.abs_diff(75_000) < 600, "{firsts}");
}

#[test]
fn status_events_and_links_come_in_their_shares() {
    let text = operation(
        "status: {ok: 0.3, error: 0.1}\n        \
         events: [{name: e, on: error}, {name: s, on: success, share: 0.5, count: 2}]\n        \
         links: {share: 0.25, count: 3}",
    );
    let load = Load::new(read(&text, Scenario::read_keys).expect("fits"));
    let mut random = Random::new(3);
    let drawn: Vec<_> = (0..100_000).map(|n| load.draw(0, n, &mut random)).collect();
    let share = |is: &dyn Fn(&crate::generate::load::Observation) -> bool| {
        drawn.iter().filter(|seen| is(seen)).count() as f64 / 1e5
    };
    for (got, wanted) in [
        (share(&|seen| seen.shape.status as u32 == 1), 0.3),
        (share(&|seen| seen.shape.status as u32 == 2), 0.1),
        (share(&|seen| seen.events[0] == 1), 0.1),
        (share(&|seen| seen.events[1] == 1), 0.225),
        (share(&|seen| seen.events[1] == 2), 0.225),
        (share(&|seen| seen.links == 3), 0.25 / 3.0),
        (share(&|seen| seen.links == 0), 0.75),
    ] {
        assert!((got - wanted).abs() < 0.006, "{got} for {wanted}");
    }
}

#[test]
fn overrides_change_the_whole_scenario() {
    let mut scenario = builtin::scenario("shop").expect("built in");
    scenario.set_error_share(0.5);
    scenario.set_pods(4);
    assert_eq!(Load::new(scenario.clone()).resources.len(), 20);
    for operation in scenario
        .services
        .iter()
        .flat_map(|service| &service.operations)
    {
        let status = &operation.spans.status;
        assert!(
            (0.5..0.5001).contains(&status.error) && status.ok <= 0.5,
            "{status:?}"
        );
    }
    scenario.set_pods(30_000);
    let oversize = scenario.check_size().expect_err("150,000 pods");
    assert_eq!(oversize.to_string(), "150000 pods are more than 100000");
}

#[test]
fn sized_loads_have_what_was_asked_for() {
    let load = Load::new(LoadOptions {
        services: 12,
        routes: 7,
        resources: 3,
        users: 50,
        ..LoadOptions::default()
    });
    assert_eq!((load.resources.len(), load.operations.len()), (36, 12 * 11));
    let names: Vec<&str> = load.operations[..7]
        .iter()
        .map(|operation| operation.name.as_str())
        .collect();
    assert_eq!(names[5], "GET /v2/");
    assert_eq!(load.scenario.services[11].name, "service-11");
    assert_eq!(load.scenario.variants(), 36 * (7 * 50 + 4));
}
