//! All series there are, in one line, and which of them a request carries.
//!
//! The line goes through the resources, the metrics of each and the series of each of these. Request
//! n takes the points after those of request n - 1; at the end of the line an interval is over and
//! the next one begins. So what stands in a request follows from its number alone, whoever sends it.

use super::dimension;
use super::instrument::Instrument;
use super::intervals::Intervals;
use super::plan::Metric;
use super::round::{INTERVALS, Span};
use crate::generate::load::Resource;
use crate::generate::random::Random;
use crate::generate::value::{Attribute, Value, find};

/// Keep the streams of metrics apart from those of spans.
const INSTRUMENT_STREAMS: u64 = 1 << 40;
const SERIES_STREAMS: u64 = 1 << 41;

/// What chance decides of a point.
pub(super) const NO_VALUE: u64 = 0;
pub(super) const LEVEL: u64 = 1;
pub(super) const EXEMPLARS: u64 = 2;

/// What stands in a request: points follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Of the request, among those of metrics.
    pub number: u64,
    pub points: u32,
}

pub struct World {
    pub(super) instruments: Vec<Instrument>,
    pub(super) resources: Vec<Place>,
    pub(super) intervals: Intervals,
    /// Series of all resources.
    series: u64,
    seed: u64,
    points_per_request: u32,
}

/// A resource and where its series begin.
pub(super) struct Place {
    pub(super) attributes: Vec<Attribute>,
    /// Those that its service has.
    instruments: Vec<usize>,
    first: u64,
}

/// One point: what it is of, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) resource: usize,
    pub(super) instrument: usize,
    /// Which combination of attribute values.
    pub(super) combination: u64,
    /// Which of the values that a growing attribute has had.
    pub(super) generation: u64,
    /// Place in the line.
    pub(super) slot: u64,
    pub(super) interval: u64,
    /// The intervals that its series has counted.
    pub(super) span: Span,
}

impl World {
    /// The same arguments give the same world.
    #[must_use]
    pub fn new(
        metrics: &[Metric],
        resources: &[Resource],
        points_per_request: u32,
        seed: u64,
    ) -> Self {
        let instruments: Vec<Instrument> = metrics
            .iter()
            .zip(0..)
            .map(|(metric, index)| {
                let mut random = Random::stream(seed, INSTRUMENT_STREAMS + index);
                Instrument::new(metric.clone(), &mut random)
            })
            .collect();
        let mut places = Vec::with_capacity(resources.len());
        let mut series = 0;
        for resource in resources {
            let place = Place {
                instruments: instruments_of(metrics, &resource.attributes),
                attributes: resource.attributes.clone(),
                first: series,
            };
            let of = |index: &usize| instruments[*index].combinations();
            series += place.instruments.iter().map(of).sum::<u64>();
            places.push(place);
        }
        Self {
            instruments,
            resources: places,
            intervals: Intervals::default(),
            series,
            seed,
            points_per_request,
        }
    }

    /// Series that exist at the same time.
    #[must_use]
    pub fn series(&self) -> u64 {
        self.series
    }

    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.instruments.iter().map(|instrument| &instrument.metric)
    }

    /// The points of a request, in their order.
    pub(super) fn points(&self, content: Content) -> Points<'_> {
        let begin = content
            .number
            .wrapping_mul(u64::from(self.points_per_request));
        let left = if self.series == 0 { 0 } else { content.points };
        let slot = begin.checked_rem(self.series).unwrap_or_default();
        let mut points = Points {
            world: self,
            left,
            interval: begin.checked_div(self.series).unwrap_or_default(),
            slot,
            resource: 0,
            position: 0,
            combination: 0,
        };
        if left > 0 {
            points.seek();
        }
        points
    }

    /// Chance of one point, for one purpose.
    pub(super) fn random(&self, point: &Point, purpose: u64) -> Random {
        let seed = self.slot_seed(point.slot).wrapping_add(purpose);
        Random::stream(seed, point.interval)
    }

    pub(super) fn slot_seed(&self, slot: u64) -> u64 {
        Random::stream(self.seed, SERIES_STREAMS + slot).word()
    }

    /// The generation of a slot, and the intervals that its series has counted.
    fn life(&self, instrument: &Instrument, slot: u64, interval: u64) -> (u64, Span) {
        let seed = self.slot_seed(slot);
        let (generation, age) = match instrument.lifetime {
            None => (0, interval),
            Some(lifetime) => {
                // Not all series end at once.
                let shifted = interval + seed % lifetime;
                let generation = shifted / lifetime;
                (generation, (shifted % lifetime).min(interval))
            }
        };
        let phase = seed.wrapping_add(generation) % INTERVALS as u64;
        let span = Span {
            phase: phase as usize,
            count: age + 1,
        };
        (generation, span)
    }
}

/// Walks along the line.
pub(super) struct Points<'a> {
    world: &'a World,
    left: u32,
    interval: u64,
    slot: u64,
    resource: usize,
    /// Among the instruments of the resource's service.
    position: usize,
    combination: u64,
}

impl Points<'_> {
    /// Finds where `slot` stands.
    fn seek(&mut self) {
        let places = &self.world.resources;
        let after = places.partition_point(|place| place.first <= self.slot);
        // Resources without series share their place with the next one, which is taken.
        self.resource = after - 1;
        self.position = 0;
        self.combination = self.slot - places[self.resource].first;
        self.settle();
    }

    fn instruments(&self) -> &[usize] {
        &self.world.resources[self.resource].instruments
    }

    /// Carries a combination beyond its metric over to the next metric, resource or interval.
    fn settle(&mut self) {
        loop {
            let Some(index) = self.instruments().get(self.position) else {
                self.position = 0;
                self.resource += 1;
                if self.resource == self.world.resources.len() {
                    self.resource = 0;
                    self.slot = 0;
                    self.interval += 1;
                }
                continue;
            };
            let combinations = self.world.instruments[*index].combinations();
            if self.combination < combinations {
                return;
            }
            self.combination -= combinations;
            self.position += 1;
        }
    }
}

impl Iterator for Points<'_> {
    type Item = Point;

    fn next(&mut self) -> Option<Point> {
        self.left = self.left.checked_sub(1)?;
        let instrument = self.instruments()[self.position];
        let (generation, span) = self.world.life(
            &self.world.instruments[instrument],
            self.slot,
            self.interval,
        );
        let point = Point {
            resource: self.resource,
            instrument,
            combination: self.combination,
            generation,
            slot: self.slot,
            interval: self.interval,
            span,
        };
        self.slot += 1;
        self.combination += 1;
        self.settle();
        Some(point)
    }
}

impl Instrument {
    /// Series of one resource.
    pub(super) fn combinations(&self) -> u64 {
        dimension::combinations(&self.metric.attributes)
    }
}

fn instruments_of(metrics: &[Metric], attributes: &[Attribute]) -> Vec<usize> {
    let service = match find(attributes, "service.name") {
        Some(Value::Text(name)) => name,
        _ => "",
    };
    let has = |metric: &Metric| {
        metric.services.is_empty() || metric.services.iter().any(|name| name == service)
    };
    let all = metrics.iter().enumerate();
    all.filter(|(_, metric)| has(metric))
        .map(|(index, _)| index)
        .collect()
}
