//! Points in, the bytes of an `ExportMetricsServiceRequest` out.
//!
//! Neighbours of one resource, scope and metric share what they have in common, as SDKs and the
//! Collector's batches send them. A message's length is written when its end is known.

use super::instrument::{
    Buckets, COUNT, Counted, Instrument, Measured, SUM, ZERO, explicit_buckets,
};
use super::intervals::Times;
use super::plan::{Kind, Metric, Number};
use super::round::Span;
use super::world::{EXEMPLARS, Point, World};
use super::{dimension, recorded};
use crate::generate::random::Random;
use crate::generate::wire::{
    close_message, open_message, put_attribute, put_bytes, put_fixed64, put_int, put_varint,
};

const SCHEMA_URL: &[u8] = b"https://opentelemetry.io/schemas/1.34.0";
/// `DataPointFlags.NO_RECORDED_VALUE_MASK`
const NO_RECORDED_VALUE: i64 = 1;

/// Field numbers of the messages from the request down to a metric's points.
mod field {
    pub(super) const RESOURCE_METRICS: u32 = 1;
    pub(super) const RESOURCE: u32 = 1;
    pub(super) const SCOPE_METRICS: u32 = 2;
    pub(super) const SCOPE: u32 = 1;
    pub(super) const METRICS: u32 = 2;
    pub(super) const SCHEMA_URL: u32 = 3;
    pub(super) const DATA_POINTS: u32 = 1;
    pub(super) const TEMPORALITY: u32 = 2;
    pub(super) const IS_MONOTONIC: u32 = 3;
    /// The same in all kinds of points.
    pub(super) const START_TIME: u32 = 2;
    pub(super) const TIME: u32 = 3;
}

/// One thread's encoder.
#[derive(Default)]
pub(super) struct Encoder {
    /// Begins of the open messages: resource, scope, metric, data.
    open: Vec<usize>,
}

impl Encoder {
    /// Appends the request with these points.
    pub(super) fn encode(
        &mut self,
        world: &World,
        points: impl Iterator<Item = Point>,
        now_ns: u64,
        out: &mut Vec<u8>,
    ) {
        let mut before: Option<Point> = None;
        for point in points {
            let instrument = &world.instruments[point.instrument];
            let shared = before.map_or(0, |before| shared(world, &before, &point));
            if let Some(before) = before {
                self.close_to(shared, &world.instruments[before.instrument].metric, out);
            }
            self.open_from(shared, world, &point, out);
            let times = world.intervals.times(point.interval, now_ns);
            put_point(world, instrument, &point, times, out);
            before = Some(point);
        }
        if let Some(before) = before {
            self.close_to(0, &world.instruments[before.instrument].metric, out);
        }
    }

    fn open_from(&mut self, depth: usize, world: &World, point: &Point, out: &mut Vec<u8>) {
        let metric = &world.instruments[point.instrument].metric;
        if depth == 0 {
            self.open.push(open_message(out, field::RESOURCE_METRICS));
            let resource = open_message(out, field::RESOURCE);
            for attribute in &world.resources[point.resource].attributes {
                put_attribute(out, 1, attribute);
            }
            close_message(out, resource);
        }
        if depth <= 1 {
            self.open.push(open_message(out, field::SCOPE_METRICS));
            let scope = open_message(out, field::SCOPE);
            put_bytes(out, 1, metric.scope.as_bytes());
            close_message(out, scope);
        }
        if depth <= 2 {
            self.open.push(open_message(out, field::METRICS));
            put_text(out, 1, &metric.name);
            put_text(out, 2, &metric.description);
            put_text(out, 3, &metric.unit);
            self.open.push(open_message(out, metric.kind.field()));
        }
    }

    fn close_to(&mut self, depth: usize, metric: &Metric, out: &mut Vec<u8>) {
        if depth >= DEPTH {
            return;
        }
        while self.open.len() > depth {
            match self.open.len() {
                DEPTH => put_data_tail(out, &metric.kind),
                1 | 2 => put_bytes(out, field::SCHEMA_URL, SCHEMA_URL),
                _ => {}
            }
            let begin = self.open.pop().expect("the loop looked");
            close_message(out, begin);
        }
    }
}

/// Resource, scope, metric, data.
const DEPTH: usize = 4;

/// How many open messages two neighbours share.
fn shared(world: &World, one: &Point, other: &Point) -> usize {
    let metric = |point: &Point| &world.instruments[point.instrument].metric;
    // At the end of an interval all begins anew, even if there is one resource only.
    if one.resource != other.resource || one.interval != other.interval {
        0
    } else if one.instrument == other.instrument {
        DEPTH
    } else if metric(one).scope == metric(other).scope {
        2
    } else {
        1
    }
}

