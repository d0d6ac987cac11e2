//! What was sent of each metric: series, points, and the values that a target must show.
//!
//! Of a series that is not delta its last value counts, of a delta series all of them. Since values
//! follow from interval numbers, the last interval of each series is all that has to be kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::instrument::{COUNT, Instrument};
use super::recorded;
use super::world::{Content, Point, World};

/// Series of one metric whose last value is kept, at most.
const SERIES_MAX: usize = 1_000_000;

/// One metric, all series together. Deltas: everything sent; else: the last values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MetricTotals {
    pub series: u64,
    /// There were more than are kept: `series`, and what is not delta, is too low.
    pub is_cut: bool,
    pub points: u64,
    /// Of these, the ones that say that there is no value.
    pub without_value: u64,
    /// Measurements of histograms and summaries.
    pub count: u64,
    /// Of numbers; of histograms and summaries, of their sums.
    pub sum: f64,
}

/// A series: slot and generation.
type Series = (u64, u64);

#[derive(Clone)]
pub struct Totals {
    world: Arc<World>,
    /// Index as the world's metrics.
    metrics: Vec<Booked>,
}

#[derive(Clone, Debug, Default)]
struct Booked {
    is_cut: bool,
    points: u64,
    without_value: u64,
    /// Last point with a value of each series.
    last: HashMap<Series, Point, crate::telemetry::random::RandomState>,
    /// Of delta series, in units.
    delta_sum: i128,
    delta_count: u64,
}

impl Totals {
    #[must_use]
    pub fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            metrics: world.metrics().map(|_| Booked::default()).collect(),
        }
    }

    /// Books a request that went out `times` times.
    pub fn add(&mut self, content: Content, times: u64) {
        if times == 0 {
            return;
        }
        for point in self.world.points(content) {
            let instrument = &self.world.instruments[point.instrument];
            let booked = &mut self.metrics[point.instrument];
            booked.points += times;
            let Some(units) = recorded(&self.world, instrument, &point) else {
                booked.without_value += times;
                continue;
            };
            if instrument.metric.kind.is_delta() {
                booked.delta_sum += units * i128::from(times);
                booked.delta_count += count(instrument, &point) * times;
            }
            booked.keep(point);
        }
    }

    /// Adds what another thread has booked of the same world.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.metrics.iter_mut().zip(&other.metrics) {
            mine.is_cut |= theirs.is_cut;
            mine.points += theirs.points;
            mine.without_value += theirs.without_value;
            mine.delta_sum += theirs.delta_sum;
            mine.delta_count += theirs.delta_count;
            for point in theirs.last.values() {
                mine.keep(*point);
            }
        }
    }

    /// Points booked.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.metrics.iter().map(|booked| booked.points).sum()
    }

    /// Of each metric, in the order of the scenario.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricTotals> {
        let instruments = self.world.instruments.iter();
        let both = instruments.zip(&self.metrics);
        both.map(|(instrument, booked)| self.of(instrument, booked))
            .collect()
    }

    fn of(&self, instrument: &Instrument, booked: &Booked) -> MetricTotals {
        let (mut sum, mut all) = (booked.delta_sum, booked.delta_count);
        if !instrument.metric.kind.is_delta() {
            for point in booked.last.values() {
                sum += recorded(&self.world, instrument, point).unwrap_or_default();
                all += count(instrument, point);
            }
        }
        MetricTotals {
            series: booked.last.len() as u64,
            is_cut: booked.is_cut,
            points: booked.points,
            without_value: booked.without_value,
            count: all,
            sum: instrument.metric.value_of(sum),
        }
    }

    /// For a report: a list with an object for each metric.
    #[must_use]
    pub fn json(&self) -> Json {
        let rows = self.world.metrics().zip(self.metrics());
        rows.map(|(metric, totals)| {
            let temporality = metric.kind.temporality();
            json!({
                "name": metric.name,
                "type": metric.kind.name(),
                "temporality": temporality.map(super::Temporality::name),
                "series": totals.series,
                "series_cut": totals.is_cut,
                "points": totals.points,
                "without_value": totals.without_value,
                "count": totals.count,
                "sum": totals.sum,
            })
        })
        .collect()
    }
}

impl Booked {
    fn keep(&mut self, point: Point) {
        let is_full = self.last.len() >= SERIES_MAX;
        match self.last.entry((point.slot, point.generation)) {
            Entry::Occupied(mut last) => {
                if last.get().interval < point.interval {
                    last.insert(point);
                }
            }
            Entry::Vacant(_) if is_full => self.is_cut = true,
            Entry::Vacant(place) => {
                place.insert(point);
            }
        }
    }
}

fn count(instrument: &Instrument, point: &Point) -> u64 {
    let span = instrument.counted_span(point.span);
    // Counts of at most `MEASUREMENTS_MAX` an interval.
    let of = |measured: &super::instrument::Measured| measured.round.total(span, COUNT) as u64;
    instrument.counted.measured().map_or(0, of)
}
