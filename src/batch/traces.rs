//! The columns of a trace batch, the only type between `decode` and the connectors.
//!
//! A batch holds the spans of one or more requests that were ready together. Only columns that
//! `TraceColumns` asks for exist. Text and attribute values are views into the request bodies: they
//! live as long as the batch and no longer. Attribute cells hold the bytes of the OTLP `AnyValue`
//! message as they stood on the wire; null means that the span has no such attribute, an empty cell
//! means an attribute without a value. Text is not checked for UTF-8 here: the Collector takes bytes.
//!
//! `TraceLayout` is what those who write or read a batch settle once at start: the schemas and where
//! each column stands. Nobody looks a column up by name while data flows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_array::{BinaryViewArray, Int32Array, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

/// What a trace batch carries: compiled once from the configuration (projection).
///
/// Order of the columns of `spans`: `resource` (`UInt32`, row of `resources`), then those that are
/// asked for of `name` (`BinaryView`), `kind` (`Int32`), `status` (`Int32`), `start` and `end`
/// (`UInt64`, Unix nanoseconds, always together), then one nullable `BinaryView` for each span
/// attribute in order. `events` has `span` (`UInt32`, row of `spans`), then one nullable
/// `BinaryView` for each event attribute. `resources` has one `BinaryView`: the bytes of the OTLP
/// `Resource` message, repeated sub-messages joined.
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each column, all independent"
)]
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

impl TraceColumns {
    /// Adds what `other` asks for. Columns that stood here before keep their order.
    pub fn merge(&mut self, other: &Self) {
        self.name |= other.name;
        self.kind |= other.kind;
        self.status |= other.status;
        self.times |= other.times;
        merge_keys(&mut self.span_attributes, &other.span_attributes);
        if let Some(keys) = &other.event_attributes {
            merge_keys(self.event_attributes.get_or_insert_default(), keys);
        }
    }
}

