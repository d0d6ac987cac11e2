//! A scenario as it is settled: every default filled in, every pattern expanded.

use super::attributes::Spec;
use super::distribution::Distribution;
use crate::generate::logs::{Body, Record};
use crate::generate::metrics::Metric;
use crate::generate::signal::Signal;
use crate::generate::value::Attribute;

/// Kinds of events that the spans of one operation may carry.
pub const EVENT_KINDS: usize = 4;

#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub description: String,
    pub seed: u64,
    pub spans_per_request: u32,
    pub resources_per_request: u32,
    /// Mean encoded size of a span without events and links, filled up with attributes nobody asks
    /// for.
    pub span_bytes: usize,
    pub connections: u16,
    pub signals: SignalWeights,
    /// Share of the requests whose bytes are broken on purpose.
    pub malformed_share: f64,
    pub services: Vec<Service>,
    pub metrics: Vec<Metric>,
    pub logs: Vec<Record>,
}

/// How often a request is of each signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalWeights {
    pub traces: u32,
    pub metrics: u32,
    pub logs: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    pub name: String,
    pub weight: u32,
    /// Resources that send its spans.
    pub pods: u32,
    /// Text with places for `{service}`, `{n}`, `{hex:8}`; see [`super::template`].
    pub pod_name: String,
    /// Of each resource; text may have places.
    pub attributes: Vec<Spec>,
    pub scopes: Vec<Scope>,
    pub operations: Vec<Operation>,
}

/// An instrumentation scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    pub name: String,
    pub version: String,
    pub attributes: Vec<Attribute>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub name: String,
    pub kind: Kind,
    pub weight: u32,
    /// Index into the scopes of its service.
    pub scope: usize,
    pub spans: Traits,
}

/// What spans of one operation are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Traits {
    /// In nanoseconds.
    pub latency: Distribution,
    pub status: StatusMix,
    pub attributes: Vec<Spec>,
    /// At most [`EVENT_KINDS`].
    pub events: Vec<Event>,
    pub links: Links,
    pub trace_state: String,
    pub flags: u32,
}

/// Shares of the spans; the rest has no status.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusMix {
    pub ok: f64,
    pub error: f64,
    /// Of failed spans.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    /// Of the spans it may be on, the share it is on.
    pub share: f64,
    /// It is there 1 to `count` times.
    pub count: u32,
    pub on: On,
    pub attributes: Vec<Attribute>,
}

/// The spans an event may be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Any,
    Error,
    Success,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Links {
    /// Of the spans, the share with links.
    pub share: f64,
    /// A span with links has 1 to `count`.
    pub count: u32,
    pub attributes: Vec<Attribute>,
}

/// `SpanKind` of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Unspecified = 0,
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// `StatusCode` of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    Unset = 0,
    Ok = 1,
    Error = 2,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Unset, Self::Ok, Self::Error];
}

impl StatusMix {
    /// Whether spans of this status occur.
    #[must_use]
    pub fn has(&self, status: Status) -> bool {
        match status {
            Status::Unset => self.ok + self.error < 1.0,
            Status::Ok => self.ok > 0.0,
            Status::Error => self.error > 0.0,
        }
    }
}

impl Event {
    #[must_use]
    pub fn is_on(&self, status: Status) -> bool {
        match self.on {
            On::Any => true,
            On::Error => status == Status::Error,
            On::Success => status != Status::Error,
        }
    }
}

impl Links {
    pub const NONE: Self = Self {
        share: 0.0,
        count: 1,
        attributes: Vec::new(),
    };
}

impl Traits {
    /// Bytes of its attributes, and those of events and links, in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(Spec::bytes);
        let parts = self.events.iter().map(|event| &event.attributes);
        let parts = parts.chain([&self.links.attributes]).flatten();
        attributes.chain(parts.map(Attribute::message_bytes)).sum()
    }
}

impl Scenario {
    /// Whether values of what is sent depend on how much was sent before, so that requests cannot be
    /// prepared.
    #[must_use]
    pub fn is_growing(&self) -> bool {
        let grows = |specs: &[Spec]| specs.iter().any(|spec| spec.values.is_growing());
        let of_signal = |signal| match signal {
            Signal::Traces => {
                let mut operations = self.services.iter().flat_map(|service| &service.operations);
                operations.any(|operation| grows(&operation.spans.attributes))
            }
            Signal::Metrics => self.metrics.iter().any(|metric| grows(&metric.attributes)),
            Signal::Logs => self.logs.iter().any(|record| {
                let in_body = matches!(&record.body, Body::Map(specs) if grows(specs));
                in_body || grows(&record.attributes)
            }),
        };
        let mut signals = Signal::ALL.into_iter();
        signals.any(|signal| self.signals.of(signal) > 0 && of_signal(signal))
    }

    /// About how many different spans there are, as far as labels can tell them apart.
    #[must_use]
    pub fn variants(&self) -> u64 {
        let of_operation = |operation: &Operation| {
            let specs = operation.spans.attributes.iter();
            specs.fold(1_u64, |product, spec| {
                product.saturating_mul(spec.values.radix())
            })
        };
        let of_service = |service: &Service| {
            let operations = service.operations.iter().map(of_operation);
            let of_pod = operations.fold(0_u64, u64::saturating_add);
            of_pod.saturating_mul(u64::from(service.pods))
        };
        self.services
            .iter()
            .map(of_service)
            .fold(0, u64::saturating_add)
    }

    /// Gives every service as many pods.
    pub fn set_pods(&mut self, pods: u32) {
        for service in &mut self.services {
            service.pods = pods;
        }
    }

    /// Lets this share of the spans of every operation fail; the others keep their proportions.
    pub fn set_error_share(&mut self, share: f64) {
        for service in &mut self.services {
            for operation in &mut service.operations {
                let status = &mut operation.spans.status;
                let succeeded = 1.0 - status.error;
                if succeeded > 0.0 {
                    status.ok *= (1.0 - share) / succeeded;
                }
                status.error = share;
            }
        }
    }
}
