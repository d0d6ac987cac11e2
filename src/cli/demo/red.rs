//! Rate, errors and durations per service and route, out of two scrapes.
//!
//! What a dashboard asks Prometheus for, worked out here from the same exposition: differences of
//! counters, and quantiles as `histogram_quantile` takes them.

use std::collections::BTreeMap;

use crate::generate::GenerateError;
use crate::generate::verify::exposition::{self, Format, Sample, read_value};

/// Names under the guide's configuration.
const CALLS: &str = "acs_traces_span_metrics_calls";
const BUCKET: &str = "acs_traces_span_metrics_duration_bucket";
/// Stands where spans have no route.
const NO_ROUTE: &str = "(no route)";

/// The counters of one scrape by service and route.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Red {
    routes: BTreeMap<(String, String), Counters>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Counters {
    calls: f64,
    errors: f64,
    /// Upper bound in milliseconds and cumulative count, ascending.
    buckets: Vec<(f64, f64)>,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) service: String,
    pub(super) route: String,
    /// Spans per second.
    pub(super) rate: f64,
    /// 0 to 1.
    pub(super) error_share: f64,
    /// Milliseconds of p50, p95 and p99; NaN when there was no span.
    pub(super) quantiles_ms: [f64; 3],
}

impl Red {
    /// # Errors
    /// When the text is no exposition.
    pub(super) fn read(text: &str) -> Result<Self, GenerateError> {
        let mut red = Self::default();
        exposition::read(text, Format::Text, |sample| red.add(sample))?;
        Ok(red)
    }

    fn add(&mut self, sample: &Sample) -> Result<(), &'static str> {
        if sample.name != CALLS && sample.name != BUCKET {
            return Ok(());
        }
        let label = |name: &str| {
            let found = sample.labels.iter().find(|(label, _)| *label == name);
            found.map(|(_, value)| &**value)
        };
        let service = label("service_name").unwrap_or_default().to_owned();
        let route = label("http_route").unwrap_or(NO_ROUTE).to_owned();
        let counters = self.routes.entry((service, route)).or_default();
        if sample.name == CALLS {
            counters.calls += sample.value;
            if label("status_code") == Some("STATUS_CODE_ERROR") {
                counters.errors += sample.value;
            }
            return Ok(());
        }
        let bound = read_value(label("le").ok_or("a bucket has no le")?)?;
        let place = counters.buckets.partition_point(|(seen, _)| *seen < bound);
        match counters.buckets.get_mut(place) {
            Some((seen, count)) if seen.total_cmp(&bound).is_eq() => *count += sample.value,
            _ => counters.buckets.insert(place, (bound, sample.value)),
        }
        Ok(())
    }

    /// Spans counted so far.
    pub(super) fn calls(&self) -> f64 {
        self.routes.values().map(|counters| counters.calls).sum()
    }

    /// What happened since `earlier`, `seconds` ago; the busiest route of a service first.
    pub(super) fn rows_since(&self, earlier: &Self, seconds: f64) -> Vec<Row> {
        let nothing = Counters::default();
        let mut rows: Vec<Row> = self
            .routes
            .iter()
            .map(|(key, counters)| {
                let delta = counters.minus(earlier.routes.get(key).unwrap_or(&nothing));
                let (service, route) = key.clone();
                Row {
                    service,
                    route,
                    rate: delta.calls / seconds,
                    error_share: if delta.calls > 0.0 {
                        delta.errors / delta.calls
                    } else {
                        0.0
                    },
                    quantiles_ms: [0.5, 0.95, 0.99].map(|share| quantile(share, &delta.buckets)),
                }
            })
            .collect();
        rows.sort_by(|one, other| {
            let by_service = one.service.cmp(&other.service);
            by_service.then(other.rate.total_cmp(&one.rate))
        });
        rows
    }
}

