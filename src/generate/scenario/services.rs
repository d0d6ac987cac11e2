//! The services of a scenario, their pods and their operations.

use super::attributes::{Place, Spec, Values, read_fixed};
use super::distribution::weight;
use super::format::Format;
use super::model::{Kind, Operation, Scope, Service, Traits};
use super::reader::required;
use super::size::{Extent, PARTS_MAX, SERVICES_MAX};
use super::spans::overlaid;
use super::template::{same_on_all, unclosed};
use crate::config::{Code, Section};
use crate::generate::value::Value;

/// Instrumentation scopes of one service.
const SCOPES_MAX: usize = 16;
/// Operations of one service.
const OPERATIONS_MAX: usize = 10_000;
/// The attribute of a resource that tells the service.
const NAME_KEY: &str = "service.name";
const KINDS: &[&str] = &[
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
    "unspecified",
];

/// What services and operations have unless they say otherwise.
pub struct Defaults {
    pub resource_attributes: Vec<Spec>,
    pub scopes: Vec<Scope>,
    pub spans: Traits,
}

impl Defaults {
    pub fn read(section: &mut Section) -> Self {
        let scopes = read_scopes(section).unwrap_or_else(|| vec![Scope::default()]);
        let spans = section.section("spans", |spans| Traits::read(spans, &Traits::default()));
        Self {
            resource_attributes: Spec::read_map(section, "resource_attributes", Place::Resource),
            scopes,
            spans: spans.unwrap_or_default(),
        }
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            name: "spanmill.generate".to_owned(),
            version: String::new(),
            attributes: Vec::new(),
        }
    }
}

/// All services under `services`, those of a pattern each by itself. None when they would be too
/// large, which is known, and reported, before the services of a pattern are made.
pub fn read_services(section: &mut Section, defaults: &Defaults) -> Vec<Service> {
    let key = "services";
    let mut services = Vec::new();
    let mut is_cut = false;
    let mut is_oversize = false;
    let mut extent = Extent::default();
    let patterns = required(section, key, |section| {
        section.sections(key, |pattern| {
            let (service, count) = Service::read(pattern, defaults);
            extent = extent.with(Extent::of(&service), u64::from(count.unwrap_or(1)));
            if is_oversize {
                return;
            }
            if let Err(oversize) = extent.check(0) {
                let key = if count.is_some() { "count" } else { "name" };
                pattern.refuse(key, Code::Limit, oversize.to_string(), "too much");
                is_oversize = true;
                return;
            }
            let room = SERVICES_MAX.saturating_sub(services.len());
            is_cut |= count.unwrap_or(1) as usize > room;
            services.extend(service.expanded(count).take(room));
        })
    });
    if is_oversize {
        return Vec::new();
    }
    if is_cut {
        let message = format!("`{key}` has more than {SERVICES_MAX} services");
        section.refuse(key, Code::Limit, message, "fewer, or a smaller `count`");
    }
    if patterns.is_some_and(|patterns| patterns.is_empty()) {
        let message = format!("`{key}` is empty");
        section.refuse(key, Code::Missing, message, "somebody has to send");
    }
    let mut names: Vec<&str> = services
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    names.sort_unstable();
    // A missing name was reported already.
    let mut pairs = names.windows(2).filter(|pair| !pair[0].is_empty());
    if let Some([name, _]) = pairs.find(|pair| pair[0] == pair[1]) {
        let message = format!("two services are called `{name}`");
        section.refuse(key, Code::Conflict, message, "each needs its own name");
    }
    services
}

