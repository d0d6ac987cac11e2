//! What a target's configuration makes of spans: everything the verifier must be told.

use super::resource::ResourceAction;
use crate::generate::error::GenerateError;
use crate::generate::totals::BoundsNs;

/// The parts of a configuration that names, labels and buckets depend on, for one way of the spans
/// from the receiver to the scrape endpoint.
///
/// `Default` is the sidecar guide's scrape configuration, its bounds read as seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// `exporters.prometheus.namespace`.
    pub exporter_namespace: String,
    /// `exporters.prometheus.add_metric_suffixes`.
    pub metric_suffixes: bool,
    /// `exporters.prometheus.const_labels`.
    pub const_labels: Vec<(String, String)>,
    /// `exporters.prometheus.resource_to_telemetry_conversion.enabled`.
    pub resource_as_labels: bool,
    /// `connectors.spanmetrics.namespace`.
    pub connector_namespace: String,
    pub dimensions: Vec<ExpectedDimension>,
    pub exclude_dimensions: Vec<String>,
    /// `events.dimensions`; `None`: `events.enabled` is false.
    pub events: Option<Vec<ExpectedDimension>>,
    /// `None`: `histogram.disable`.
    pub histogram: Option<ExpectedHistogram>,
    /// Of `resource` processors in front of the connector, in order.
    pub resource: Vec<ResourceAction>,
    /// Of those behind it: they change what the exporter sees of the resource, not what was counted.
    pub resource_behind: Vec<ResourceAction>,
    /// Labels that are left out of account, on both sides. Those that begin with `otel_scope_` always
    /// are.
    pub ignored_labels: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedDimension {
    pub name: String,
    pub default: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedHistogram {
    pub unit: DurationUnit,
    /// Nanoseconds.
    pub bounds_ns: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationUnit {
    Milliseconds,
    Seconds,
}

impl DurationUnit {
    /// Nanoseconds of one unit.
    pub(super) fn nanos(self) -> f64 {
        match self {
            Self::Milliseconds => 1e6,
            Self::Seconds => 1e9,
        }
    }
}

impl ExpectedDimension {
    #[must_use]
    pub fn new(name: &str, default: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            default: default.map(ToOwned::to_owned),
        }
    }
}

impl Default for Expectation {
    fn default() -> Self {
        const MS: u64 = 1_000_000;
        Self {
            exporter_namespace: "acs".to_owned(),
            metric_suffixes: false,
            const_labels: vec![("label1".to_owned(), "value1".to_owned())],
            resource_as_labels: true,
            connector_namespace: "traces.span.metrics".to_owned(),
            dimensions: vec![
                ExpectedDimension::new("http.method", Some("GET")),
                ExpectedDimension::new("http.response.status_code", None),
                ExpectedDimension::new("http.route", None),
                ExpectedDimension::new("user.id", None),
            ],
            exclude_dimensions: Vec::new(),
            events: Some(vec![ExpectedDimension::new("default", Some("GET"))]),
            histogram: Some(ExpectedHistogram {
                unit: DurationUnit::Milliseconds,
                bounds_ns: [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000]
                    .map(|ms| ms * MS)
                    .to_vec(),
            }),
            resource: [
                "process.runtime.description",
                "process.command_args",
                "telemetry.distro.version",
                "telemetry.sdk.name",
                "telemetry.sdk.version",
                "service.instance.id",
                "process.runtime.name",
                "process.pid",
                "process.executable.path",
                "process.command.args",
                "os.description",
                "instance",
                "container.id",
            ]
            .map(ResourceAction::delete)
            .to_vec(),
            resource_behind: Vec::new(),
            ignored_labels: vec!["collector_instance_id".to_owned()],
        }
    }
}

impl Expectation {
    /// Upper bounds of the buckets in nanoseconds.
    pub(super) fn bounds_ns(&self) -> &[u64] {
        let histogram = self.histogram.as_ref();
        histogram.map_or(&[], |histogram| &histogram.bounds_ns)
    }
}

/// All bounds of all ways: totals kept in them tell the buckets of each.
///
/// # Errors
/// When those of a way are not strictly ascending: what a target makes of such a list is no
/// histogram.
pub(super) fn bounds_of_all(ways: &[Expectation]) -> Result<BoundsNs, GenerateError> {
    let mut all = Vec::new();
    for bounds in ways.iter().map(Expectation::bounds_ns) {
        if !bounds.is_sorted_by(|one, next| one < next) {
            return Err(GenerateError::Bounds);
        }
        all.extend_from_slice(bounds);
    }
    all.sort_unstable();
    all.dedup();
    Ok(all.into())
}