impl Counters {
    fn minus(&self, earlier: &Self) -> Self {
        let at = |index: usize| earlier.buckets.get(index).map_or(0.0, |(_, count)| *count);
        Self {
            calls: self.calls - earlier.calls,
            errors: self.errors - earlier.errors,
            // A route's bounds are those of the configuration: they do not change.
            buckets: self
                .buckets
                .iter()
                .enumerate()
                .map(|(index, (bound, count))| (*bound, count - at(index)))
                .collect(),
        }
    }
}

/// `histogram_quantile`: linear within the bucket of the rank, the last finite bound above that.
fn quantile(share: f64, buckets: &[(f64, f64)]) -> f64 {
    let total = buckets.last().map_or(0.0, |(_, count)| *count);
    if total <= 0.0 {
        return f64::NAN;
    }
    let rank = share * total;
    let place = buckets.partition_point(|(_, count)| *count < rank);
    let (below, count_below) = match place {
        0 => (0.0, 0.0),
        place => buckets[place - 1],
    };
    let (above, count_above) = buckets[place];
    if above.is_infinite() {
        return below;
    }
    below + (above - below) * (rank - count_below) / (count_above - count_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_are_those_of_prometheus() {
        // Values of histogram_quantile for these buckets, by its documentation.
        let buckets = [(1.0, 10.0), (5.0, 50.0), (10.0, 90.0), (INF, 100.0)];
        for (share, wanted) in [
            (0.05, 0.5),
            (0.1, 1.0),
            (0.5, 5.0),
            (0.7, 7.5),
            (0.95, 10.0),
        ] {
            let got = quantile(share, &buckets);
            assert!((got - wanted).abs() < 1e-12, "{share}: {got}");
        }
        assert!(quantile(0.5, &[(1.0, 0.0), (INF, 0.0)]).is_nan());
        assert!(quantile(0.5, &[]).is_nan());
    }

    /// Two pods of one route, one of them with errors.
    fn exposition(times: u32) -> String {
        let mut lines = Vec::new();
        for (pod, status, below, all) in [("a", "UNSET", 30, 40), ("b", "ERROR", 0, 10)] {
            let labels = format!(
                "service_name=\"cart\",http_route=\"/x\",pod=\"{pod}\",status_code=\"STATUS_CODE_{status}\""
            );
            let (below, all) = (below * times, all * times);
            lines.push(format!("{CALLS}{{{labels}}} {all}"));
            lines.push(format!("{BUCKET}{{{labels},le=\"10\"}} {below}"));
            lines.push(format!("{BUCKET}{{{labels},le=\"20\"}} {all}"));
            lines.push(format!("{BUCKET}{{{labels},le=\"+Inf\"}} {all}"));
        }
        lines.push(format!(
            "{CALLS}{{service_name=\"cart\",span_name=\"y\"}} {times}"
        ));
        lines.join("\n") + "\n"
    }

    #[test]
    fn rows_are_differences_summed_over_label_sets() {
        let read = |times| Red::read(&exposition(times)).expect("well-formed");
        let rows = read(3).rows_since(&read(1), 2.0);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].route.as_str(), rows[0].rate), ("/x", 50.0));
        assert!((rows[0].error_share - 0.2).abs() < 1e-12);
        // 60 of 100 are below 10 ms: the median is at 10 * 50/60, p95 at 10 + 10 * 35/40.
        assert!((rows[0].quantiles_ms[0] - 500.0 / 60.0).abs() < 1e-9);
        assert!((rows[0].quantiles_ms[1] - 18.75).abs() < 1e-9);
        assert_eq!((rows[1].route.as_str(), rows[1].rate), (NO_ROUTE, 1.0));
        assert!(rows[1].quantiles_ms[0].is_nan());
        assert!((read(3).calls() - 153.0).abs() < 1e-9);
    }

    #[test]
    fn route_without_traffic_has_no_errors_and_no_quantiles() {
        let red = Red::read(&exposition(2)).expect("well-formed");
        let rows = red.rows_since(&red, 1.0);
        assert!(rows[0].rate.abs() < f64::EPSILON && rows[0].error_share.abs() < f64::EPSILON);
        assert!(rows[0].quantiles_ms[2].is_nan());
    }
}
