//! The streams of an exporter in, its families out: names, headers and bucket lines, settled once
//! when the pipeline is built.
//!
//! Streams whose metrics get the same name and type share a family. A family that a scraper would
//! mistake for another (its type, or a suffix that a histogram owns) is left out; who comes first
//! wins, in the order of the sources.

use super::options::PrometheusOptions;
use crate::naming::metric::{self, Kind};
use crate::naming::stream::{Stream, StreamMetric, StreamValue};
use crate::telemetry::text_format::{Dialect, push_float, push_help};

/// One table of the store and what it puts out.
#[derive(Clone)]
pub struct Source {
    /// Index into [`crate::store::snapshot::Snapshot::tables`].
    pub table: usize,
    pub stream: Stream,
}

/// Index into [`Plan::families`].
pub(super) type FamilyIndex = usize;

pub(super) struct Plan {
    /// Sorted by unescaped name: the order of the output.
    pub(super) families: Vec<Family>,
    pub(super) sources: Vec<SourcePlan>,
}

pub(super) struct Family {
    sorted_by: String,
    pub(super) name: String,
    pub(super) kind: FamilyKind,
    /// HELP and TYPE lines, by dialect.
    headers: [Vec<u8>; 2],
    /// `name`, `name_bucket` and so on, each with the brace behind it.
    pub(super) open: Vec<u8>,
    pub(super) open_bucket: Vec<u8>,
    pub(super) open_sum: Vec<u8>,
    pub(super) open_count: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FamilyKind {
    Counter,
    Histogram,
    TargetInfo,
}

pub(super) struct SourcePlan {
    pub(super) table: usize,
    /// Another source reads the same table under other identities.
    pub(super) is_shared: bool,
    pub(super) stream: Stream,
    /// In the order of the stream; `None`: the family was left out.
    pub(super) metrics: Vec<Option<MetricPlan>>,
    /// The first source that reads its cells alike: only their series can be added to each other.
    pub(super) shape: usize,
}

pub(super) struct MetricPlan {
    pub(super) family: FamilyIndex,
    pub(super) value: ValuePlan,
}

pub(super) enum ValuePlan {
    Count,
    Histogram(HistogramPlan),
}

pub(super) struct HistogramPlan {
    /// Ascending by bound, no bound twice.
    pub(super) bounds: Vec<Bound>,
    /// `le="+Inf"` with the total; not when a bound of the user's is infinite.
    pub(super) infinity: Option<[Vec<u8>; 2]>,
    pub(super) nanos_per_unit: f64,
    /// Bytes of the longest `le` text.
    pub(super) le_bytes_max: usize,
}

pub(super) struct Bound {
    /// Whose count is added here, of the row's buckets.
    pub(super) bucket: usize,
    /// `,le="0.5"} ` by dialect.
    pub(super) le: [Vec<u8>; 2],
}

/// A family that is left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) metric: String,
    pub(super) family: String,
    pub(super) existing: String,
}

/// Slot of a dialect in the pairs above.
pub(super) const fn slot(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Text => 0,
        Dialect::OpenMetrics => 1,
    }
}

impl Plan {
    /// A table that is named twice has two names for each of its cells, or one: then it counts once.
    pub(super) fn new(options: &PrometheusOptions, sources: Vec<Source>) -> (Self, Vec<Conflict>) {
        let mut families = vec![Family::target_info(&options.namespace)];
        let mut conflicts = Vec::new();
        let mut plans: Vec<SourcePlan> = Vec::new();
        for source in sources {
            let mut taken = Vec::new();
            let metrics: Vec<_> = source
                .stream
                .metrics
                .iter()
                .map(|metric| {
                    let family = Family::new(metric, options);
                    match admit(&mut families, family, &taken) {
                        Ok(family) => {
                            taken.push(family);
                            Some(MetricPlan {
                                family,
                                value: ValuePlan::new(&metric.value),
                            })
                        }
                        Err((family, existing)) => {
                            conflicts.push(Conflict {
                                metric: metric.name.clone(),
                                family,
                                existing,
                            });
                            None
                        }
                    }
                })
                .collect();
            let shape = plans
                .iter()
                .position(|known| same_shape(known, &source.stream, &metrics))
                .unwrap_or(plans.len());
            let mut is_shared = false;
            for known in &mut plans {
                if known.table == source.table {
                    known.is_shared = true;
                    is_shared = true;
                }
            }
            plans.push(SourcePlan {
                table: source.table,
                is_shared,
                stream: source.stream,
                metrics,
                shape,
            });
        }
        (sorted(families, plans), conflicts)
    }
}

