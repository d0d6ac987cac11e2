//! The world of the traces: the resources and operations of a scenario, and the drawing of one span.
//!
//! A [`Shape`] is all of a span that can become a label. Encoder and verifier both read spans from
//! here, so both speak of the same attributes; how they are encoded and how they are counted they do
//! not share.

use std::ops::Range;

use super::filler;
use super::random::Random;
use super::scenario::attributes::{Choice, Pool, Values};
use super::scenario::model::{self, Scenario, Service, StatusMix};
pub use super::scenario::model::{EVENT_KINDS, Event, Kind, Links, Scope, Status};
use super::scenario::template::Words;
use super::template;
use super::value::{Attribute, Value};

/// No span takes longer: what has no bound of its own, and sums of humps, end here.
const DURATION_NS_MAX: f64 = 3_600e9;

/// All of a span but its ids, times, events and links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    /// Index into [`Load::resources`].
    pub resource: u32,
    /// Index into [`Load::operations`].
    pub operation: u32,
    pub status: Status,
    /// The indexes of the drawn attributes as the digits of one number, the last lowest.
    pub variant: u64,
}

/// What one span adds to the totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    pub shape: Shape,
    pub duration_ns: u64,
    /// Events of each kind of its operation.
    pub events: [u8; EVENT_KINDS],
    pub links: u8,
}

#[derive(Clone, Debug)]
pub struct Resource {
    pub service: u32,
    pub attributes: Vec<Attribute>,
}

#[derive(Clone, Debug)]
pub struct Operation {
    pub name: String,
    pub kind: Kind,
    /// Index into the scopes of its service.
    pub(super) scope: usize,
    /// Of every span of it.
    pub attributes: Vec<Attribute>,
    by_status: Vec<(String, [Value; 3])>,
    /// Fresh digits on each span: key and digits.
    pub(super) random: Vec<(String, usize)>,
    pub(super) drawn: Vec<Drawn>,
    pub events: Vec<Event>,
    pub(super) links: Links,
    pub(super) trace_state: String,
    pub(super) flags: u32,
    pub(super) status: StatusMix,
    latency: super::scenario::distribution::Distribution,
    weight: u32,
}

/// An attribute whose value is chosen for each span.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) key: String,
    choice: Choice,
    pub(super) pool: Pool,
    radix: u64,
}

#[derive(Clone, Debug)]
pub struct Load {
    pub scenario: Scenario,
    pub resources: Vec<Resource>,
    pub operations: Vec<Operation>,
    /// Service -> what is drawn of it.
    services: Vec<Tickets>,
    /// Service -> sum of the weights up to and with it.
    weights_summed: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Tickets {
    resources: Range<u32>,
    first_operation: usize,
    /// Operation of the service -> sum of the weights up to and with it.
    weights_summed: Vec<u64>,
}

impl Load {
    /// The same scenario gives the same load.
    #[must_use]
    pub fn new(scenario: impl Into<Scenario>) -> Self {
        let scenario = scenario.into();
        let mut load = Self {
            resources: Vec::new(),
            operations: Vec::new(),
            services: Vec::new(),
            weights_summed: Vec::new(),
            scenario,
        };
        let services = std::mem::take(&mut load.scenario.services);
        for (index, service) in services.iter().enumerate() {
            let mut random = Random::stream(load.scenario.seed, index as u64);
            load.add_service(index, service, &mut random);
        }
        load.scenario.services = services;
        load
    }

    fn add_service(&mut self, index: usize, service: &Service, random: &mut Random) {
        // Resources and operations are counted in u32: a scenario bounds both.
        let first_resource = self.resources.len() as u32;
        for number in 0..service.pods {
            self.resources.push(Resource {
                service: index as u32,
                attributes: resource_attributes(service, number, random),
            });
        }
        let first_operation = self.operations.len();
        for operation in &service.operations {
            let specs = &operation.spans.attributes;
            let is_taken = |key: &str| specs.iter().any(|spec| spec.key == key);
            let mut operation = Operation::new(operation);
            let bare_bytes = template::mean_span_bytes(&operation);
            let room_bytes = self.scenario.span_bytes.saturating_sub(bare_bytes);
            operation
                .attributes
                .extend(filler::attributes(random, room_bytes, is_taken));
            self.operations.push(operation);
        }
        let operations = &self.operations[first_operation..];
        self.services.push(Tickets {
            resources: first_resource..self.resources.len() as u32,
            first_operation,
            weights_summed: summed(operations.iter().map(|operation| operation.weight)),
        });
        let before = self.weights_summed.last().copied().unwrap_or_default();
        self.weights_summed.push(before + u64::from(service.weight));
    }

    /// A resource, its service by weight and evenly among the pods of that.
    pub(super) fn draw_resource(&self, random: &mut Random) -> u32 {
        let tickets = &self.services[by_weight(&self.weights_summed, random)];
        tickets.resources.start + random.below(tickets.resources.len() as u32)
    }

