//! What is decoded from the bytes is consistent in itself, and what the totals say.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint,
};

use super::*;
use crate::generate::LoadOptions;
use crate::generate::load::Load;
use crate::generate::oracle;
use crate::generate::scenario::{metrics, tests::read};
use crate::generate::signal::Signal;

mod properties;

const NOW_NS: u64 = 1_700_000_000_000_000_000;

pub(super) fn world_of(metrics: &[Metric], points_per_request: u32) -> Arc<World> {
    let options = LoadOptions {
        services: 2,
        resources: 2,
        ..LoadOptions::default()
    };
    let load = Load::new(options);
    Arc::new(World::new(metrics, &load.resources, points_per_request, 7))
}

fn world(text: &str, points_per_request: u32) -> Arc<World> {
    let metrics = read(text, metrics::read).unwrap().expect("given");
    world_of(&metrics, points_per_request)
}

pub(super) fn request(
    maker: &mut Maker,
    number: u64,
    items: u32,
) -> (ExportMetricsServiceRequest, Content) {
    let mut bytes = Vec::new();
    let content = maker.make(number, items, NOW_NS, &mut bytes);
    (oracle::decode(Signal::Metrics, &bytes), content)
}

/// A decoded point, as far as all types have the same.
#[derive(Clone, Debug)]
struct Seen {
    name: String,
    /// Resource and attributes.
    series: String,
    start: u64,
    time: u64,
    has_value: bool,
    sum: f64,
    count: u64,
    is_delta: bool,
}

/// Every point of a request, checked for what its type promises.
fn seen(request: &ExportMetricsServiceRequest) -> Vec<Seen> {
    let mut points = Vec::new();
    for resource in &request.resource_metrics {
        let pod = format!("{:?}", resource.resource);
        let metrics = resource
            .scope_metrics
            .iter()
            .flat_map(|scope| &scope.metrics);
        for metric in metrics {
            let mut push = |attributes: &[KeyValue], times: [u64; 2], flags, sum, count, delta| {
                points.push(Seen {
                    name: metric.name.clone(),
                    series: format!("{pod}{attributes:?}"),
                    start: times[0],
                    time: times[1],
                    has_value: flags == 0,
                    sum,
                    count,
                    is_delta: delta == 1,
                });
            };
            match metric.data.as_ref().expect("a metric has a type") {
                Data::Gauge(gauge) => gauge.data_points.iter().for_each(|p| {
                    let times = [p.start_time_unix_nano, p.time_unix_nano];
                    push(&p.attributes, times, p.flags, number(p), 0, 0);
                }),
                Data::Sum(sum) => sum.data_points.iter().for_each(|p| {
                    let times = [p.start_time_unix_nano, p.time_unix_nano];
                    let delta = sum.aggregation_temporality;
                    push(&p.attributes, times, p.flags, number(p), 0, delta);
                }),
                Data::Histogram(histogram) => histogram.data_points.iter().for_each(|p| {
                    check_histogram(p);
                    let times = [p.start_time_unix_nano, p.time_unix_nano];
                    let delta = histogram.aggregation_temporality;
                    let sum = p.sum.unwrap_or(0.0);
                    push(&p.attributes, times, p.flags, sum, p.count, delta);
                }),
                Data::ExponentialHistogram(histogram) => {
                    histogram.data_points.iter().for_each(|p| {
                        check_exponential(p);
                        let times = [p.start_time_unix_nano, p.time_unix_nano];
                        let delta = histogram.aggregation_temporality;
                        let sum = p.sum.unwrap_or(0.0);
                        push(&p.attributes, times, p.flags, sum, p.count, delta);
                    });
                }
                Data::Summary(summary) => summary.data_points.iter().for_each(|p| {
                    let times = [p.start_time_unix_nano, p.time_unix_nano];
                    let values = p.quantile_values.iter().map(|q| q.value);
                    assert!(values.is_sorted(), "{p:?}");
                    push(&p.attributes, times, p.flags, p.sum, p.count, 0);
                }),
            }
        }
    }
    points
}

fn number(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(Number::AsDouble(value)) => value,
        Some(Number::AsInt(value)) => value as f64,
        None => {
            assert_eq!(point.flags, 1);
            0.0
        }
    }
}