/// Brings the families into the order of the output and repoints the metrics.
fn sorted(families: Vec<Family>, mut sources: Vec<SourcePlan>) -> Plan {
    let mut order: Vec<(FamilyIndex, Family)> = families.into_iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.sorted_by.cmp(&b.sorted_by));
    let place = |before: FamilyIndex| {
        order
            .iter()
            .position(|(index, _)| *index == before)
            .expect("every family is in the order")
    };
    for metric in sources
        .iter_mut()
        .flat_map(|source| source.metrics.iter_mut().flatten())
    {
        metric.family = place(metric.family);
    }
    Plan {
        sources,
        families: order.into_iter().map(|(_, family)| family).collect(),
    }
}

/// Finds or adds a family. Refused, with the names: no name at all, a family that it would be
/// mistaken for, or one that this source's other metric has already.
fn admit(
    families: &mut Vec<Family>,
    family: Family,
    taken: &[FamilyIndex],
) -> Result<FamilyIndex, (String, String)> {
    if family.name.is_empty() {
        return Err((family.name, String::new()));
    }
    if let Some(at) = families.iter().position(|known| known.same_as(&family)) {
        return if taken.contains(&at) {
            Err((family.name, families[at].name.clone()))
        } else {
            Ok(at)
        };
    }
    if let Some(known) = families.iter().find(|known| known.clashes_with(&family)) {
        return Err((family.name, known.name.clone()));
    }
    families.push(family);
    Ok(families.len() - 1)
}

fn same_shape(known: &SourcePlan, stream: &Stream, metrics: &[Option<MetricPlan>]) -> bool {
    let family = |metric: &Option<MetricPlan>| metric.as_ref().map(|plan| plan.family);
    known.stream.scope_name == stream.scope_name
        && known
            .metrics
            .iter()
            .map(family)
            .eq(metrics.iter().map(family))
        && known
            .stream
            .metrics
            .iter()
            .map(|metric| &metric.value)
            .eq(stream.metrics.iter().map(|metric| &metric.value))
}

impl Family {
    fn new(metric: &StreamMetric, options: &PrometheusOptions) -> Self {
        let (kind, naming_kind) = match metric.value {
            StreamValue::Count => (FamilyKind::Counter, Kind::Counter),
            StreamValue::Histogram { .. } => (FamilyKind::Histogram, Kind::Other),
        };
        let name = metric::family_name(
            &metric.name,
            metric.unit,
            naming_kind,
            &options.namespace,
            options.add_metric_suffixes,
        );
        Self::named(name, kind, metric.description)
    }

    /// The family that describes the resources, whatever else there is.
    fn target_info(namespace: &str) -> Self {
        Self::named(
            metric::family_name("target_info", "", Kind::Other, namespace, true),
            FamilyKind::TargetInfo,
            "Target metadata",
        )
    }

    fn named(sorted_by: String, kind: FamilyKind, help: &'static str) -> Self {
        let name = metric::escaped(&sorted_by);
        let open = |suffix: &str| format!("{name}{suffix}{{").into_bytes();
        Self {
            headers: [Dialect::Text, Dialect::OpenMetrics]
                .map(|dialect| header(&name, kind, help, dialect)),
            open: open(""),
            open_bucket: open("_bucket"),
            open_sum: open("_sum"),
            open_count: open("_count"),
            sorted_by,
            kind,
            name,
        }
    }

    pub(super) fn header(&self, dialect: Dialect) -> &[u8] {
        &self.headers[slot(dialect)]
    }

