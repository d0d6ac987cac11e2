//! What a connector puts out, in OTLP words: the metrics and the identity of a table's cells.
//!
//! A connector describes its tables with it, an exporter's view reads it at a birth; `pipeline`
//! brings the two together, so neither knows the other.

use std::sync::Arc;

/// All metrics that are read off the cells of one table of the store.
#[derive(Clone)]
pub struct Stream {
    pub scope_name: &'static str,
    /// In the order they are put out.
    pub metrics: Vec<StreamMetric>,
    /// Resource bytes and key bytes of a cell's identity -> the identity in OTLP words.
    pub describe: Describe,
}

/// Reads who a series is from the bytes of its resource and of its key.
pub type Describe = Arc<dyn Fn(&[u8], &[u8]) -> SeriesIdentity + Send + Sync>;

#[derive(Clone, Debug, PartialEq)]
pub struct StreamMetric {
    /// OTLP name, with its namespace.
    pub name: String,
    pub unit: &'static str,
    pub description: &'static str,
    pub value: StreamValue,
}

/// How a cell's row is read as the value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamValue {
    /// A cumulative monotonic sum: the count of a counter row, or the total of a histogram row.
    Count,
    /// A cumulative explicit histogram.
    Histogram {
        /// One less than the row's buckets, in the metric's unit; neither sorted nor free of
        /// repeats when the user's list is not.
        bounds: Vec<f64>,
        /// Nanoseconds of one unit: the row's sum is divided by it.
        nanos_per_unit: f64,
    },
}

/// Who a series is, in OTLP words, values already as text (which may not be UTF-8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesIdentity {
    /// In the order of the resource's list.
    pub resource: Vec<Attribute>,
    /// Of the data point, in the order the connector sets them; no key twice.
    pub attributes: Vec<Attribute>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub key: Vec<u8>,
    pub text: Vec<u8>,
}
