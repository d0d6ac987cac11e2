//! Any labels, values and collisions come out as text that a strict parser accepts: no label twice in
//! a series, no series twice, no name that Prometheus refuses, families not interleaved.

mod exporter_support;

use std::collections::HashSet;

use exporter_support::{
    Harness, OPEN_METRICS, Pairs, TEXT, Table, count, histogram_ms, options, snapshot, stream,
};
use proptest::collection::vec;
use proptest::prelude::*;
use spanmill::exporters::prometheus::Source;
use spanmill::store::window::Layout;

/// A sample: name, labels, value, time.
type Sample = (String, Vec<(String, String)>, f64, Option<f64>);

/// Reads one of the two formats and fails on the least irregularity.
fn parse(text: &str, open_metrics: bool, reserved: bool) -> Result<Vec<Sample>, String> {
    let mut samples = Vec::new();
    let mut families = HashSet::new();
    let mut family = (String::new(), String::new());
    let mut seen = HashSet::new();
    let body = if open_metrics {
        text.strip_suffix("# EOF\n").ok_or("no EOF")?
    } else {
        text
    };
    let mut lines = body.split_terminator('\n').peekable();
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("last line has no end".to_owned());
    }
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let name = rest.split(' ').next().unwrap_or_default().to_owned();
            let kind = lines
                .next()
                .and_then(|line| line.strip_prefix(&format!("# TYPE {name} ")))
                .ok_or_else(|| format!("no type: {line}"))?;
            if !families.insert(name.clone()) {
                return Err(format!("family twice: {name}"));
            }
            if lines.peek().is_none_or(|next| next.starts_with('#')) {
                return Err(format!("empty family: {name}"));
            }
            family = (name, kind.to_owned());
            continue;
        }
        let sample = sample(line, reserved)?;
        let suffixes: &[&str] = match (family.1.as_str(), open_metrics) {
            ("histogram", _) => &["_bucket", "_sum", "_count"],
            ("counter", true) => &["_total"],
            _ => &[""],
        };
        if !suffixes
            .iter()
            .any(|suffix| sample.0 == format!("{}{suffix}", family.0))
        {
            return Err(format!("not of family {family:?}: {line}"));
        }
        let labels = &sample.1;
        if sample.0.ends_with("_bucket") != labels.iter().any(|(name, _)| name == "le")
            && family.1 == "histogram"
        {
            return Err(format!("le: {line}"));
        }
        if !seen.insert((sample.0.clone(), labels.clone(), sample.3.map(f64::to_bits))) {
            return Err(format!("series twice: {line}"));
        }
        samples.push(sample);
    }
    Ok(samples)
}

/// `reserved`: labels of two underscores pass. Prometheus takes them, and so does the reference.
fn sample(line: &str, reserved: bool) -> Result<Sample, String> {
    let (name, rest) = line
        .split_once('{')
        .ok_or_else(|| format!("no brace: {line}"))?;
    if !legal(name) {
        return Err(format!("name: {line}"));
    }
    let mut labels: Vec<(String, String)> = Vec::new();
    let mut rest = rest;
    loop {
        let (label, after) = rest
            .split_once("=\"")
            .ok_or_else(|| format!("label: {line}"))?;
        if !legal(label) || (label.starts_with("__") && !reserved) {
            return Err(format!("label name {label}: {line}"));
        }
        let (mut value, mut chars) = (String::new(), after.char_indices());
        let end = loop {
            match chars.next() {
                Some((at, '"')) => break at + 1,
                Some((_, '\\')) => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c @ ('\\' | '"'))) => value.push(c),
                    other => return Err(format!("escape {other:?}: {line}")),
                },
                Some((_, c)) => value.push(c),
                None => return Err(format!("open quote: {line}")),
            }
        };
        if labels.iter().any(|(known, _)| known == label) {
            return Err(format!("label {label} twice: {line}"));
        }
        labels.push((label.to_owned(), value));
        rest = &after[end..];
        if let Some(numbers) = rest.strip_prefix("} ") {
            let mut numbers = numbers.split(' ').map(|number| {
                number
                    .parse::<f64>()
                    .map_err(|error| format!("{error}: {line}"))
            });
            let value = numbers.next().ok_or("no number")??;
            let time = numbers.next().transpose()?;
            if numbers.next().is_some() {
                return Err(format!("too much: {line}"));
            }
            labels.sort();
            return Ok((name.to_owned(), labels, value, time));
        }
        rest = rest
            .strip_prefix(',')
            .ok_or_else(|| format!("comma: {line}"))?;
    }
}

