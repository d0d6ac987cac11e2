//! What is decoded from the bytes is what the scenario asks for, and what the totals say.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::*;
use crate::generate::LoadOptions;
use crate::generate::load::Load;
use crate::generate::oracle;
use crate::generate::scenario::{logs, tests::read};
use crate::generate::signal::Signal;

const NOW_NS: u64 = 1_700_000_000_000_000_000;

fn world(text: &str, records_per_request: u32) -> Arc<World> {
    let records = read(text, logs::read).unwrap().expect("given");
    world_of(&records, records_per_request)
}

fn world_of(records: &[Record], records_per_request: u32) -> Arc<World> {
    let options = LoadOptions {
        services: 3,
        resources: 2,
        ..LoadOptions::default()
    };
    let load = Load::new(options);
    Arc::new(World::new(records, &load.resources, records_per_request, 7))
}

fn request(world: &Arc<World>, number: u64, items: u32) -> (ExportLogsServiceRequest, Content) {
    let mut bytes = Vec::new();
    let content = Maker::new(world).make(number, items, NOW_NS, &mut bytes);
    (oracle::decode(Signal::Logs, &bytes), content)
}

fn records(request: &ExportLogsServiceRequest) -> impl Iterator<Item = &LogRecord> {
    let resources = request.resource_logs.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_logs);
    scopes.flat_map(|scope| &scope.log_records)
}

#[test]
fn built_in_records_are_what_the_totals_say() {
    let world = world_of(&logs::built_in(), 500);
    let mut totals = Totals::default();
    let mut seen = BTreeMap::new();
    for number in 0..4 {
        let (request, content) = request(&world, number, 500);
        assert_eq!(records(&request).count(), 500);
        totals.add(content, 1);
        for record in records(&request) {
            *seen.entry(record.severity_text.clone()).or_insert(0_u64) += 1;
        }
    }
    assert_eq!(totals.records(), 2_000);
    for severity in Severity::ALL {
        let seen = seen.get(&severity.name().to_uppercase());
        assert_eq!(totals.of(severity), seen.copied().unwrap_or(0));
    }
    // 63 of 100 by their weights.
    assert!((1_100..1_400).contains(&totals.of(Severity::Info)));
}

#[test]
fn a_record_has_all_that_was_asked_for() {
    let text = "\
logs:
  - severity: warn
    severity_text: careful
    body: user {user.id} is late
    event_name: user.late
    observed_after: 5ms
    traced: 1
    scope: here
    attributes: {user.id: {values: [u-1]}, ok: false}
";
    let (request, _) = request(&world(text, 1), 0, 1);
    let resource = &request.resource_logs[0];
    assert!(resource.resource.as_ref().unwrap().attributes.len() > 10);
    let scope = resource.scope_logs[0].scope.as_ref().unwrap();
    assert_eq!(scope.name, "here");
    let record = records(&request).next().unwrap();
    assert_eq!(record.severity_number, 13);
    assert_eq!(record.severity_text, "careful");
    assert_eq!(record.event_name, "user.late");
    assert_eq!(record.observed_time_unix_nano, NOW_NS);
    assert_eq!(record.time_unix_nano, NOW_NS - 5_000_000);
    assert_eq!((record.trace_id.len(), record.span_id.len()), (16, 8));
    let body = record.body.as_ref().unwrap().value.as_ref().unwrap();
    assert_eq!(*body, Any::StringValue("user u-1 is late".to_owned()));
    assert_eq!(record.attributes.len(), 2);
}

#[test]
fn the_same_number_gives_the_same_request_in_any_thread() {
    let world = world_of(&logs::built_in(), 50);
    let mut one = Maker::new(&world);
    let mut other = Maker::new(&world);
    for number in [3, 1, 2] {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        one.make(number, 50, NOW_NS, &mut first);
        other.make(number, 50, NOW_NS, &mut second);
        assert_eq!(first, second);
    }
}

#[test]
fn only_services_that_write_a_record_send_it() {
    let text = "logs: [{body: hello, services: [cart]}]";
    let world = world(text, 1);
    for number in 0..20 {
        let (request, _) = request(&world, number, 1);
        let resource = request.resource_logs[0].resource.as_ref().unwrap();
        let name = resource
            .attributes
            .iter()
            .find(|pair| pair.key == "service.name");
        let value = name
            .unwrap()
            .value
            .as_ref()
            .unwrap()
            .value
            .as_ref()
            .unwrap();
        assert_eq!(*value, Any::StringValue("cart".to_owned()));
    }
    let silent = self::world("logs: [{body: hello, services: [nobody]}]", 1);
    assert!(silent.is_silent());
    assert_eq!(
        request(&silent, 0, 1).0,
        ExportLogsServiceRequest::default()
    );
}