impl Kind {
    /// Field number within `Metric`.
    fn field(&self) -> u32 {
        match self {
            Self::Gauge => 5,
            Self::Sum { .. } => 7,
            Self::Histogram { .. } => 9,
            Self::ExponentialHistogram { .. } => 10,
            Self::Summary { .. } => 11,
        }
    }

    /// Field numbers of a point's attributes, exemplars and flags.
    fn point_fields(&self) -> [u32; 3] {
        match self {
            Self::Gauge | Self::Sum { .. } => [7, 5, 8],
            Self::Histogram { .. } => [9, 8, 10],
            Self::ExponentialHistogram { .. } => [1, 11, 10],
            // A summary has no exemplars: the number is never written.
            Self::Summary { .. } => [7, 0, 8],
        }
    }
}

/// What stands beside the points.
fn put_data_tail(out: &mut Vec<u8>, kind: &Kind) {
    match kind {
        Kind::Gauge | Kind::Summary { .. } => {}
        Kind::Sum {
            temporality,
            is_monotonic,
        } => {
            put_int(out, field::TEMPORALITY, *temporality as i64);
            if *is_monotonic {
                put_int(out, field::IS_MONOTONIC, 1);
            }
        }
        Kind::Histogram { temporality, .. } | Kind::ExponentialHistogram { temporality, .. } => {
            put_int(out, field::TEMPORALITY, *temporality as i64);
        }
    }
}

fn put_point(
    world: &World,
    instrument: &Instrument,
    point: &Point,
    times: Times,
    out: &mut Vec<u8>,
) {
    let metric = &instrument.metric;
    let [attributes_field, exemplars_field, flags_field] = metric.kind.point_fields();
    let begin = open_message(out, field::DATA_POINTS);
    let attributes = dimension::attributes(
        &metric.attributes,
        point.combination,
        point.generation,
        world.slot_seed(point.slot),
    );
    for attribute in &attributes {
        put_attribute(out, attributes_field, attribute);
    }
    if metric.has_start_time && metric.kind != Kind::Gauge {
        let start = if metric.kind.is_delta() {
            times.begin
        } else {
            times.process_begin
        };
        put_fixed64(out, field::START_TIME, start);
    }
    put_fixed64(out, field::TIME, times.end);
    match recorded(world, instrument, point) {
        None => put_int(out, flags_field, NO_RECORDED_VALUE),
        Some(units) => {
            let mut random = world.random(point, EXEMPLARS);
            put_value(instrument, point.span, units, out);
            let has_exemplars = !matches!(metric.kind, Kind::Summary { .. });
            if has_exemplars && random.chance(metric.exemplar_share) {
                let value = exemplar_value(instrument, point.span, units);
                put_exemplar(metric, exemplars_field, value, times.end, &mut random, out);
            }
        }
    }
    close_message(out, begin);
}

/// The value of a point whose sum is `units`.
fn put_value(instrument: &Instrument, span: Span, units: i128, out: &mut Vec<u8>) {
    let counted = instrument.counted_span(span);
    let sum = instrument.metric.value_of(units);
    match (&instrument.counted, &instrument.metric.kind) {
        (Counted::Level | Counted::Increments(_), _) => match instrument.metric.number {
            Number::Double => put_double(out, 4, sum),
            Number::Int => {
                // A counter ends there, if anybody counts so long.
                let units = i64::try_from(units).unwrap_or(i64::MAX);
                put_fixed64(out, 6, units.cast_unsigned());
            }
        },
        (
            Counted::Explicit(measured),
            Kind::Histogram {
                bounds,
                has_min_max,
                ..
            },
        ) => {
            put_count_and_sum(measured, counted, sum, out);
            let buckets = explicit_buckets(bounds.len());
            put_packed64(out, 6, column_values(measured, buckets, counted));
            put_packed64(out, 7, bounds.iter().map(|bound| bound.to_bits()));
            if *has_min_max {
                put_extremes(measured, counted, [11, 12], out);
            }
        }
        (
            Counted::Exponential {
                measured,
                scale,
                positive,
                negative,
            },
            Kind::ExponentialHistogram {
                zero_threshold,
                has_min_max,
                ..
            },
        ) => {
            put_count_and_sum(measured, counted, sum, out);
            put_zigzag(out, 6, i64::from(*scale));
            let zeros = column(measured, ZERO, counted);
            if zeros > 0 {
                put_fixed64(out, 7, zeros);
            }
            put_exponential_buckets(measured, *positive, counted, 8, out);
            put_exponential_buckets(measured, *negative, counted, 9, out);
            if *has_min_max {
                put_extremes(measured, counted, [12, 13], out);
            }
            put_nonzero_double(out, 14, *zero_threshold);
        }
        (
            Counted::Summary {
                measured,
                quantiles: values,
            },
            Kind::Summary { quantiles },
        ) => {
            put_fixed64(out, 4, column(measured, COUNT, counted));
            put_nonzero_double(out, 5, sum);
            let values = &values[span.index_of_last()];
            for (quantile, value) in quantiles.iter().zip(values) {
                let begin = open_message(out, 6);
                put_nonzero_double(out, 1, *quantile);
                put_nonzero_double(out, 2, *value);
                close_message(out, begin);
            }
        }
        _ => unreachable!("what is counted was made for the kind"),
    }
}