    /// Draws span `number` of the run, of a resource that is there.
    ///
    /// # Panics
    /// When there is no such resource.
    pub fn draw(&self, resource: u32, number: u64, random: &mut Random) -> Observation {
        let tickets = &self.services[self.resources[resource as usize].service as usize];
        let chosen = tickets.first_operation + by_weight(&tickets.weights_summed, random);
        let operation = &self.operations[chosen];
        let status = operation.draw_status(random);
        let mut variant = 0;
        for drawn in &operation.drawn {
            let index = drawn.choice.draw(random, number);
            variant = variant * drawn.radix + u64::from(index);
        }
        let mut events = [0; EVENT_KINDS];
        for (count, event) in events.iter_mut().zip(&operation.events) {
            if event.is_on(status) && random.chance(event.share) {
                // The count of a scenario is bounded far below 256.
                *count = 1 + random.below(event.count) as u8;
            }
        }
        let links = if random.chance(operation.links.share) {
            1 + random.below(operation.links.count) as u8
        } else {
            0
        };
        let duration_ns = operation.latency.draw(random);
        Observation {
            shape: Shape {
                resource,
                operation: chosen as u32,
                status,
                variant,
            },
            // Not negative, and below 2^53.
            duration_ns: duration_ns.clamp(0.0, DURATION_NS_MAX) as u64,
            events,
            links,
        }
    }

    #[must_use]
    pub fn resource(&self, shape: Shape) -> &Resource {
        &self.resources[shape.resource as usize]
    }

    #[must_use]
    pub fn operation(&self, shape: Shape) -> &Operation {
        &self.operations[shape.operation as usize]
    }

    /// Every attribute of a span of this shape but those whose value is random.
    #[must_use]
    pub fn attributes(&self, shape: Shape) -> Vec<Attribute> {
        let operation = self.operation(shape);
        let mut attributes = operation.attributes.clone();
        attributes.extend(operation.status_attributes(shape.status));
        let drawn = operation.indexes(shape.variant);
        attributes.extend(drawn.map(|(drawn, index)| drawn.attribute(index)));
        attributes
    }

    /// Whether a span of this shape carries this key with a value that no shape tells.
    #[must_use]
    pub fn is_random(&self, shape: Shape, key: &str) -> bool {
        let random = &self.operation(shape).random;
        random.iter().any(|(random, _)| random == key)
    }
}

impl Operation {
    fn new(of: &model::Operation) -> Self {
        let spans = of.spans.clone();
        let mut operation = Self {
            name: of.name.clone(),
            kind: of.kind,
            scope: of.scope,
            attributes: Vec::new(),
            by_status: Vec::new(),
            random: Vec::new(),
            drawn: Vec::new(),
            events: spans.events,
            links: spans.links,
            trace_state: spans.trace_state,
            flags: spans.flags,
            status: spans.status,
            latency: spans.latency,
            weight: of.weight,
        };
        for spec in spans.attributes {
            let radix = spec.values.radix();
            let key = spec.key;
            match spec.values {
                Values::Fixed(value) => operation.attributes.push(Attribute::new(key, value)),
                Values::ByStatus(values) => operation.by_status.push((key, *values)),
                Values::Random { digits } => operation.random.push((key, digits)),
                Values::Pool { choice, pool } => operation.drawn.push(Drawn {
                    key,
                    choice,
                    pool,
                    radix,
                }),
            }
        }
        operation
    }

    fn draw_status(&self, random: &mut Random) -> Status {
        let ticket = random.unit();
        if ticket < self.status.error {
            Status::Error
        } else if ticket < self.status.error + self.status.ok {
            Status::Ok
        } else {
            Status::Unset
        }
    }

    pub(super) fn status_attributes(&self, status: Status) -> impl Iterator<Item = Attribute> {
        self.by_status
            .iter()
            .map(move |(key, values)| Attribute::new(key.clone(), values[status as usize].clone()))
    }

    /// The drawn attributes of a variant with the index of each, the last one first.
    pub(super) fn indexes(&self, variant: u64) -> impl Iterator<Item = (&Drawn, u32)> {
        let mut rest = variant;
        self.drawn.iter().rev().map(move |drawn| {
            // A radix is at most 2^32.
            let index = (rest % drawn.radix) as u32;
            rest /= drawn.radix;
            (drawn, index)
        })
    }
}

impl Drawn {
    fn attribute(&self, index: u32) -> Attribute {
        Attribute::new(self.key.clone(), self.pool.value(index))
    }
}

fn resource_attributes(service: &Service, number: u32, random: &mut Random) -> Vec<Attribute> {
    let mut words = Words {
        service: &service.name,
        pod: "",
        number,
    };
    let pod = words.fill(&service.pod_name, random);
    words.pod = &pod;
    let fill = |spec: &super::scenario::attributes::Spec| {
        let value = match &spec.values {
            Values::Fixed(value) => value.clone(),
            Values::Pool { choice, pool } => pool.value(choice.draw(random, 0)),
            // The reader refuses what changes from span to span.
            Values::ByStatus(_) | Values::Random { .. } => Value::Empty,
        };
        Attribute::new(spec.key.clone(), words.fill_value(&value, random))
    };
    service.attributes.iter().map(fill).collect()
}

fn summed(weights: impl Iterator<Item = u32>) -> Vec<u64> {
    let mut sum = 0;
    weights
        .map(|weight| {
            sum += u64::from(weight);
            sum
        })
        .collect()
}

/// An index in proportion to the weights, whose sums are not empty.
fn by_weight(sums: &[u64], random: &mut Random) -> usize {
    let total = sums[sums.len() - 1];
    let ticket = random.below_u64(total);
    sums.partition_point(|sum| *sum <= ticket)
}