impl Service {
    /// A service, or the pattern of as many as `count` says.
    fn read(section: &mut Section, defaults: &Defaults) -> (Self, Option<u32>) {
        let name = required(section, "name", |s| Some(s.string("name", ""))).unwrap_or_default();
        let count = section.is_given("count").then(|| {
            let count = section.integer("count", 1, 1, SERVICES_MAX as i64);
            u32::try_from(count).expect("read within bounds")
        });
        if count.is_some() && Format::parse(&name).is_none() {
            let message = format!(
                "`{}` of several services has no number",
                section.path_of("name")
            );
            section.refuse("name", Code::Value, message, "text with one `{n}`");
        }
        let pods = section.integer("pods", 1, 1, PARTS_MAX as i64);
        let own = Spec::read_map(section, "attributes", Place::Resource);
        let scopes = read_scopes(section).unwrap_or_else(|| defaults.scopes.clone());
        let operations = required(section, "operations", |section| {
            section.sections("operations", |operation| {
                Operation::read(operation, &scopes, &defaults.spans)
            })
        });
        if let Some(count) = operations.as_ref().map(Vec::len)
            && !(1..=OPERATIONS_MAX).contains(&count)
        {
            let message = format!("`{}` has {count}", section.path_of("operations"));
            let label = format!("1 to {OPERATIONS_MAX}");
            section.refuse("operations", Code::Limit, message, &label);
        }
        let pod_name = section.string("pod_name", "{service}-{n}");
        if let Some(word) = unclosed(&pod_name) {
            let message = format!(
                "`{}` has a place without an end",
                section.path_of("pod_name")
            );
            section.refuse("pod_name", Code::Value, message, &format!("`{{{word}}}`"));
        }
        let service = Self {
            name,
            weight: weight(section),
            pods: u32::try_from(pods).expect("read within bounds"),
            pod_name,
            attributes: with_name(overlaid(&defaults.resource_attributes, own, |spec| {
                &spec.key
            })),
            scopes,
            operations: operations.unwrap_or_default(),
        };
        (service, count)
    }

    fn expanded(self, count: Option<u32>) -> Box<dyn Iterator<Item = Self>> {
        match (Format::parse(&self.name), count) {
            (Some(format), Some(count)) => Box::new((0..count).map(move |number| {
                let mut name = String::new();
                format.write(u64::from(number), &mut name);
                Self {
                    name,
                    ..self.clone()
                }
            })),
            _ => Box::new(std::iter::once(self)),
        }
    }

    /// What its resources say that their service is called, as metrics and records are dealt by it.
    /// `None`: that differs from pod to pod.
    #[must_use]
    pub fn told_name(&self) -> Option<String> {
        let spec = self.attributes.iter().find(|spec| spec.key == NAME_KEY);
        match spec.map(|spec| &spec.values) {
            Some(Values::Fixed(Value::Text(text))) => same_on_all(text, &self.name),
            Some(Values::Fixed(_)) | None => Some(String::new()),
            Some(_) => None,
        }
    }
}

/// The attributes of resources, which always tell the service.
pub fn with_name(attributes: Vec<Spec>) -> Vec<Spec> {
    if attributes.iter().any(|spec| spec.key == NAME_KEY) {
        return attributes;
    }
    let name = Spec::fixed(NAME_KEY, Value::Text("{service}".to_owned()));
    std::iter::once(name).chain(attributes).collect()
}

/// `None`: the key is absent or null.
fn read_scopes(section: &mut Section) -> Option<Vec<Scope>> {
    let scopes = section.sections("scopes", Scope::read)?;
    if (1..=SCOPES_MAX).contains(&scopes.len()) {
        return Some(scopes);
    }
    let message = format!("`{}` has {}", section.path_of("scopes"), scopes.len());
    let label = format!("1 to {SCOPES_MAX}, or leave the key out");
    section.refuse("scopes", Code::Limit, message, &label);
    None
}

impl Scope {
    fn read(section: &mut Section) -> Self {
        let name = required(section, "name", |s| Some(s.string("name", "")));
        Self {
            name: name.unwrap_or_default(),
            version: section.string("version", ""),
            attributes: read_fixed(section, "attributes"),
        }
    }
}

impl Operation {
    fn read(section: &mut Section, scopes: &[Scope], spans: &Traits) -> Self {
        let name = required(section, "name", |s| Some(s.string("name", "")));
        let kind = match section.word("kind", "internal", KINDS, false) {
            "server" => Kind::Server,
            "client" => Kind::Client,
            "producer" => Kind::Producer,
            "consumer" => Kind::Consumer,
            "unspecified" => Kind::Unspecified,
            _ => Kind::Internal,
        };
        let scope = section.string("scope", &scopes[0].name);
        let index = scopes.iter().position(|known| known.name == scope);
        if index.is_none() {
            let names: Vec<&str> = scopes.iter().map(|scope| scope.name.as_str()).collect();
            let message = format!("there is no scope `{scope}`");
            let label = format!("one of `{}`", names.join("`, `"));
            section.refuse("scope", Code::UndefinedReference, message, &label);
        }
        Self {
            name: name.unwrap_or_default(),
            kind,
            weight: weight(section),
            scope: index.unwrap_or_default(),
            spans: Traits::read(section, spans),
        }
    }
}