    /// Help is not compared: the first one stays. No stream makes another `TargetInfo`.
    fn same_as(&self, other: &Self) -> bool {
        self.sorted_by == other.sorted_by && self.kind == other.kind
    }

    fn clashes_with(&self, other: &Self) -> bool {
        let owns = |owner: &Self, name: &str| {
            owner.kind == FamilyKind::Histogram
                && ["_bucket", "_sum", "_count"]
                    .iter()
                    .any(|suffix| name.strip_suffix(suffix) == Some(owner.name.as_str()))
        };
        self.name == other.name
            || open_metrics_name(&self.name, self.kind)
                == open_metrics_name(&other.name, other.kind)
            || owns(self, &other.name)
            || owns(other, &self.name)
    }
}

/// `OpenMetrics` names a counter's family without the suffix that its samples keep.
fn open_metrics_name(name: &str, kind: FamilyKind) -> &str {
    match kind {
        FamilyKind::Counter => name.strip_suffix("_total").unwrap_or(name),
        FamilyKind::Histogram | FamilyKind::TargetInfo => name,
    }
}

fn header(name: &str, kind: FamilyKind, help: &str, dialect: Dialect) -> Vec<u8> {
    let word = match kind {
        // OpenMetrics has no counter without the suffix.
        FamilyKind::Counter if dialect == Dialect::OpenMetrics && !name.ends_with("_total") => {
            "unknown"
        }
        FamilyKind::Counter => "counter",
        FamilyKind::Histogram => "histogram",
        FamilyKind::TargetInfo => "gauge",
    };
    let name = match dialect {
        Dialect::Text => name,
        Dialect::OpenMetrics => open_metrics_name(name, kind),
    };
    let mut lines = format!("# HELP {name} ").into_bytes();
    push_help(&mut lines, help, dialect);
    lines.extend_from_slice(format!("\n# TYPE {name} {word}\n").as_bytes());
    lines
}

impl ValuePlan {
    fn new(value: &StreamValue) -> Self {
        match value {
            StreamValue::Count => Self::Count,
            StreamValue::Histogram {
                bounds,
                nanos_per_unit,
            } => Self::Histogram(HistogramPlan::new(bounds, *nanos_per_unit)),
        }
    }
}

impl HistogramPlan {
    /// Of a bound that is there twice, the first one's count is shown; the others' are only in the
    /// total.
    fn new(bounds: &[f64], nanos_per_unit: f64) -> Self {
        let mut kept: Vec<(f64, usize)> = Vec::with_capacity(bounds.len());
        for (bucket, bound) in bounds.iter().enumerate() {
            // Minus zero is zero.
            let bound = &(bound + 0.0);
            if !kept.iter().any(|(known, _)| known.total_cmp(bound).is_eq()) {
                kept.push((*bound, bucket));
            }
        }
        kept.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let infinity = kept
            .iter()
            .all(|(bound, _)| bound.is_finite())
            .then(|| le_texts(f64::INFINITY));
        let bounds: Vec<Bound> = kept
            .into_iter()
            .map(|(bound, bucket)| Bound {
                bucket,
                le: le_texts(bound),
            })
            .collect();
        let le_bytes_max = bounds
            .iter()
            .flat_map(|bound| &bound.le)
            .chain(infinity.iter().flatten())
            .map(Vec::len)
            .max()
            .unwrap_or_default();
        Self {
            bounds,
            infinity,
            nanos_per_unit,
            le_bytes_max,
        }
    }

    /// Lines of a series: buckets, sum and count.
    pub(super) fn lines(&self) -> usize {
        self.bounds.len() + usize::from(self.infinity.is_some()) + 2
    }
}

fn le_texts(bound: f64) -> [Vec<u8>; 2] {
    [Dialect::Text, Dialect::OpenMetrics].map(|dialect| {
        let mut text = b",le=\"".to_vec();
        push_float(&mut text, bound, dialect);
        text.extend_from_slice(b"\"} ");
        text
    })
}
