//! What is sent: services with their resources and operations, and the drawing of one span.
//!
//! [`LoadOptions`] is what the user asks for, [`Load`] the world made of it, and a [`Shape`] is all of
//! a span that can become a label. Encoder and verifier both read spans from here, so both speak of
//! the same attributes; how they are encoded and how they are counted they do not share.

use std::ops::Range;

use super::filler;
use super::random::Random;
use super::template;
use super::value::{Attribute, Value};
use super::vocabulary::{self, REQUEST_ID_KEY, USER_KEY};

/// Kinds of events; see [`event`].
pub const EVENT_KINDS: usize = 2;
/// Instrumentation scopes of each service; see [`vocabulary::SCOPES`].
pub(super) const SCOPES: usize = vocabulary::SCOPES.len();

/// No span takes longer. It bounds the tail of the log-normal latencies.
const DURATION_NS_MAX: f64 = 60e9;

#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    pub services: u32,
    /// Server routes of each service; each service also has four operations of other kinds.
    pub routes: u32,
    /// Resources (pods) of each service.
    pub resources: u32,
    /// Distinct values of `user.id` on server spans; 0: no such attribute.
    pub users: u32,
    /// Share of spans with an error status, 0 to 1.
    pub error_share: f64,
    /// Share of the other spans that carry events. Every failed span carries an exception.
    pub event_share: f64,
    /// Mean encoded size of a span without events, filled up with attributes nobody asks for.
    pub span_bytes: usize,
    pub spans_per_request: u32,
    pub seed: u64,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            services: 5,
            routes: 5,
            resources: 1,
            users: 0,
            error_share: 0.02,
            event_share: 0.05,
            span_bytes: 800,
            spans_per_request: 512,
            seed: 1,
        }
    }
}

/// `SpanKind` of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// `StatusCode` of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Unset = 0,
    Ok = 1,
    Error = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    Success = 0,
    Failure = 1,
}

impl Ending {
    pub(super) const ALL: [Self; 2] = [Self::Success, Self::Failure];
}

/// All of a span but its ids, times and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    /// Index into [`Load::resources`].
    pub resource: u32,
    /// Index into [`Load::operations`].
    pub operation: u32,
    pub ending: Ending,
    pub user: Option<u32>,
}

/// What one span adds to the totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    pub shape: Shape,
    pub duration_ns: u64,
    /// Events of each kind.
    pub events: [u8; EVENT_KINDS],
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
    pub(super) scope: usize,
    /// Of every span of it, whatever its ending and user.
    pub attributes: Vec<Attribute>,
    /// Whether it has a `http.response.status_code`.
    pub(super) is_http: bool,
    pub(super) has_user: bool,
    success: Status,
    /// Natural logarithm of the median duration in nanoseconds, and the log-normal's sigma.
    median_ln: f64,
    sigma: f64,
    weight: u32,
}

#[derive(Clone, Debug)]
pub struct Load {
    pub options: LoadOptions,
    pub resources: Vec<Resource>,
    pub operations: Vec<Operation>,
    /// Service -> its operations.
    services: Vec<Range<usize>>,
    /// Operation -> sum of the weights of its service up to and with it.
    weights_summed: Vec<u32>,
}

impl Load {
    /// The same options give the same load.
    #[must_use]
    pub fn new(options: LoadOptions) -> Self {
        let mut load = Self {
            resources: Vec::new(),
            operations: Vec::new(),
            services: Vec::new(),
            weights_summed: Vec::new(),
            options,
        };
        for service in 0..load.options.services {
            let mut random = Random::stream(load.options.seed, u64::from(service));
            load.add_service(service, &mut random);
        }
        load
    }