fn merge_keys(keys: &mut Vec<Vec<u8>>, others: &[Vec<u8>]) {
    for key in others {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
}

/// Spans of one or more requests as columns. See [`TraceColumns`] for which there are.
#[derive(Clone, Debug)]
pub struct TraceBatch {
    /// One row for each `ResourceSpans`, also for one without spans.
    pub resources: RecordBatch,
    pub spans: RecordBatch,
    pub events: Option<RecordBatch>,
}

/// The schemas of the batches of one `TraceColumns`, and where their columns stand.
///
/// The readers below take batches of this layout; another batch is a bug of ours and panics.
#[derive(Clone, Debug)]
pub struct TraceLayout {
    columns: TraceColumns,
    resources: SchemaRef,
    spans: SchemaRef,
    events: Option<SchemaRef>,
    name: Option<usize>,
    kind: Option<usize>,
    status: Option<usize>,
    start: Option<usize>,
    span_attributes: usize,
}

impl TraceLayout {
    #[must_use]
    pub fn new(columns: TraceColumns) -> Self {
        let mut spans = vec![Field::new("resource", DataType::UInt32, false)];
        let mut add = |wanted: bool, name: &str, data_type: DataType| {
            wanted.then(|| {
                spans.push(Field::new(name, data_type, false));
                spans.len() - 1
            })
        };
        let name = add(columns.name, "name", DataType::BinaryView);
        let kind = add(columns.kind, "kind", DataType::Int32);
        let status = add(columns.status, "status", DataType::Int32);
        let start = add(columns.times, "start", DataType::UInt64);
        add(columns.times, "end", DataType::UInt64);
        let span_attributes = spans.len();
        spans.extend(
            columns
                .span_attributes
                .iter()
                .map(|key| attribute_field(key)),
        );
        let events = columns.event_attributes.as_ref().map(|keys| {
            let span = Field::new("span", DataType::UInt32, false);
            let attributes = keys.iter().map(|key| attribute_field(key));
            let fields = std::iter::once(span).chain(attributes);
            Arc::new(Schema::new(fields.collect::<Vec<_>>()))
        });
        let resource = Field::new("resource", DataType::BinaryView, false);
        Self {
            columns,
            resources: Arc::new(Schema::new(vec![resource])),
            spans: Arc::new(Schema::new(spans)),
            events,
            name,
            kind,
            status,
            start,
            span_attributes,
        }
    }

    #[must_use]
    pub const fn columns(&self) -> &TraceColumns {
        &self.columns
    }

    #[must_use]
    pub const fn resources_schema(&self) -> &SchemaRef {
        &self.resources
    }

    #[must_use]
    pub const fn spans_schema(&self) -> &SchemaRef {
        &self.spans
    }

    #[must_use]
    pub const fn events_schema(&self) -> Option<&SchemaRef> {
        self.events.as_ref()
    }

    /// Bytes of the `Resource` messages, by row of `resources`.
    #[must_use]
    pub fn resources<'a>(&self, batch: &'a TraceBatch) -> &'a BinaryViewArray {
        batch.resources.column(0).as_binary_view()
    }

    /// Row of `resources`, by span.
    #[must_use]
    pub fn span_resources<'a>(&self, batch: &'a TraceBatch) -> &'a UInt32Array {
        batch.spans.column(0).as_primitive::<UInt32Type>()
    }

    #[must_use]
    pub fn names<'a>(&self, batch: &'a TraceBatch) -> Option<&'a BinaryViewArray> {
        Some(batch.spans.column(self.name?).as_binary_view())
    }

    #[must_use]
    pub fn kinds<'a>(&self, batch: &'a TraceBatch) -> Option<&'a Int32Array> {
        Some(batch.spans.column(self.kind?).as_primitive::<Int32Type>())
    }

    #[must_use]
    pub fn statuses<'a>(&self, batch: &'a TraceBatch) -> Option<&'a Int32Array> {
        Some(batch.spans.column(self.status?).as_primitive::<Int32Type>())
    }

    /// Starts and ends of the spans, Unix nanoseconds.
    #[must_use]
    pub fn times<'a>(&self, batch: &'a TraceBatch) -> Option<(&'a UInt64Array, &'a UInt64Array)> {
        let start = self.start?;
        let column = |index| batch.spans.column(index).as_primitive::<UInt64Type>();
        Some((column(start), column(start + 1)))
    }

    /// Cells of the span attribute at `index` of [`TraceColumns::span_attributes`].
    #[must_use]
    pub fn span_attribute<'a>(&self, batch: &'a TraceBatch, index: usize) -> &'a BinaryViewArray {
        let column = batch.spans.column(self.span_attributes + index);
        column.as_binary_view()
    }

    /// Row of `spans`, by event.
    #[must_use]
    pub fn event_spans<'a>(&self, batch: &'a TraceBatch) -> Option<&'a UInt32Array> {
        let events = batch.events.as_ref()?;
        Some(events.column(0).as_primitive::<UInt32Type>())
    }

    /// Cells of the event attribute at `index` of [`TraceColumns::event_attributes`].
    #[must_use]
    pub fn event_attribute<'a>(
        &self,
        batch: &'a TraceBatch,
        index: usize,
    ) -> Option<&'a BinaryViewArray> {
        let events = batch.events.as_ref()?;
        Some(events.column(1 + index).as_binary_view())
    }

    /// Where `key` stands in [`TraceColumns::span_attributes`]. For the start, not per batch.
    #[must_use]
    pub fn span_attribute_index(&self, key: &[u8]) -> Option<usize> {
        let keys = &self.columns.span_attributes;
        keys.iter().position(|wanted| wanted == key)
    }

    /// Where `key` stands in [`TraceColumns::event_attributes`]. For the start, not per batch.
    #[must_use]
    pub fn event_attribute_index(&self, key: &[u8]) -> Option<usize> {
        let keys = self.columns.event_attributes.as_ref()?;
        keys.iter().position(|wanted| wanted == key)
    }
}

/// Named after its key for people; columns are found by their place.
fn attribute_field(key: &[u8]) -> Field {
    Field::new(String::from_utf8_lossy(key), DataType::BinaryView, true)
}
