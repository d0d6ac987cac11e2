//! The keys that say what spans are like: of one operation, or of all in `spans`.

use super::attributes::{Place, Spec, read_fixed};
use super::distribution::{Distribution, LogNormal, Unit, share};
use super::model::{EVENT_KINDS, Event, Links, On, StatusMix, Traits};
use super::reader::required;
use crate::config::{Code, Section};

/// Times that an event is on one span, and links of one span.
const COUNT_MAX: i64 = 16;
/// Sampled, and the parent is known to be local (the `SpanFlags` of OTLP).
const FLAGS: u32 = 0x101;
/// Of the log-normal latency when none is given.
const MEDIAN_NS: f64 = 20e6;
const SIGMA: f64 = 0.5;
const LATENCY_NS_MAX: f64 = 60e9;

impl Default for Traits {
    fn default() -> Self {
        Self {
            latency: Distribution::LogNormal(LogNormal::new(MEDIAN_NS, SIGMA, LATENCY_NS_MAX)),
            status: StatusMix {
                ok: 0.0,
                error: 0.0,
                message: String::new(),
            },
            attributes: Vec::new(),
            events: Vec::new(),
            links: Links::NONE,
            trace_state: String::new(),
            flags: FLAGS,
        }
    }
}

impl Traits {
    /// What is not given here is as in `base`; attributes and events are added to those of `base`,
    /// or stand in for those of the same name.
    pub fn read(section: &mut Section, base: &Self) -> Self {
        let latency = Distribution::read(section, "latency", Unit::Nanoseconds);
        let status = section.given_section("status", StatusMix::read);
        let traits = Self {
            latency: latency.unwrap_or_else(|| base.latency.clone()),
            status: status.unwrap_or_else(|| base.status.clone()),
            attributes: overlaid(
                &base.attributes,
                Spec::read_map(section, "attributes", Place::Span),
                |spec| &spec.key,
            ),
            events: overlaid(
                &base.events,
                section.sections("events", Event::read).unwrap_or_default(),
                |event| &event.name,
            ),
            links: section
                .given_section("links", Links::read)
                .unwrap_or_else(|| base.links.clone()),
            trace_state: section.string("trace_state", &base.trace_state),
            flags: section.unsigned("flags", base.flags),
        };
        traits.check(section);
        traits
    }

    fn check(&self, section: &mut Section) {
        if self.events.len() > EVENT_KINDS {
            let message = format!("`{}` has {} events", section.path(), self.events.len());
            let label = format!("at most {EVENT_KINDS} kinds, those of all spans included");
            section.refuse("events", Code::Limit, message, &label);
        }
        let mut radices = self.attributes.iter().map(|spec| spec.values.radix());
        let combinations = radices.try_fold(1_u64, u64::checked_mul);
        if combinations.is_none() {
            let message = format!("the values of `{}` combine too often", section.path());
            let label = "fewer drawn attributes, or of less cardinality: 2^64 in all";
            section.refuse("attributes", Code::Limit, message, label);
        }
    }
}

/// The items of `base`, each replaced by the one in `over` of the same name, and the rest of `over`.
pub fn overlaid<T: Clone>(base: &[T], over: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
    let mut items = base.to_vec();
    for item in over {
        match items.iter_mut().find(|known| name(known) == name(&item)) {
            Some(known) => *known = item,
            None => items.push(item),
        }
    }
    items
}

impl StatusMix {
    fn read(section: &mut Section) -> Self {
        let mix = Self {
            ok: share(section, "ok", 0.0),
            error: share(section, "error", 0.0),
            message: section.string("message", ""),
        };
        if mix.ok + mix.error > 1.0 {
            let message = format!("`ok` and `error` of `{}` are above 1", section.path());
            let label = "the rest up to 1 has no status";
            section.refuse("error", Code::OutOfRange, message, label);
        }
        mix
    }
}

impl Event {
    fn read(section: &mut Section) -> Self {
        let name = required(section, "name", |s| Some(s.string("name", "")));
        Self {
            name: name.unwrap_or_default(),
            share: share(section, "share", 1.0),
            count: count(section),
            on: match section.word("on", "any", &["any", "error", "success"], false) {
                "error" => On::Error,
                "success" => On::Success,
                _ => On::Any,
            },
            attributes: read_fixed(section, "attributes"),
        }
    }
}

impl Links {
    fn read(section: &mut Section) -> Self {
        Self {
            share: share(section, "share", 1.0),
            count: count(section),
            attributes: read_fixed(section, "attributes"),
        }
    }
}

fn count(section: &mut Section) -> u32 {
    let count = section.integer("count", 1, 1, COUNT_MAX);
    u32::try_from(count).expect("read within bounds")
}
