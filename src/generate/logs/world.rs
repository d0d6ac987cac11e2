//! All kinds of records there are, and the making of requests of them.
//!
//! A request has the records of one resource, as SDKs send them, one `ScopeLogs` for each scope.

use std::sync::Arc;

use super::body::Body;
use super::plan::Record;
use super::totals::Content;
use crate::generate::load::Resource;
use crate::generate::random::Random;
use crate::generate::scenario::attributes::{Spec, Values};
use crate::generate::value::{Attribute, Value, find};
use crate::generate::wire::{
    close_message, open_message, put_any_value, put_attribute, put_bytes, put_fixed32, put_fixed64,
    put_int, put_prefix,
};

/// Keeps the streams of log requests apart from those of other signals.
const REQUEST_STREAMS: u64 = 1 << 43;
const SCHEMA_URL: &[u8] = b"https://opentelemetry.io/schemas/1.34.0";
/// The W3C flag `sampled`.
const SAMPLED: u32 = 1;

/// Field numbers of `ResourceLogs`, `ScopeLogs` and `LogRecord`.
mod field {
    pub(super) const RESOURCE_LOGS: u32 = 1;
    pub(super) const RESOURCE: u32 = 1;
    pub(super) const SCOPE_LOGS: u32 = 2;
    pub(super) const SCOPE: u32 = 1;
    pub(super) const LOG_RECORDS: u32 = 2;
    pub(super) const SCHEMA_URL: u32 = 3;
    pub(super) const TIME: u32 = 1;
    pub(super) const SEVERITY_NUMBER: u32 = 2;
    pub(super) const SEVERITY_TEXT: u32 = 3;
    pub(super) const BODY: u32 = 5;
    pub(super) const ATTRIBUTES: u32 = 6;
    pub(super) const FLAGS: u32 = 8;
    pub(super) const TRACE_ID: u32 = 9;
    pub(super) const SPAN_ID: u32 = 10;
    pub(super) const OBSERVED_TIME: u32 = 11;
    pub(super) const EVENT_NAME: u32 = 12;
}

pub struct World {
    records: Vec<Record>,
    /// Names of the scopes, and record -> index of its scope.
    scopes: Vec<String>,
    scope_of: Vec<usize>,
    /// Resources that write anything.
    writers: Vec<Writer>,
    records_per_request: u32,
    seed: u64,
}

struct Writer {
    /// Its field of `ResourceLogs`.
    resource: Vec<u8>,
    /// Indices of its records, and the sum of their weights up to and with each.
    records: Vec<usize>,
    weights_summed: Vec<u64>,
}

/// One thread's maker of requests.
pub struct Maker {
    world: Arc<World>,
    /// Scope -> the records of the present request, each as a field of `ScopeLogs`.
    scopes: Vec<Vec<u8>>,
}

impl World {
    /// The same arguments give the same world.
    #[must_use]
    pub fn new(
        records: &[Record],
        resources: &[Resource],
        records_per_request: u32,
        seed: u64,
    ) -> Self {
        let mut scopes: Vec<String> = records.iter().map(|record| record.scope.clone()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let scope_of = |record: &Record| scopes.partition_point(|scope| *scope < record.scope);
        let writers = resources
            .iter()
            .map(|resource| Writer::new(records, resource));
        Self {
            scope_of: records.iter().map(scope_of).collect(),
            writers: writers
                .filter(|writer| !writer.records.is_empty())
                .collect(),
            records: records.to_vec(),
            scopes,
            records_per_request,
            seed,
        }
    }

    /// Whether there is nobody who writes anything.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.writers.is_empty()
    }
}

impl Writer {
    fn new(records: &[Record], resource: &Resource) -> Self {
        let service = match find(&resource.attributes, "service.name") {
            Some(Value::Text(name)) => name,
            _ => "",
        };
        let mut bytes = Vec::new();
        let begin = open_message(&mut bytes, field::RESOURCE);
        for attribute in &resource.attributes {
            put_attribute(&mut bytes, 1, attribute);
        }
        close_message(&mut bytes, begin);
        let mut writer = Self {
            resource: bytes,
            records: Vec::new(),
            weights_summed: Vec::new(),
        };
        let mut sum = 0;
        for (index, record) in records.iter().enumerate() {
            let services = &record.services;
            if services.is_empty() || services.iter().any(|name| name == service) {
                sum += u64::from(record.weight);
                writer.records.push(index);
                writer.weights_summed.push(sum);
            }
        }
        writer
    }

