//! A scrape from snapshot to body, per line, beside the obvious version and the floor.
//!
//! The labels are those of the guide's configuration (about 530 bytes a line, 13 lines a label set).
//! `naive` formats every line from its parts; `copy` only copies the text that comes out. What is
//! measured goes through the request handler: negotiation, view, rendering, body.

#[path = "../tests/exporter_support/mod.rs"]
mod exporter_support;

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exporter_support::{
    Harness, OPEN_METRICS, Pairs, TEXT, Table, count, histogram_ms, options, pairs, snapshot,
    stream,
};
use http::Request;
use http_body_util::BodyExt;
use spanmill::exporters::prometheus::Source;
use spanmill::store::snapshot::Snapshot;
use spanmill::store::window::Layout;

const BOUNDS_MS: [f64; 9] = [1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10000.0];
const LINES: usize = 13;
const T: u64 = 1_700_000_000_000;

fn resource() -> Pairs {
    pairs(&[
        ("service.name", "checkout"),
        ("service.namespace", "shop"),
        ("host.name", "ip-10-20-30-40.eu-central-1.compute.internal"),
        ("k8s.pod.name", "checkout-6c9b8d5f7-x2x5p"),
        ("k8s.namespace.name", "shop-production"),
        ("telemetry.sdk.language", "java"),
        ("deployment.environment", "production"),
    ])
}

fn key(index: usize) -> Pairs {
    pairs(&[
        ("service.name", "checkout"),
        ("span.name", &format!("GET /cart/{{id}}/items/{index}")),
        ("span.kind", "SPAN_KIND_SERVER"),
        ("status.code", "STATUS_CODE_UNSET"),
        ("http.method", "GET"),
        ("http.response.status_code", "200"),
        ("http.route", "/cart/{id}/items/{item}"),
    ])
}

fn words(index: usize) -> Vec<u64> {
    let index = index as u64;
    let mut words = vec![index * 1_234_567 + 890_123, 0];
    words.extend((0..10).map(|bucket| (index * 31 + bucket * 7) % 5000));
    words
}

fn guide(label_sets: usize, timestamps: bool) -> (Harness, Snapshot) {
    let mut options = options();
    "acs".clone_into(&mut options.namespace);
    options.const_labels = vec![("label1".to_owned(), "value1".to_owned())];
    options.send_timestamps = timestamps;
    options.add_metric_suffixes = false;
    options.resource_to_telemetry_conversion = true;
    options.start_at_zero = false;
    let stream = stream(vec![
        count("traces.span.metrics.calls"),
        histogram_ms("traces.span.metrics.duration", &BOUNDS_MS),
    ]);
    let harness = Harness::new(options, false, vec![Source { table: 0, stream }]);
    let mut tables = [Table::new(Layout::Histogram { buckets: 10 })];
    let resource = resource();
    for index in 0..label_sets {
        tables[0].born(&resource, &key(index), words(index), T);
    }
    let snapshot = snapshot(T, 5, &mut tables);
    harness.show(snapshot.clone());
    (harness, snapshot)
}

async fn body(harness: &Harness, accept: &str, gzip: bool) -> usize {
    let mut request = Request::get("/metrics").header("accept", accept);
    if gzip {
        request = request.header("accept-encoding", "gzip");
    }
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let answer = (harness.exporter.handler())(request.body(()).unwrap(), peer).await;
    let mut body = answer.response.into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += black_box(frame.unwrap().into_data().unwrap()).len();
    }
    bytes
}

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