    fn add_service(&mut self, service: u32, random: &mut Random) {
        for pod in 0..self.options.resources {
            self.resources.push(Resource {
                service,
                attributes: vocabulary::resource_attributes(service, pod, random),
            });
        }
        let begin = self.operations.len();
        let mut weight_sum = 0;
        for plan in vocabulary::operations(service, self.options.routes) {
            let mut operation = Operation {
                name: plan.name,
                kind: plan.kind,
                scope: plan.scope,
                attributes: plan.attributes,
                is_http: plan.is_http,
                has_user: plan.kind == Kind::Server && self.options.users > 0,
                success: plan.success,
                // Medians from 1 ms to 200 ms, evenly by order of magnitude.
                median_ln: (random.unit() * 200_f64.ln()) + 1e6_f64.ln(),
                sigma: 0.3 + 0.7 * random.unit(),
                weight: plan.weight,
            };
            let bare_bytes = template::mean_span_bytes(&operation);
            let room_bytes = self.options.span_bytes.saturating_sub(bare_bytes);
            operation
                .attributes
                .extend(filler::attributes(random, room_bytes));
            weight_sum += operation.weight;
            self.weights_summed.push(weight_sum);
            self.operations.push(operation);
        }
        self.services.push(begin..self.operations.len());
    }

    /// Draws a span of a resource that is there.
    ///
    /// # Panics
    /// When there is no such resource.
    pub fn draw(&self, resource: u32, random: &mut Random) -> Observation {
        let operations = self.services[self.resources[resource as usize].service as usize].clone();
        let weights = &self.weights_summed[operations.clone()];
        let total = *weights.last().expect("a service has operations");
        let ticket = random.below(total);
        let chosen = operations.start + weights.partition_point(|sum| *sum <= ticket);
        let operation = &self.operations[chosen];

        let ending = if random.chance(self.options.error_share) {
            Ending::Failure
        } else {
            Ending::Success
        };
        let events = match ending {
            Ending::Failure => [1, 0],
            Ending::Success if random.chance(self.options.event_share) => {
                [0, 1 + random.below(2) as u8]
            }
            Ending::Success => [0, 0],
        };
        let duration_ns = operation
            .sigma
            .mul_add(random.normal(), operation.median_ln)
            .exp();
        Observation {
            shape: Shape {
                resource,
                // Operations are counted in u32: services and routes are bounded by `cli`.
                operation: chosen as u32,
                ending,
                user: operation.has_user.then(|| random.below(self.options.users)),
            },
            // Not negative, and below 2^53.
            duration_ns: duration_ns.min(DURATION_NS_MAX) as u64,
            events,
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

    /// Every attribute of a span of this shape but `REQUEST_ID_KEY`, whose value is random.
    #[must_use]
    pub fn attributes(&self, shape: Shape) -> Vec<Attribute> {
        let operation = self.operation(shape);
        let mut attributes = operation.attributes.clone();
        attributes.extend(operation.ending_attributes(shape.ending));
        if let Some(user) = shape.user {
            attributes.push(Attribute::text(USER_KEY, user_text(user)));
        }
        attributes
    }
}

impl Operation {
    #[must_use]
    pub fn status(&self, ending: Ending) -> Status {
        match ending {
            Ending::Success => self.success,
            Ending::Failure => Status::Error,
        }
    }

    pub(super) fn ending_attributes(&self, ending: Ending) -> Vec<Attribute> {
        let code = match ending {
            Ending::Success => 200,
            Ending::Failure => 500,
        };
        self.is_http
            .then(|| Attribute::int("http.response.status_code", code))
            .into_iter()
            .collect()
    }
}

/// Whether a span carries this key with a value that no shape tells.
#[must_use]
pub fn is_random(key: &str) -> bool {
    key == REQUEST_ID_KEY
}

/// Name and attributes of an event of this kind.
#[must_use]
pub fn event(kind: usize) -> (&'static str, Vec<Attribute>) {
    match kind {
        0 => (
            "exception",
            vec![
                Attribute::text("exception.type", "java.lang.IllegalStateException"),
                Attribute::text("exception.message", "upstream did not answer in time"),
            ],
        ),
        _ => (
            "cache.miss",
            vec![Attribute {
                key: "cache.tier".to_owned(),
                value: Value::Int(2),
            }],
        ),
    }
}

/// The value of `user.id`.
pub(super) fn user_text(user: u32) -> String {
    format!("u-{user:07}")
}
