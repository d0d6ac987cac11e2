//! The columns of a trace batch, the only type between `decode` and the connectors.
//!
//! A batch holds the spans of one or more requests that were ready together. Only columns that
//! `TraceColumns` asks for exist. Text and attribute values are views into the request bodies: they
//! live as long as the batch and no longer. Attribute cells hold the bytes of the OTLP `AnyValue`
//! message as they stood on the wire; null means that the span has no such attribute, an empty cell
//! means an attribute without a value. Text is not checked for UTF-8 here: the Collector takes bytes.

use arrow_array::RecordBatch;

/// What a trace batch carries: compiled once from the configuration (projection).
///
/// Order of the columns of `spans`: `resource` (UInt32, row of `resources`), then those that are
/// asked for of `name` (BinaryView), `kind` (Int32), `status` (Int32), `start` and `end` (UInt64,
/// Unix nanoseconds, always together), then one nullable BinaryView for each span attribute in
/// order. `events` has `span` (UInt32, row of `spans`), then one nullable BinaryView for each event
/// attribute. `resources` has one BinaryView: the bytes of the OTLP `Resource` message, repeated
/// sub-messages joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceColumns {
    pub name: bool,
    pub kind: bool,
    pub status: bool,
    pub times: bool,
    /// Keys of wanted span attributes; no key twice.
    pub span_attributes: Vec<Vec<u8>>,
    /// `None`: nobody looks at events. `Some` of no keys: one row an event, no attribute columns.
    pub event_attributes: Option<Vec<Vec<u8>>>,
}

/// Spans of one or more requests as columns. See [`TraceColumns`] for which there are.
#[derive(Clone, Debug)]
pub struct TraceBatch {
    /// One row for each `ResourceSpans`, also for one without spans.
    pub resources: RecordBatch,
    pub spans: RecordBatch,
    pub events: Option<RecordBatch>,
}