    fn draw(&self, random: &mut Random) -> usize {
        let total = self.weights_summed[self.weights_summed.len() - 1];
        let ticket = random.below_u64(total);
        self.records[self.weights_summed.partition_point(|sum| *sum <= ticket)]
    }
}

impl Maker {
    #[must_use]
    pub fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            scopes: vec![Vec::new(); world.scopes.len()],
        }
    }

    /// Appends the message of request `number` of those of logs, with `items` records observed at
    /// `now_ns` (Unix nanoseconds).
    pub fn make(&mut self, number: u64, items: u32, now_ns: u64, out: &mut Vec<u8>) -> Content {
        let world = &self.world;
        let mut content = Content::default();
        if world.is_silent() {
            return content;
        }
        let mut random = Random::stream(world.seed, REQUEST_STREAMS + number);
        let writers = u32::try_from(world.writers.len()).expect("the scenario bounds resources");
        let writer = &world.writers[random.below(writers) as usize];
        let first = number.wrapping_mul(u64::from(world.records_per_request));
        for item in 0..u64::from(items) {
            let index = writer.draw(&mut random);
            let record = &world.records[index];
            let scope = &mut self.scopes[world.scope_of[index]];
            put_record(record, first.wrapping_add(item), now_ns, &mut random, scope);
            content.add(record.severity);
        }

        let resource_logs = open_message(out, field::RESOURCE_LOGS);
        out.extend_from_slice(&writer.resource);
        for (name, records) in world.scopes.iter().zip(&mut self.scopes) {
            if records.is_empty() {
                continue;
            }
            let scope_logs = open_message(out, field::SCOPE_LOGS);
            let scope = open_message(out, field::SCOPE);
            put_bytes(out, 1, name.as_bytes());
            close_message(out, scope);
            out.append(records);
            put_bytes(out, field::SCHEMA_URL, SCHEMA_URL);
            close_message(out, scope_logs);
        }
        put_bytes(out, field::SCHEMA_URL, SCHEMA_URL);
        close_message(out, resource_logs);
        content
    }
}

/// Record `number` of the run, as a field of `ScopeLogs`.
fn put_record(record: &Record, number: u64, now_ns: u64, random: &mut Random, out: &mut Vec<u8>) {
    let begin = open_message(out, field::LOG_RECORDS);
    // Negative ones become 0.
    let delay_ns = record.observed_after.draw(random) as u64;
    put_fixed64(out, field::TIME, now_ns.saturating_sub(delay_ns));
    put_fixed64(out, field::OBSERVED_TIME, now_ns);
    put_int(out, field::SEVERITY_NUMBER, record.severity as i64);
    if !record.severity_text.is_empty() {
        put_bytes(out, field::SEVERITY_TEXT, record.severity_text.as_bytes());
    }
    let attributes = draw(&record.attributes, number, random);
    let body = match &record.body {
        Body::Text(template) => Value::Text(template.render(&attributes, random)),
        Body::Map(specs) => Value::Map(draw(specs, number, random)),
    };
    put_prefix(out, field::BODY, body.bytes());
    put_any_value(out, &body);
    for attribute in &attributes {
        put_attribute(out, field::ATTRIBUTES, attribute);
    }
    if random.chance(record.traced_share) {
        let trace_id = [random.word(), random.word() | 1].map(u64::to_le_bytes);
        put_fixed32(out, field::FLAGS, SAMPLED);
        put_bytes(out, field::TRACE_ID, trace_id.as_flattened());
        put_bytes(out, field::SPAN_ID, &(random.word() | 1).to_le_bytes());
    }
    if !record.event_name.is_empty() {
        put_bytes(out, field::EVENT_NAME, record.event_name.as_bytes());
    }
    close_message(out, begin);
}

fn draw(specs: &[Spec], number: u64, random: &mut Random) -> Vec<Attribute> {
    let mut value = |values: &Values| match values {
        Values::Fixed(value) => value.clone(),
        // A record has no status: the scenario has refused it.
        Values::ByStatus(by_status) => by_status[0].clone(),
        Values::Pool { choice, pool } => pool.value(choice.draw(random, number)),
        Values::Random { digits } => Value::Text(random.hex(*digits)),
    };
    specs
        .iter()
        .map(|spec| Attribute::new(spec.key.as_str(), value(&spec.values)))
        .collect()
}