fn put_count_and_sum(measured: &Measured, span: Span, sum: f64, out: &mut Vec<u8>) {
    put_fixed64(out, 4, column(measured, COUNT, span));
    if measured.has_sum {
        put_double(out, 5, sum);
    }
}

fn put_extremes(measured: &Measured, span: Span, fields: [u32; 2], out: &mut Vec<u8>) {
    for (field, value) in fields.into_iter().zip(measured.extremes(span)) {
        put_double(out, field, value);
    }
}

/// Buckets from the first to the last that is not empty, as SDKs send them.
fn put_exponential_buckets(
    measured: &Measured,
    buckets: Buckets,
    span: Span,
    field: u32,
    out: &mut Vec<u8>,
) {
    let counts: Vec<u64> = column_values(measured, buckets, span).collect();
    let Some(first) = counts.iter().position(|count| *count > 0) else {
        return;
    };
    let used = counts
        .iter()
        .rposition(|count| *count > 0)
        .map_or(0, |last| last + 1);
    let begin = open_message(out, field);
    put_zigzag(out, 1, buckets.offset + first as i64);
    let packed = open_message(out, 2);
    for count in &counts[first..used] {
        put_varint(out, *count);
    }
    close_message(out, packed);
    close_message(out, begin);
}

fn column(measured: &Measured, column: usize, span: Span) -> u64 {
    // Counts of at most `MEASUREMENTS_MAX` an interval.
    measured.round.total(span, column) as u64
}

fn column_values(measured: &Measured, buckets: Buckets, span: Span) -> impl Iterator<Item = u64> {
    (buckets.first..buckets.first + buckets.count).map(move |index| column(measured, index, span))
}

/// A measurement of the last interval.
fn exemplar_value(instrument: &Instrument, span: Span, units: i128) -> f64 {
    match &instrument.counted {
        Counted::Level => instrument.metric.value_of(units),
        Counted::Increments(round) => instrument.metric.value_of(round.total(span.last(), SUM)),
        Counted::Explicit(measured)
        | Counted::Exponential { measured, .. }
        | Counted::Summary { measured, .. } => measured.extremes[span.index_of_last()][1],
    }
}

fn put_exemplar(
    metric: &Metric,
    field: u32,
    value: f64,
    time_ns: u64,
    random: &mut Random,
    out: &mut Vec<u8>,
) {
    let begin = open_message(out, field);
    put_fixed64(out, 2, time_ns);
    match metric.number {
        Number::Double => put_double(out, 3, value),
        // Drawn as a whole number.
        Number::Int => put_fixed64(out, 6, (value as i64).cast_unsigned()),
    }
    put_bytes(out, 4, &(random.word() | 1).to_le_bytes());
    let trace_id = [random.word(), random.word() | 1].map(u64::to_le_bytes);
    put_bytes(out, 5, trace_id.as_flattened());
    close_message(out, begin);
}

/// proto3 leaves out an empty text.
fn put_text(out: &mut Vec<u8>, field: u32, text: &str) {
    if !text.is_empty() {
        put_bytes(out, field, text.as_bytes());
    }
}

fn put_double(out: &mut Vec<u8>, field: u32, value: f64) {
    put_fixed64(out, field, value.to_bits());
}

/// A repeated field of eight bytes each, left out when it is empty.
fn put_packed64(out: &mut Vec<u8>, field: u32, values: impl Iterator<Item = u64>) {
    let mut values = values.peekable();
    if values.peek().is_none() {
        return;
    }
    let begin = open_message(out, field);
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
    close_message(out, begin);
}

/// Of a field without presence: proto3 leaves out what is zero.
fn put_nonzero_double(out: &mut Vec<u8>, field: u32, value: f64) {
    if value != 0.0 {
        put_double(out, field, value);
    }
}

/// A `sint32` without presence.
fn put_zigzag(out: &mut Vec<u8>, field: u32, value: i64) {
    if value != 0 {
        put_int(out, field, (value << 1) ^ (value >> 63));
    }
}
