//! The connector and the store agree with a version that looks at one row at a time.
//!
//! The twin follows the specification: it makes the attributes of every span and event anew, decides
//! buckets by comparing floats, and adds to a map under what a reader would see. It shares no code
//! with the connector but the text of a value.
#![allow(
    clippy::cast_precision_loss,
    reason = "the twin rounds where the Collector rounds"
)]

mod spanmetrics_support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use spanmetrics_support::{Attributes, SpanRow, batch, dimension, find, resource, text};
use spanmill::batch::any_value::{Value, encode, read};
use spanmill::batch::{TraceLayout, value_text};
use spanmill::connectors::spanmetrics::options::{
    Dimension, HistogramOptions, SpanMetricsOptions, Unit,
};
use spanmill::connectors::spanmetrics::{Observed, SpanMetrics};
use spanmill::naming::stream::SeriesIdentity;
use spanmill::store::folder::{Folder, StoreSpec};
use spanmill::store::handover::handover;
use spanmill::store::snapshot::{CHUNK_CELLS, TableSnapshot};
use spanmill::store::window::{Layout, OwnerId, TableId};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;
/// Resource and data point attributes -> counters, or sum and buckets.
type Seen = BTreeMap<(Pairs, Pairs), (u128, Vec<u64>)>;

struct Twin<'a> {
    options: &'a SpanMetricsOptions,
    spans: Seen,
    events: Seen,
    observed: Observed,
}

impl Twin<'_> {
    fn observe(&mut self, resources: &[Attributes], spans: &[SpanRow]) {
        for span in spans {
            let of_resource = &resources[span.resource];
            let Some(service) = find(of_resource, b"service.name") else {
                self.observed.no_service_name += 1;
                continue;
            };
            let mut built_ins = Vec::new();
            let service = match read(service) {
                Value::Str(name) => name.to_vec(),
                _ => Vec::new(),
            };
            let kinds = [
                "UNSPECIFIED",
                "INTERNAL",
                "SERVER",
                "CLIENT",
                "PRODUCER",
                "CONSUMER",
            ];
            let kind = usize::try_from(span.kind)
                .ok()
                .and_then(|kind| kinds.get(kind));
            let kind = kind.map_or(String::new(), |kind| format!("SPAN_KIND_{kind}"));
            let statuses = ["UNSET", "OK", "ERROR"];
            let status = usize::try_from(span.status)
                .ok()
                .and_then(|at| statuses.get(at));
            let status = status.map_or(String::new(), |status| format!("STATUS_CODE_{status}"));
            for (key, text) in [
                ("service.name", service),
                ("span.name", span.name.clone()),
                ("span.kind", kind.into_bytes()),
                ("status.code", status.into_bytes()),
            ] {
                if !self.options.exclude_dimensions.iter().any(|out| out == key) {
                    built_ins.push((key.as_bytes().to_vec(), text));
                }
            }
            let mut point = built_ins.clone();
            let lookup = [&span.attributes, of_resource];
            add_dimensions(&mut point, &self.options.dimensions, &lookup);
            let (sum, buckets) = self.spans.entry((texts(of_resource), point)).or_default();
            match &self.options.histogram {
                None => add(buckets, 1, 0),
                Some(histogram) => {
                    let duration = span.end.saturating_sub(span.start);
                    *sum += u128::from(duration);
                    add(
                        buckets,
                        histogram.bounds_ns.len() + 1,
                        bucket(histogram, duration),
                    );
                }
            }
            self.observed.spans += 1;
            for event in &span.events {
                let Some(of_events) = &self.options.events else {
                    continue;
                };
                let mut point = built_ins.clone();
                let lookup = [&span.attributes, event, of_resource];
                add_dimensions(&mut point, &self.options.dimensions, &lookup);
                add_dimensions(&mut point, of_events, &lookup);
                let (_, counts) = self.events.entry((texts(of_resource), point)).or_default();
                add(counts, 1, 0);
                self.observed.events += 1;
            }
        }
    }
}

fn add(counts: &mut Vec<u64>, words: usize, at: usize) {
    counts.resize(words, 0);
    counts[at] += 1;
}

fn texts(attributes: &Attributes) -> Pairs {
    let pairs = attributes.iter();
    pairs
        .map(|(key, value)| (key.clone().into_bytes(), value_text::text(read(value))))
        .collect()
}

fn add_dimensions(point: &mut Pairs, dimensions: &[Dimension], lookup: &[&Attributes]) {
    for Dimension { name, default } in dimensions {
        let found = lookup
            .iter()
            .find_map(|attributes| find(attributes, name.as_bytes()));
        let value = match (found, default) {
            (Some(value), _) => value_text::text(read(value)),
            (None, Some(default)) => default.clone().into_bytes(),
            (None, None) => continue,
        };
        match point.iter_mut().find(|(key, _)| key == name.as_bytes()) {
            Some((_, text)) => *text = value,
            None => point.push((name.clone().into_bytes(), value)),
        }
    }
}

