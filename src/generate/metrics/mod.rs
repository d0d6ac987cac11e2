//! Application metrics of every type and temporality: what SDKs send beside spans.
//!
//! A scenario's instruments and resources become a [`World`] of series, a [`Maker`] per thread turns
//! request numbers into bytes, and [`Totals`] knows what a target must show for what it
//! acknowledged. Values are pure functions of seed, series and interval, so threads share no state
//! but the clock of the intervals.
//!
//! | file | purpose |
//! |---|---|
//! | `plan` | instruments as they are asked for |
//! | `dimension` | attributes into the combinations that are series |
//! | `round`, `exponential`, `instrument` | what is counted, exactly and at any interval |
//! | `world` | series in a line, and the part of it that a request carries |
//! | `intervals` | when an interval ended |
//! | `encode` | points into bytes |
//! | `totals` | what was sent, added up |

mod dimension;
mod encode;
mod exponential;
mod instrument;
mod intervals;
mod plan;
mod round;
mod totals;
mod world;

use std::sync::Arc;

pub use self::dimension::combinations;
pub use self::exponential::{SCALE_MAX, SCALE_MIN};
pub use self::plan::{
    BOUNDS_MAX, EXPONENTIAL_BUCKETS_MAX, Kind, MEASUREMENTS_MAX, Metric, Number, Temporality,
};
pub use self::totals::{MetricTotals, Totals};
pub use self::world::{Content, World};

use self::encode::Encoder;
use self::instrument::{Counted, Instrument, SUM};
use self::world::{LEVEL, NO_VALUE, Point};

/// One thread's maker of requests.
pub struct Maker {
    world: Arc<World>,
    encoder: Encoder,
}

impl Maker {
    #[must_use]
    pub fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            encoder: Encoder::default(),
        }
    }

    /// Appends the message of request `number` of those of metrics, with `items` points, dated by
    /// `now_ns` (Unix nanoseconds).
    ///
    /// Numbers should come without gaps: what a missing one would carry is never sent.
    pub fn make(&mut self, number: u64, items: u32, now_ns: u64, out: &mut Vec<u8>) -> Content {
        let content = Content {
            number,
            points: items,
        };
        let points = self.world.points(content);
        self.encoder.encode(&self.world, points, now_ns, out);
        content
    }
}

/// The sum, or the number, that stands in a point, in units; `None`: it says that it has no value.
fn recorded(world: &World, instrument: &Instrument, point: &Point) -> Option<i128> {
    let metric = &instrument.metric;
    if world.random(point, NO_VALUE).chance(metric.no_value_share) {
        return None;
    }
    let counted = instrument.counted_span(point.span);
    let total = match &instrument.counted {
        Counted::Level => {
            let level =
                |point: &Point| i128::from(instrument.level(&mut world.random(point, LEVEL)));
            let before = Point {
                interval: point.interval.saturating_sub(1),
                ..*point
            };
            // The change since the interval before, if the series is that old.
            if metric.kind.is_delta() && point.span.count > 1 {
                level(point) - level(&before)
            } else {
                level(point)
            }
        }
        Counted::Increments(round) => round.total(counted, SUM),
        Counted::Explicit(measured)
        | Counted::Exponential { measured, .. }
        | Counted::Summary { measured, .. } => measured.round.total(counted, SUM),
    };
    Some(total)
}

#[cfg(test)]
mod tests;