fn check_histogram(point: &HistogramDataPoint) {
    if point.flags == 1 {
        assert_eq!(
            (point.count, point.sum, point.bucket_counts.len()),
            (0, None, 0)
        );
        return;
    }
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
    if let (Some(min), Some(max)) = (point.min, point.max) {
        let of = |value: f64| {
            point
                .explicit_bounds
                .partition_point(|bound| *bound < value)
        };
        let first = point.bucket_counts.iter().position(|count| *count > 0);
        let last = point.bucket_counts.iter().rposition(|count| *count > 0);
        assert_eq!((first, last), (Some(of(min)), Some(of(max))), "{point:?}");
    }
    for exemplar in &point.exemplars {
        assert_eq!((exemplar.trace_id.len(), exemplar.span_id.len()), (16, 8));
    }
}

fn check_exponential(point: &ExponentialHistogramDataPoint) {
    if point.flags == 1 {
        assert_eq!((point.count, point.sum), (0, None));
        return;
    }
    let counted = |buckets: &Option<Buckets>| {
        let counts = buckets.iter().flat_map(|buckets| &buckets.bucket_counts);
        counts.sum::<u64>()
    };
    let (positive, negative) = (counted(&point.positive), counted(&point.negative));
    assert_eq!(positive + negative + point.zero_count, point.count);
    if let (Some(max), Some(buckets)) = (point.max, &point.positive) {
        // The last bucket holds the greatest value.
        let last = buckets.offset + buckets.bucket_counts.len() as i32 - 1;
        let width = f64::from(-point.scale).exp2();
        let (low, high) = (f64::from(last) * width, f64::from(last + 1) * width);
        let at = max.log2();
        assert!(low - 1e-9 < at && at <= high + 1e-9, "{low} {at} {high}");
    }
}

/// What a target must show for all these points, by metric.
fn expected(points: &[Seen]) -> BTreeMap<String, MetricTotals> {
    let mut last: BTreeMap<(&str, &str), &Seen> = BTreeMap::new();
    let mut totals: BTreeMap<String, MetricTotals> = BTreeMap::new();
    for point in points {
        let totals = totals.entry(point.name.clone()).or_default();
        totals.points += 1;
        if !point.has_value {
            totals.without_value += 1;
            continue;
        }
        if point.is_delta {
            totals.sum += point.sum;
            totals.count += point.count;
        }
        let newest = last.entry((&point.name, &point.series)).or_insert(point);
        if newest.time < point.time {
            *newest = point;
        }
    }
    for ((name, _), point) in last {
        let totals = totals.get_mut(name).unwrap();
        totals.series += 1;
        if !point.is_delta {
            totals.sum += point.sum;
            totals.count += point.count;
        }
    }
    totals
}

/// Sends so many requests and holds what is decoded against the totals.
pub(super) fn compare(world: &Arc<World>, requests: u64, items: u32) {
    let mut totals = Totals::new(world);
    let mut points = Vec::new();
    let mut makers = [Maker::new(world), Maker::new(world)];
    for number in 0..requests {
        // Two threads, not quite in order.
        let number = number ^ 1;
        let (request, content) = request(&mut makers[(number % 3 % 2) as usize], number, items);
        let mut decoded = seen(&request);
        assert_eq!(decoded.len(), items as usize);
        points.append(&mut decoded);
        totals.add(content, 1);
    }
    assert_eq!(totals.points(), points.len() as u64);
    let expected = expected(&points);
    for (metric, totals) in world.metrics().zip(totals.metrics()) {
        let Some(expected) = expected.get(&metric.name) else {
            assert_eq!(totals, MetricTotals::default(), "{}", metric.name);
            continue;
        };
        let has_sum = expected.sum != 0.0;
        let tolerance = 1e-9 * expected.sum.abs().max(1.0);
        assert!(
            !has_sum || (expected.sum - totals.sum).abs() <= tolerance,
            "{}: {expected:?} {totals:?}",
            metric.name
        );
        let rest = MetricTotals {
            sum: expected.sum,
            ..totals
        };
        assert_eq!(rest, *expected, "{}", metric.name);
    }
}

#[test]
fn built_in_metrics_are_what_the_totals_say() {
    let world = world_of(&metrics::built_in(), 100);
    assert_eq!(world.series(), 4 * (3 + 6 + 2 + 2 + 12 + 2 + 3 + 2 + 2));
    // Several times around, and beyond the intervals that are drawn.
    compare(&world, 100, 100);
}