/// The first bound that is not below the value, as a lower-bound binary search over floats finds it.
fn bucket(histogram: &HistogramOptions, duration_ns: u64) -> usize {
    let nanos = match histogram.unit {
        Unit::Milliseconds => 1e6,
        Unit::Seconds => 1e9,
    };
    let value = duration_ns as f64 / nanos;
    let (mut low, mut high) = (0, histogram.bounds_ns.len());
    while low < high {
        let middle = low.midpoint(high);
        if histogram.bounds_ns[middle] as f64 / nanos >= value {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

fn pairs(identity: &SeriesIdentity) -> (Pairs, Pairs) {
    let of = |attributes: &[spanmill::naming::stream::Attribute]| {
        let pairs = attributes.iter();
        pairs
            .map(|pair| (pair.key.clone(), pair.text.clone()))
            .collect()
    };
    (of(&identity.resource), of(&identity.attributes))
}

/// What a reader sees of a table; identities that read alike are added up.
fn seen(
    table: &TableSnapshot,
    describe: &(dyn Fn(&[u8], &[u8]) -> SeriesIdentity + Send + Sync),
) -> Seen {
    let mut seen = Seen::new();
    let words = table.layout.words();
    for chunk in &table.chunks {
        assert_eq!(
            (chunk.cells.len(), chunk.rows.len()),
            (CHUNK_CELLS, CHUNK_CELLS * words)
        );
        for (cell, row) in chunk.cells.iter().zip(chunk.rows.chunks_exact(words)) {
            let Some(identity) = &cell.identity else {
                continue;
            };
            let series = pairs(&describe(&identity.resource, &identity.key));
            let (sum, counts) = seen.entry(series).or_default();
            let row = match table.layout {
                Layout::Counter => row,
                Layout::Histogram { .. } => {
                    *sum += u128::from(row[0]) | u128::from(row[1]) << 64;
                    &row[2..]
                }
            };
            counts.resize(row.len(), 0);
            counts
                .iter_mut()
                .zip(row)
                .for_each(|(count, more)| *count += more);
        }
    }
    seen
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop_oneof!["", "a", "b", "text of more than twelve bytes"].prop_map(|it| text(&it)),
        1 => Just(Vec::new()),
        1 => (0_i64..3).prop_map(|int| encode(Value::Int(int))),
        1 => Just(encode(Value::Bool(true))),
    ]
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let keys = prop_oneof!["a", "b", "c", "d", "span.name", "not asked for"];
    proptest::collection::btree_map(keys, value(), 0..4).prop_map(|it| it.into_iter().collect())
}

fn resource_attributes() -> impl Strategy<Value = Attributes> {
    let service = proptest::option::weighted(0.8, value());
    (service, attributes()).prop_map(|(service, mut attributes)| {
        if let Some(service) = service {
            attributes.push(("service.name".to_owned(), service));
        }
        attributes
    })
}

fn span(resources: usize) -> impl Strategy<Value = SpanRow> {
    let nanos = || prop_oneof![0_u64..20_000_000, any::<u64>(), Just(0), Just(5_000_000)];
    let names = prop_oneof!["", "GET", "a name of more than twelve bytes"];
    let events = proptest::collection::vec(attributes(), 0..3);
    (
        0..resources,
        names,
        -1..8,
        -1..4,
        nanos(),
        nanos(),
        attributes(),
        events,
    )
        .prop_map(
            |(resource, name, kind, status, start, end, attributes, events)| SpanRow {
                resource,
                name: name.into_bytes(),
                kind,
                status,
                start,
                end,
                attributes,
                events,
            },
        )
}

fn dimensions() -> impl Strategy<Value = Vec<Dimension>> {
    let default = proptest::option::of(prop_oneof!["", "default"]);
    let names = prop_oneof!["a", "b", "c", "d"];
    proptest::collection::btree_map(names, default, 0..4).prop_map(|it| {
        let dimensions = it.iter();
        dimensions
            .map(|(name, default)| dimension(name, default.as_deref()))
            .collect()
    })
}

fn options() -> impl Strategy<Value = SpanMetricsOptions> {
    let built_ins = vec!["service.name", "span.name", "span.kind", "status.code"];
    let excluded = proptest::sample::subsequence(built_ins, 0..=4);
    let bound = prop_oneof![
        -5_i64..30_000_000,
        Just(5_000_000),
        any::<i64>(),
        (0_u32..63).prop_map(|octave| 1 << octave),
    ];
    let bounds = proptest::collection::vec(bound, 0..9);
    let bounds = (bounds, any::<bool>()).prop_map(|(mut bounds, sorted)| {
        if sorted {
            bounds.sort_unstable();
        }
        bounds
    });
    let unit = prop_oneof![Just(Unit::Milliseconds), Just(Unit::Seconds)];
    let histogram =
        (unit, bounds).prop_map(|(unit, bounds_ns)| HistogramOptions { unit, bounds_ns });
    let histogram = proptest::option::weighted(0.9, histogram);
    let events = proptest::option::of(dimensions());
    (excluded, histogram, dimensions(), events).prop_map(
        |(excluded, histogram, dimensions, events)| SpanMetricsOptions {
            namespace: String::new(),
            dimensions,
            exclude_dimensions: excluded.into_iter().map(str::to_owned).collect(),
            histogram,
            events,
            flush_interval: Duration::from_mins(1),
            metrics_expiration: None,
            resources_max: 1_000,
        },
    )
}

/// Resources and spans of one batch, and which worker gets it.
type Load = (Vec<Attributes>, Vec<SpanRow>, usize);

fn load() -> impl Strategy<Value = Load> {
    let resources = proptest::collection::vec(resource_attributes(), 1..4);
    resources.prop_flat_map(|resources| {
        let spans = proptest::collection::vec(span(resources.len()), 0..40);
        (Just(resources), spans, 0_usize..2)
    })
}

fn check(options: &SpanMetricsOptions, loads: &[Load]) {
    let connector = SpanMetrics::new(options.clone());
    // Batches carry more than this connector asks for, in another order.
    let mut carried = spanmill::batch::TraceColumns {
        name: true,
        times: true,
        span_attributes: vec![b"d".to_vec()],
        ..Default::default()
    };
    carried.merge(&connector.columns());
    let layout = Arc::new(TraceLayout::new(carried));
    let tables = connector.tables(OwnerId(0));
    let table_count = tables.len();
    let mut folder = Folder::new(StoreSpec {
        workers: 2,
        owners: vec![connector.owner(false)],
        tables,
        series_max: StoreSpec::SERIES_MAX,
        series_bytes_max: StoreSpec::SERIES_BYTES_MAX,
        groups_max: StoreSpec::GROUPS_MAX,
    });
    let mut workers = [0, 1].map(|_| {
        let grouper = connector.grouper(Arc::clone(&layout), OwnerId(0), TableId(0));
        (handover(table_count), grouper)
    });
    let mut twin = Twin {
        options,
        spans: Seen::new(),
        events: Seen::new(),
        observed: Observed::default(),
    };
    let mut observed = Observed::default();
    for (at, (resources, spans, worker)) in loads.iter().enumerate() {
        twin.observe(resources, spans);
        let bytes: Vec<Vec<u8>> = resources.iter().map(resource).collect();
        let ((side, folder_side), grouper) = &mut workers[*worker];
        let batch = batch(&layout, &bytes, spans);
        let more = grouper.observe(&batch, &mut side.take(), 1_000);
        observed.spans += more.spans;
        observed.events += more.events;
        observed.no_service_name += more.no_service_name;
        if at % 3 == 0 {
            let window = folder_side.collect().expect("an idle worker");
            folder.fold(*worker, &window);
            folder_side.give_back(window);
        }
    }
    for (worker, ((_, folder_side), _)) in workers.iter_mut().enumerate() {
        let window = folder_side.collect().expect("an idle worker");
        folder.fold(worker, &window);
        folder_side.give_back(window);
    }
    assert_eq!(observed, twin.observed);
    let snapshot = folder.snapshot(2_000);
    let streams = connector.streams();
    assert_eq!(streams.len(), snapshot.tables.len());
    assert_eq!(seen(&snapshot.tables[0], &*streams[0].describe), twin.spans);
    if options.events.is_some() {
        assert_eq!(
            seen(&snapshot.tables[1], &*streams[1].describe),
            twin.events
        );
    }
}

proptest! {
    #[test]
    fn connector_and_twin_agree(
        options in options(),
        loads in proptest::collection::vec(load(), 1..6),
    ) {
        check(&options, &loads);
    }
}

/// More rows than a block, so that blocks meet.
#[test]
fn blocks_of_rows_meet_without_a_seam() {
    let options = spanmetrics_support::guide_options();
    let resources = vec![vec![("service.name".to_owned(), text("shop"))], Vec::new()];
    for rows in [0, 1, 63, 64, 65, 255, 256, 257, 1_000] {
        let mut spans = spanmetrics_support::guide_rows(rows, 50, 7);
        for (at, span) in spans.iter_mut().enumerate() {
            span.resource = usize::from(at % 5 == 4);
        }
        check(&options, &[(resources.clone(), spans, 0)]);
    }
}