fn legal(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Keys that collide, are reserved or are nothing at all, and any bytes.
fn a_key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => proptest::sample::select(vec![
            "a.b", "a_b", "a-b", "le", "exported_le", "exported.le", "job", "exported_job", "instance",
            "otel.scope.name", "otel_scope_version", "", ".", "..", "_", "__", "__x", "key__x", "key_",
            "service.name", "service.instance.id", "env", "data-mode", "data_mode", "9", "key_9",
            "exported_env", "exported_exported_env", "\u{e9}", "\u{65e5}\u{672c}", "\u{661}x",
        ]).prop_map(|key| key.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..6),
    ]
}

fn some_pairs() -> impl Strategy<Value = Pairs> {
    let value = prop_oneof![
        "[a\"\\\\\n,={} ]{0,4}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..4),
    ];
    vec((a_key(), value), 0..7)
}

fn distinct(pairs: Pairs) -> Pairs {
    let mut seen = HashSet::new();
    pairs
        .into_iter()
        .filter(|(key, _)| seen.insert(key.clone()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_identities_render_to_legal_text(
        cells in vec((some_pairs(), some_pairs(), any::<u64>()), 0..12),
        const_labels in vec(("[a-z_.:-]{0,3}|env|job|le|data-mode|data_mode", "[a\"]{0,2}"), 0..4),
        compat: bool,
        convert: bool,
        timestamps: bool,
        suffixes: bool,
        namespace in "[a-z9.\u{e9}-]{0,3}",
        expired in vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let mut options = options();
        options.const_labels = const_labels;
        options.resource_to_telemetry_conversion = convert;
        options.send_timestamps = timestamps;
        options.add_metric_suffixes = suffixes;
        options.namespace = namespace;
        let sources = vec![
            Source { table: 0, stream: stream(vec![count("calls"), histogram_ms("duration", &[1.0, 0.5])]) },
            Source { table: 1, stream: stream(vec![count("events"), count("calls")]) },
        ];
        let harness = Harness::new(options, compat, sources);
        let mut tables = [Table::new(Layout::Histogram { buckets: 3 }), Table::new(Layout::Counter)];
        let mut total = 0_u64;
        for (index, (resource, key, number)) in cells.iter().enumerate() {
            let (key, number) = (distinct(key.clone()), number >> 40);
            if index % 3 == 0 {
                tables[1].born(resource, &key, vec![number], 1000);
            } else {
                total += number;
                tables[0].born(resource, &key, vec![u64::MAX, 7, number, 0, 0], 1000);
            }
        }
        for round in 0..2 {
            harness.show(snapshot(5000 + round, 1, &mut tables));
            for (accept, agent) in [(TEXT, "test"), (OPEN_METRICS, "test"), (TEXT, "Prometheus/3"), (OPEN_METRICS, "Prometheus/3")] {
                let text = harness.scrape(accept, agent, false);
                let samples = parse(&text, accept == OPEN_METRICS, compat);
                prop_assert!(samples.is_ok(), "{:?}\n{text}", samples);
                let samples = samples.unwrap();
                let sum_of = |suffix: &str| -> f64 {
                    let of = samples.iter().filter(|(name, ..)| name.ends_with(suffix));
                    of.fold(0.0, |sum, (_, _, value, _)| sum + value)
                };
                if !compat && round == 0 {
                    // Whatever was renamed or joined, no span is lost.
                    prop_assert_eq!(sum_of("_count").to_string(), total.to_string());
                }
            }
            let alive = cells.len() - cells.len().div_ceil(3);
            let mut gone = HashSet::new();
            for index in &expired {
                if alive > 0 && gone.insert(index.index(alive)) && round == 0 {
                    tables[0].expire(index.index(alive));
                }
            }
        }
    }
}