#[test]
fn a_cumulative_series_holds_the_sum_of_its_deltas() {
    let text = |temporality: &str| {
        format!(
            "metrics:
  - {{name: s, type: sum, value: {{uniform: {{max: 9}}}}, temporality: {temporality}}}
  - {{name: u, type: sum, monotonic: false, number: int, value: {{uniform: {{min: -9, max: 9}}}},
      temporality: {temporality}}}
  - {{name: h, type: histogram, value: {{uniform: {{max: 9}}}}, temporality: {temporality}}}
  - {{name: e, type: exponential_histogram, value: {{uniform: {{max: 9}}}},
      temporality: {temporality}}}
"
        )
    };
    let totals = |temporality: &str| {
        let world = world(&text(temporality), 16);
        let mut totals = Totals::new(&world);
        for number in 0..200 {
            let content = Content { number, points: 16 };
            totals.add(content, 1);
        }
        totals.metrics()
    };
    let (cumulative, delta) = (totals("cumulative"), totals("delta"));
    assert_eq!(cumulative, delta);
    assert!(cumulative.iter().all(|totals| totals.sum != 0.0));
}

#[test]
fn deltas_follow_on_each_other_and_cumulative_points_begin_with_the_process() {
    let text = "metrics:
  - {name: d, type: sum, temporality: delta, value: 1}
  - {name: c, type: sum, value: 1}
  - {name: n, type: sum, value: 1, start_time: false}
";
    // Four resources: one interval a request.
    let mut maker = Maker::new(&world(text, 12));
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let mut first = None;
    for number in 0..10 {
        for point in seen(&request(&mut maker, number, 12).0) {
            let begin = *first.get_or_insert(point.start);
            match point.name.as_str() {
                "d" => {
                    let before = ends.insert(point.series, point.time);
                    assert_eq!(point.start, before.unwrap_or(begin));
                }
                "c" => {
                    assert_eq!(point.start, begin);
                    assert!((point.sum - (number + 1) as f64).abs() < 1e-9);
                }
                _ => assert_eq!(point.start, 0),
            }
            assert!(point.start < point.time);
        }
    }
    assert_eq!(ends.len(), 4);
}

#[test]
fn the_same_number_gives_the_same_request_in_any_thread() {
    let one = world_of(&metrics::built_in(), 50);
    let other = world_of(&metrics::built_in(), 50);
    let (mut first, mut second) = (Maker::new(&one), Maker::new(&other));
    for number in 0..40 {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        first.make(number, 50, NOW_NS, &mut left);
        second.make(number, 50, NOW_NS, &mut right);
        assert_eq!(left, right);
    }
}

#[test]
fn a_growing_attribute_replaces_its_series() {
    let text = "metrics:
  - name: g
    type: sum
    value: 1
    attributes: {pod: {growing: {start: 3, per_million: 100000}}}
";
    let world = world(text, 12);
    compare(&world, 50, 12);
    let mut totals = Totals::new(&world);
    for number in 0..50 {
        totals.add(Content { number, points: 12 }, 1);
    }
    // One of ten points is the first of a new series; none lives longer than ten intervals.
    let [metric] = totals.metrics()[..] else {
        panic!("one metric");
    };
    assert!((60..=84).contains(&metric.series), "{metric:?}");
    assert!(metric.sum <= 10.0 * metric.series as f64);
}

#[test]
fn points_without_a_value_say_so_and_do_not_count() {
    let text = "metrics:
  - {name: c, type: sum, value: 1, no_value: 0.5}
  - {name: d, type: histogram, temporality: delta, value: 1, no_value: 0.5}
  - {name: e, type: exponential_histogram, value: 1, no_value: 0.5}
";
    let world = world(text, 12);
    compare(&world, 60, 12);
    let mut totals = Totals::new(&world);
    totals.add(
        Content {
            number: 0,
            points: 720,
        },
        1,
    );
    for totals in totals.metrics() {
        assert!((60..180).contains(&totals.without_value), "{totals:?}");
    }
}

#[test]
fn services_have_the_metrics_that_name_them() {
    let text = "metrics:
  - {name: a, type: gauge, value: 1, services: [nobody]}
  - {name: b, type: gauge, value: 1, services: [checkout]}
";
    let world = world(text, 2);
    assert_eq!(world.series(), 2);
    compare(&world, 10, 2);
    let empty = world_of(&[], 2);
    assert_eq!(
        request(&mut Maker::new(&empty), 0, 2).0.resource_metrics,
        []
    );
}

#[test]
fn totals_of_threads_add_up_to_those_of_one() {
    let world = world_of(&metrics::built_in(), 30);
    let mut whole = Totals::new(&world);
    let mut parts = [Totals::new(&world), Totals::new(&world)];
    for number in 0..90 {
        let content = Content { number, points: 30 };
        whole.add(content, 1);
        parts[(number % 2) as usize].add(content, 1);
    }
    let [mut one, other] = parts;
    one.merge(&other);
    assert_eq!(one.metrics(), whole.metrics());
    assert_eq!(one.json(), whole.json());
}
