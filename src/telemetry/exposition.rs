//! Our own metrics as text 0.0.4, in the form of the Collector's.
//!
//! Families are sorted by name, series by their labels; every series has the labels of our own
//! resource, and `target_info` comes last in the alphabet of its name. Served on request only; the
//! registry is read once per scrape.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::counters::{Kind, Registry};
use super::text_format::{Dialect, push_float, push_help, push_label_value};

/// What the answer says it is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

struct Family {
    help: &'static str,
    kind: Kind,
    /// Labels as written -> value.
    series: BTreeMap<String, f64>,
}

/// `resource`: attributes of our own resource, such as `service.name`.
#[must_use]
pub fn render(registry: &Registry, resource: &[(String, String)]) -> Vec<u8> {
    let own: Vec<(String, &str)> = resource
        .iter()
        .map(|(key, value)| (label_name(key), value.as_str()))
        .collect();
    let mut families: BTreeMap<&'static str, Family> = BTreeMap::new();
    registry.for_each(|series| {
        let family = families.entry(series.name).or_insert_with(|| Family {
            help: series.help,
            kind: series.kind,
            series: BTreeMap::new(),
        });
        let labels = series
            .labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_str()));
        // A series that is registered twice adds up: one exporter in two pipelines, say.
        let value = family
            .series
            .entry(braces(labels.chain(own.iter().cloned())))
            .or_default();
        *value += (series.read)();
    });
    let target = Family {
        help: "Target metadata",
        kind: Kind::Gauge,
        series: BTreeMap::from([(braces(own.iter().cloned()), 1.0)]),
    };
    families.insert("target_info", target);
    let mut out = Vec::new();
    for (name, family) in &families {
        push_family(&mut out, name, family);
    }
    out
}

fn push_family(out: &mut Vec<u8>, name: &str, family: &Family) {
    out.extend_from_slice(format!("# HELP {name} ").as_bytes());
    push_help(out, family.help, Dialect::Text);
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
    };
    out.extend_from_slice(format!("\n# TYPE {name} {kind}\n").as_bytes());
    for (braces, value) in &family.series {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(braces.as_bytes());
        out.push(b' ');
        push_float(out, *value, Dialect::Text);
        out.push(b'\n');
    }
}

/// `{a="1",b="2"}`, sorted by name; nothing when there are none. Of equal names the first stays.
fn braces<'a>(labels: impl Iterator<Item = (String, &'a str)>) -> String {
    let mut sorted: BTreeMap<String, &str> = BTreeMap::new();
    for (name, value) in labels {
        sorted.entry(name).or_insert(value);
    }
    let mut text = String::new();
    for (name, value) in sorted {
        let mut escaped = Vec::new();
        push_label_value(&mut escaped, value);
        text.push(if text.is_empty() { '{' } else { ',' });
        // Escaping only adds ASCII.
        let _ = write!(text, "{name}=\"{}\"", String::from_utf8_lossy(&escaped));
    }
    if !text.is_empty() {
        text.push('}');
    }
    text
}

fn label_name(key: &str) -> String {
    let mut name: String = key
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "key_");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::telemetry::counters::Registry;

    #[test]
    fn families_and_series_are_sorted_and_carry_our_own_resource() {
        let registry = Registry::new(2);
        let spans = |transport: &str| {
            registry.counter(
                "otelcol_receiver_accepted_spans",
                "Number of spans \\ pushed.",
                vec![
                    ("transport", transport.to_owned()),
                    ("receiver", "otlp".to_owned()),
                ],
            )
        };
        let http = spans("http");
        spans("grpc").add(1, 2_000_000);
        http.add(0, 3);
        // Registered twice: one number.
        spans("http").add(2, 4);
        registry.gauge("a_gauge", "", vec![("q", "a\"b\n".to_owned())], || 0.25);
        let resource = [
            ("service.name".to_owned(), "spanmill".to_owned()),
            ("service.version".to_owned(), "1".to_owned()),
        ];
        let expected = r#"# HELP a_gauge 
# TYPE a_gauge gauge
a_gauge{q="a\"b\n",service_name="spanmill",service_version="1"} 0.25
# HELP otelcol_receiver_accepted_spans Number of spans \\ pushed.
# TYPE otelcol_receiver_accepted_spans counter
otelcol_receiver_accepted_spans{receiver="otlp",service_name="spanmill",service_version="1",transport="grpc"} 2e+06
otelcol_receiver_accepted_spans{receiver="otlp",service_name="spanmill",service_version="1",transport="http"} 7
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{service_name="spanmill",service_version="1"} 1
"#;
        let text = String::from_utf8(render(&registry, &resource)).expect("text");
        assert_eq!(text, expected);
    }

    #[test]
    fn without_a_resource_there_are_no_braces() {
        let registry = Registry::new(1);
        registry.gauge("g", "help", Vec::new(), || 1.0);
        let text = String::from_utf8(render(&registry, &[])).expect("text");
        assert!(text.contains("\ng 1\n") && text.ends_with("\ntarget_info 1\n"));
    }
}
