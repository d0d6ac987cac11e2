//! A scrape from snapshot to body, per line, beside the obvious version and the floor.
//!
//! The labels are those of the guide's configuration (about 530 bytes a line, 13 lines a label set).
//! `naive` formats every line from its parts; `copy` only copies the text that comes out. What is
//! measured goes through the request handler: negotiation, view, rendering, body.

mod guide_scrape;

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use guide_scrape::exporter_support::{OPEN_METRICS, TEXT};
use guide_scrape::{BOUNDS_MS, LINES, body, guide, words};

/// One label set as parts.
struct Parts {
    labels: Vec<(String, String)>,
    words: Vec<u64>,
}

/// The labels as they were read off a text, in its order.
fn parts(text: &str, label_sets: usize) -> Vec<Parts> {
    let by_span: std::collections::HashMap<String, usize> = (0..label_sets)
        .map(|index| (format!("GET /cart/{{id}}/items/{index}"), index))
        .collect();
    text.lines()
        .filter(|line| line.starts_with("acs_traces_span_metrics_calls{"))
        .map(|line| {
            let labels = line
                .split_once('{')
                .unwrap()
                .1
                .rsplit_once("\"}")
                .unwrap()
                .0;
            let labels: Vec<(String, String)> = labels
                .split("\",")
                .map(|label| label.split_once("=\"").unwrap())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let span = &labels
                .iter()
                .find(|(name, _)| name == "span_name")
                .unwrap()
                .1;
            Parts {
                words: words(by_span[span]),
                labels,
            }
        })
        .collect()
}

fn naive(sets: &[Parts]) -> String {
    let mut out = String::new();
    let labels = |set: &Parts| {
        let labels = set.labels.iter();
        let labels = labels.map(|(name, value)| format!("{name}=\"{}\"", value.escape_default()));
        labels.collect::<Vec<_>>().join(",")
    };
    for name in ["calls", "duration"] {
        let name = format!("acs_traces_span_metrics_{name}");
        let kind = if name.ends_with("calls") {
            "counter"
        } else {
            "histogram"
        };
        let _ = write!(out, "# HELP {name} \n# TYPE {name} {kind}\n");
        for set in sets {
            let total: u64 = set.words[2..].iter().sum();
            if name.ends_with("calls") {
                let _ = writeln!(out, "{name}{{{}}} {total}", labels(set));
                continue;
            }
            let mut cumulative = 0;
            for (bound, count) in BOUNDS_MS.iter().zip(&set.words[2..]) {
                cumulative += count;
                let labels = labels(set);
                let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {cumulative}");
            }
            let _ = writeln!(out, "{name}_bucket{{{},le=\"+Inf\"}} {total}", labels(set));
            #[allow(clippy::cast_precision_loss, reason = "small and exact")]
            let sum = set.words[0] as f64 / 1e6;
            let _ = writeln!(out, "{name}_sum{{{}}} {sum}", labels(set));
            let _ = writeln!(out, "{name}_count{{{}}} {total}", labels(set));
        }
    }
    out
}

fn scrape(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for label_sets in [10_000 / LINES, 100_000 / LINES] {
        let (plain, _) = guide(label_sets, false);
        let text = plain.text();
        let lines = text.lines().count() - 4;
        assert_eq!(lines, label_sets * LINES);
        println!("{} bytes a line", text.len() / lines);
        let sets = parts(&text, label_sets);
        assert!(
            naive(&sets) == text,
            "the naive version says something else"
        );
        let (timed, _) = guide(label_sets, true);

        let mut group = c.benchmark_group(format!("scrape/{lines}_lines"));
        group.throughput(Throughput::Elements(lines as u64));
        group.sample_size(20);
        for (name, harness, accept, gzip) in [
            ("text", &plain, TEXT, false),
            ("open_metrics", &plain, OPEN_METRICS, false),
            ("open_metrics_timestamps", &timed, OPEN_METRICS, false),
            ("text_gzip", &plain, TEXT, true),
            ("open_metrics_timestamps_gzip", &timed, OPEN_METRICS, true),
        ] {
            let bytes = runtime.block_on(body(harness, accept, gzip));
            println!("{name}: {bytes} bytes");
            group.bench_function(name, |b| {
                b.iter(|| runtime.block_on(body(harness, accept, gzip)));
            });
        }
        group.bench_function("naive_text", |b| b.iter(|| naive(&sets)));
        group.bench_function("floor_copy", |b| {
            let mut piece = Vec::with_capacity(64 * 1024);
            b.iter(|| {
                for bytes in text.as_bytes().chunks(64 * 1024) {
                    piece.clear();
                    piece.extend_from_slice(bytes);
                    black_box(&piece);
                }
            });
        });
        group.finish();
    }
}

/// Resident memory, bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse::<usize>()
        .unwrap()
        * 1024
}

/// What a view keeps for each label set, beside the text of its labels.
fn print_view_memory() {
    const LABEL_SETS: usize = 50_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (harness, snapshot) = guide(LABEL_SETS, false);
    let before = resident();
    runtime.block_on(body(&harness, TEXT, false));
    let view = (resident() - before) / LABEL_SETS;
    drop(snapshot);
    let line = harness.text().lines().nth(2).unwrap().len();
    println!("view: {view} bytes a label set of {line} bytes a line");
}

fn births(c: &mut Criterion) {
    print_view_memory();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut group = c.benchmark_group("scrape_births");
    for label_sets in [1_000, 10_000] {
        group.throughput(Throughput::Elements(label_sets as u64));
        group.sample_size(10);
        // The first scrape of a fresh view, less what a second one costs, is the births.
        group.bench_function(format!("first_scrape/{label_sets}_label_sets"), |b| {
            b.iter_batched_ref(
                || guide(label_sets, false).0,
                |harness| runtime.block_on(body(harness, TEXT, false)),
                criterion::BatchSize::PerIteration,
            );
        });
        let (harness, _) = guide(label_sets, false);
        group.bench_function(format!("second_scrape/{label_sets}_label_sets"), |b| {
            b.iter(|| runtime.block_on(body(&harness, TEXT, false)));
        });
    }
    group.finish();
}

criterion_group!(benches, scrape, births);
criterion_main!(benches);
