//! `docs/scenarios.md` against the reader: every key is documented, and every example is read.

use std::collections::{BTreeMap, BTreeSet};

use super::read_all;
use crate::generate::scenario::Scenario;

const DOCUMENT: &str = include_str!("../../../../docs/scenarios.md");

/// Heading of a block, its path, the text around it, and keys that it needs beside the one under
/// test.
type Block = (
    &'static str,
    &'static str,
    [&'static str; 2],
    fn(&str) -> &'static [(&'static str, &'static str)],
);

const SERVICES: &str = "[{name: api, operations: [{name: x}]}]";

const BLOCKS: [Block; 20] = [
    ("The file", "", ["", ""], |_| &[("services", SERVICES)]),
    ("`signals`", "signals", ["signals: ", ""], |_| {
        &[("traces", "1")]
    }),
    ("`scopes[]`", "scopes[0]", ["scopes: [", "]"], |_| {
        &[("name", "x")]
    }),
    ("`spans`", "spans", ["spans: ", ""], |_| &[]),
    (
        "`status`",
        "spans.status",
        ["spans: {status: ", "}"],
        |_| &[],
    ),
    (
        "`events[]`",
        "spans.events[0]",
        ["spans: {events: [", "]}"],
        |_| &[("name", "x")],
    ),
    ("`links`", "spans.links", ["spans: {links: ", "}"], |_| &[]),
    ("`services[]`", "services[0]", ["services: [", "]"], |_| {
        &[("name", "a-{n}"), ("operations", "[{name: x}]")]
    }),
    (
        "`operations[]`",
        "services[0].operations[0]",
        ["services: [{name: a, operations: [", "]}]"],
        |_| &[("name", "x")],
    ),
    (
        "Attributes",
        "spans.attributes.k",
        ["spans: {attributes: {k: ", "}}"],
        |key| match key {
            "distribution" | "exponent" => &[("cardinality", "5"), ("distribution", "zipf")],
            "format" | "integer" => &[("cardinality", "5")],
            _ => &[],
        },
    ),
    (
        "`growing`",
        "spans.attributes.k.growing",
        ["spans: {attributes: {k: {growing: ", "}}}"],
        |_| &[],
    ),
    (
        "`values[]`",
        "spans.attributes.k.values[0]",
        ["spans: {attributes: {k: {values: [", "]}}}"],
        |_| &[("value", "x")],
    ),
    (
        "`by_status`",
        "spans.attributes.k.by_status",
        ["spans: {attributes: {k: {by_status: ", "}}}"],
        |_| &[("unset", "1"), ("ok", "1"), ("error", "1")],
    ),
    (
        "Distributions",
        "spans.latency",
        ["spans: {latency: ", "}"],
        |_| &[],
    ),
    (
        "`uniform`",
        "spans.latency.uniform",
        ["spans: {latency: {uniform: ", "}}"],
        |_| &[("max", "9s")],
    ),
    (
        "`log_normal`",
        "spans.latency.log_normal",
        ["spans: {latency: {log_normal: ", "}}"],
        |_| &[("median", "9ms")],
    ),
    (
        "`bimodal`",
        "spans.latency.bimodal",
        ["spans: {latency: {bimodal: ", "}}"],
        |_| &[("low", "1ms"), ("high", "9s")],
    ),
    (
        "`table[]`",
        "spans.latency.table[0]",
        ["spans: {latency: {table: [", "]}}"],
        |_| &[("value", "1ms")],
    ),
    (
        "`metrics[]`",
        "metrics[0]",
        ["metrics: [", "]"],
        |key| match key {
            "bounds" | "min_max" | "measurements" => {
                &[("name", "m"), ("value", "1"), ("type", "histogram")]
            }
            "scale" | "zero_threshold" => &[
                ("name", "m"),
                ("value", "1"),
                ("type", "exponential_histogram"),
            ],
            "quantiles" => &[("name", "m"), ("value", "1"), ("type", "summary")],
            _ => &[("name", "m"), ("value", "1"), ("type", "sum")],
        },
    ),
    ("`logs[]`", "logs[0]", ["logs: [", "]"], |_| {
        &[("body", "x")]
    }),
];

/// Heading -> key -> example, from the tables.
fn documented() -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let mut blocks: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let mut heading = "";
    for line in DOCUMENT.lines() {
        if let Some(text) = line.strip_prefix("## ") {
            heading = text;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", key, _, _, example, ""] = cells[..]
            && key.starts_with('`')
        {
            let examples = blocks.entry(heading).or_default();
            examples.insert(key.trim_matches('`'), example.trim_matches('`'));
        }
    }
    blocks
}

/// A scenario in which the block holds `key: example` and what it needs.
fn scenario(block: &Block, key: &str, example: &str) -> String {
    let (_, path, [before, after], needs) = block;
    let is_plain = !example.starts_with(['{', '[']) || example.starts_with("{service}");
    let is_text = is_plain && example.contains(['{', ':']);
    let example = if is_text {
        format!("'{example}'")
    } else {
        example.to_owned()
    };
    let mut entries = vec![format!("{key}: {example}")];
    for (needed, value) in needs(key) {
        if *needed != key {
            let value = value.replace("a-{n}", "'a-{n}'");
            entries.push(format!("{needed}: {value}"));
        }
    }
    let block = format!("{{{}}}", entries.join(", "));
    if path.is_empty() {
        return block;
    }
    let services = if before.starts_with("services") {
        String::new()
    } else {
        format!("services: {SERVICES}, ")
    };
    format!("{{{services}{before}{block}{after}}}")
}

#[test]
fn every_key_is_documented_with_an_example_that_is_read() {
    let documented = documented();
    let headings: BTreeSet<&str> = BLOCKS.iter().map(|block| block.0).collect();
    assert_eq!(headings, documented.keys().copied().collect());
    for block in &BLOCKS {
        let (heading, path, ..) = block;
        let mut wanted: BTreeSet<&str> = documented[heading].keys().copied().collect();
        if *heading == "`operations[]`" {
            wanted.extend(documented["`spans`"].keys());
        }
        for (key, example) in &documented[heading] {
            let text = scenario(block, key, example);
            let (read, known) = read_all(&text, Scenario::read_keys);
            if let Err(report) = read {
                panic!("{heading}, `{key}`: {report}");
            }
            let known = known.iter().find(|(read, _)| read == path);
            let (_, known) = known.unwrap_or_else(|| panic!("{path} in {text}"));
            assert_eq!(
                known.iter().copied().collect::<BTreeSet<_>>(),
                wanted,
                "{heading}"
            );
        }
    }
}

#[test]
fn whole_examples_are_read() {
    let blocks = DOCUMENT.split("```yaml\n").skip(1);
    let examples: Vec<&str> = blocks
        .map(|block| block.split("```").next().expect("text before the end"))
        .collect();
    assert_eq!(examples.len(), 1);
    for example in examples {
        if let Err(report) = read_all(example, Scenario::read_keys).0 {
            panic!("{report}");
        }
    }
}
