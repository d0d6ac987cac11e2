//! The attributes of a metric's series: all combinations of the values that each attribute has.
//!
//! What a scenario draws for a span is enumerated here: an SDK sends every series it has in every
//! interval, however often each was counted. A growing attribute does not make a request longer: it
//! has as many values at a time as it started with, and new ones take the place of the old. A random
//! one has a new value in each interval.

use crate::generate::random::Random;
use crate::generate::scenario::attributes::{Choice, Spec, Values};
use crate::generate::value::{Attribute, Value};

/// Series of one resource.
pub fn combinations(specs: &[Spec]) -> u64 {
    let counts = specs.iter().map(|spec| values(&spec.values));
    counts.fold(1, u64::saturating_mul)
}

/// Values at a time.
fn values(values: &Values) -> u64 {
    match values {
        Values::Pool { choice, .. } => choice.count(0),
        Values::Fixed(_) | Values::ByStatus(_) | Values::Random { .. } => 1,
    }
}

/// Intervals after which all series of a slot have been replaced; `None`: they stay.
pub(super) fn lifetime(specs: &[Spec]) -> Option<u64> {
    let lifetime = |spec: &Spec| match &spec.values {
        Values::Random { .. } => Some(1),
        Values::Pool {
            choice: Choice::Growing { start, per_million },
            ..
        } => {
            // Of `start` values in `combinations` points an interval, as many are new as the
            // points call for.
            let others = combinations(specs) / (*start).max(1);
            let per_value = others.max(1).saturating_mul((*per_million).max(1));
            Some((1_000_000 / per_value).max(1))
        }
        _ => None,
    };
    specs.iter().filter_map(lifetime).min()
}

/// The attributes of one combination in one of its generations; `seed` is that of the series.
pub(super) fn attributes(
    specs: &[Spec],
    mut combination: u64,
    generation: u64,
    seed: u64,
) -> Vec<Attribute> {
    let mut attributes: Vec<Attribute> = specs
        .iter()
        .rev()
        .map(|spec| {
            let count = values(&spec.values);
            let index = combination % count;
            combination /= count;
            Attribute::new(
                spec.key.as_str(),
                value(&spec.values, index, count, generation, seed),
            )
        })
        .collect();
    attributes.reverse();
    attributes
}

fn value(values: &Values, index: u64, count: u64, generation: u64, seed: u64) -> Value {
    match values {
        Values::Fixed(value) => value.clone(),
        // A point has no status: the scenario has refused it.
        Values::ByStatus(by_status) => by_status[0].clone(),
        Values::Random { digits } => {
            let mut random = Random::stream(seed, generation);
            Value::Text(random.hex(*digits))
        }
        Values::Pool { choice, pool } => {
            let index = if choice.is_growing() {
                // What a pool's index has to fit; after so many the values come again.
                (index + count.wrapping_mul(generation)) & u64::from(u32::MAX)
            } else {
                index
            };
            // Below a count of u32, or masked.
            pool.value(index as u32)
        }
    }
}
