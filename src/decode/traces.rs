//! The walker of trace requests, and the decoder that owns its columns.
//!
//! A request's protobuf bytes come in, its spans are added as rows; several requests make a batch.
//! The walk is one pass over the wire. A resource may stand behind its spans: spans name the row of
//! their resource, and that row is written when its `ResourceSpans` ends. What protobuf would merge
//! (a resource or an attribute's value in several parts) is joined in one buffer beside the bodies;
//! everything else is a view into a body. A request that turns out malformed takes its rows away
//! again. Ids, links and whatever nobody asked for are checked for form only.
//!
//! Rows, bodies and positions have 32 bits: a batch has at most `BATCH_BYTES_MAX` bytes, and the
//! smallest span takes two. So a request of empty spans has rows that take far more memory than its
//! bytes, bounded by its size.
//!
//! Runs on a worker core, per row; no unsafe; see the bench `decode`.

use std::sync::Arc;

use arrow_buffer::Buffer;
use bytes::Bytes;

use super::columns::{EventColumns, ResourceColumn, SpanColumns, WantedFields, view};
use super::error::{BATCH_BYTES_MAX, DecodeError};
use super::form::{self, Attribute, AttributeValue};
use super::projection::Projection;
use crate::batch::proto::{BYTES, FIXED32, FIXED64, NESTING_MAX, Reader, Tag, VARINT};
use crate::batch::{TraceBatch, TraceLayout};

/// Data buffer of the values that were joined; the bodies follow.
const JOINED: u32 = 0;

/// Levels below each message of the fixed part of a request.
const RESOURCE_SPANS_LEVELS: u32 = NESTING_MAX - 1;
const RESOURCE_LEVELS: u32 = RESOURCE_SPANS_LEVELS - 1;
const SCOPE_SPANS_LEVELS: u32 = RESOURCE_SPANS_LEVELS - 1;
const SPAN_LEVELS: u32 = SCOPE_SPANS_LEVELS - 1;
const STATUS_LEVELS: u32 = SPAN_LEVELS - 1;
const EVENT_LEVELS: u32 = SPAN_LEVELS - 1;

const SPAN_ATTRIBUTE: Tag = Tag::new(9, BYTES);
/// The same as it stands on the wire, in one byte.
const SPAN_ATTRIBUTE_BYTE: u8 = SPAN_ATTRIBUTE.0 as u8;

/// What the rows of one request may take as columns. A span of two bytes is a row as large as any:
/// without a bound, a body of such spans would take fifty times its own size.
const ROW_BYTES_MAX: usize = 32 << 20;
/// A row without its attributes, rounded up: place in the resource, times, kind, status, name.
const ROW_BYTES: usize = 48;
/// A cell and its validity.
const CELL_BYTES: usize = 17;

/// `ResourceSpans.deprecated_scope_spans`, the former instrumentation library list.
const OLD_SCOPE_SPANS: u32 = 1000;

/// What one request added to the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    pub resources: usize,
    pub spans: usize,
    /// 0 when nobody looks at events.
    pub events: usize,
}

/// Turns trace requests into batches of one layout. Owned by one worker.
#[derive(Debug)]
pub struct TraceDecoder {
    layout: Arc<TraceLayout>,
    span_keys: Projection,
    event_keys: Projection,
    rows: Rows,
    /// Bodies of the requests in the batch.
    bodies: Vec<Bytes>,
    body_bytes: u64,
    /// Of one request: spans, events and resources together.
    rows_max: u32,
}

/// Everything a walk adds to.
#[derive(Debug)]
struct Rows {
    resources: ResourceColumn,
    spans: SpanColumns,
    events: Option<EventColumns>,
    joined: Vec<u8>,
}

/// How far the rows were at some time.
#[derive(Clone, Copy)]
struct Mark {
    resources: usize,
    spans: usize,
    events: usize,
    joined: usize,
}

impl TraceDecoder {
    #[must_use]
    pub fn new(layout: Arc<TraceLayout>) -> Self {
        let columns = layout.columns();
        let wanted = WantedFields {
            name: columns.name,
            kind: columns.kind,
            status: columns.status,
            times: columns.times,
        };
        let event_keys = columns.event_attributes.as_deref();
        let cells = columns
            .span_attributes
            .len()
            .max(event_keys.map_or(0, <[_]>::len));
        Self {
            rows_max: (ROW_BYTES_MAX / (ROW_BYTES + CELL_BYTES * cells)) as u32,
            span_keys: Projection::new(&columns.span_attributes),
            event_keys: Projection::new(event_keys.unwrap_or_default()),
            rows: Rows {
                resources: ResourceColumn::default(),
                spans: SpanColumns::new(wanted, columns.span_attributes.len()),
                events: layout.events_schema().map(EventColumns::new),
                joined: Vec::new(),
            },
            bodies: Vec::new(),
            body_bytes: 0,
            layout,
        }
    }

    /// Spans in the batch so far.
    #[must_use]
    pub const fn spans(&self) -> usize {
        self.rows.spans.rows()
    }

    /// Adds the spans of one request, all of them or, if it is malformed, none.
    ///
    /// # Hot path
    /// - runs: on a worker, once a request, over each of its bytes
    /// - cost: no allocation a row once the columns have grown; with the guide's columns, 512 spans:
    ///   1,580 instructions a span of 300 B, 2,370 of 800 B (bench `decode/guide`); an attribute that
    ///   nobody asked for: 1.7 a byte (bench `unwanted_attributes`)
    /// - invariants: none; any bytes may come
    /// - units: rows
    pub fn append(&mut self, body: Bytes) -> Result<Appended, DecodeError> {
        let bytes = self.body_bytes + body.len() as u64;
        if bytes > BATCH_BYTES_MAX {
            return Err(DecodeError::BatchBytes { bytes });
        }
        let before = self.rows.mark();
        let mut walk = Walk {
            body: &body,
            buffer: self.bodies.len() as u32 + JOINED + 1,
            span_keys: &self.span_keys,
            event_keys: &self.event_keys,
            rows: &mut self.rows,
            rows_max: self.rows_max,
            rows_left: self.rows_max,
        };
        if let Err(error) = walk.request() {
            self.rows.truncate(before);
            return Err(error);
        }
        self.bodies.push(body);
        self.body_bytes = bytes;
        let after = self.rows.mark();
        Ok(Appended {
            resources: after.resources - before.resources,
            spans: after.spans - before.spans,
            events: after.events - before.events,
        })
    }

    /// The batch of what was appended since the last one.
    ///
    /// # Hot path
    /// - runs: on a worker, once a batch
    /// - cost: three allocations a column and two a request, whatever the rows; Arrow checks each
    ///   view once more, 23 instructions
    /// - invariants: none
    /// - units: none
    pub fn finish(&mut self) -> TraceBatch {
        let rows = &mut self.rows;
        let joined = std::mem::take(&mut rows.joined);
        let bodies = self.bodies.drain(..).map(Buffer::from);
        let buffers: Arc<[Buffer]> = std::iter::once(Buffer::from_vec(joined))
            .chain(bodies)
            .collect();
        self.body_bytes = 0;
        let layout = &self.layout;
        let resources = rows.resources.finish(layout.resources_schema(), &buffers);
        let spans = rows.spans.finish(layout.spans_schema(), &buffers);
        TraceBatch {
            resources,
            spans,
            events: (rows.events.as_mut()).map(|events| events.finish(&buffers)),
        }
    }

    /// Takes the memory of a batch back, as far as nobody else holds it. For the time between
    /// `finish` and the next `append`; a batch that comes later is dropped.
    pub fn recycle(&mut self, batch: TraceBatch) {
        if !self.bodies.is_empty() {
            return;
        }
        let rows = &mut self.rows;
        rows.resources.recycle(batch.resources);
        rows.spans.recycle(batch.spans);
        if let (Some(events), Some(batch)) = (&mut rows.events, batch.events) {
            events.recycle(batch);
        }
    }
}

impl Rows {
    fn mark(&self) -> Mark {
        Mark {
            resources: self.resources.0.len(),
            spans: self.spans.rows(),
            events: self.events.as_ref().map_or(0, EventColumns::rows),
            joined: self.joined.len(),
        }
    }

    #[cold]
    fn truncate(&mut self, mark: Mark) {
        self.resources.0.truncate(mark.resources);
        self.spans.truncate(mark.spans);
        if let Some(events) = &mut self.events {
            events.truncate(mark.events);
        }
        self.joined.truncate(mark.joined);
    }

    /// The view of a value that was joined from `parts`.
    #[cold]
    fn join<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>) -> u128 {
        let start = self.joined.len();
        parts.for_each(|part| self.joined.extend_from_slice(part));
        view(&self.joined, &self.joined[start..], JOINED)
    }
}

/// The walk over one request.
struct Walk<'a> {
    body: &'a [u8],
    /// Index of the body among the data buffers.
    buffer: u32,
    span_keys: &'a Projection,
    event_keys: &'a Projection,
    rows: &'a mut Rows,
    rows_max: u32,
    rows_left: u32,
}

impl<'a> Walk<'a> {
    fn request(&mut self) -> Result<(), DecodeError> {
        const RESOURCE_SPANS: Tag = Tag::new(1, BYTES);
        let mut reader = Reader::new(self.body);
        while !reader.is_done() {
            match reader.tag()? {
                RESOURCE_SPANS => self.resource_spans(reader.message()?)?,
                tag => form::check_field(&mut reader, tag, &form::REQUEST, NESTING_MAX)?,
            }
        }
        Ok(())
    }

    fn resource_spans(&mut self, message: Reader<'a>) -> Result<(), DecodeError> {
        const RESOURCE: Tag = Tag::new(1, BYTES);
        const SCOPE_SPANS: Tag = Tag::new(2, BYTES);
        self.take_row()?;
        let row = self.rows.resources.0.len();
        self.rows.resources.0.push(0);
        let mut resources = 0;
        let mut old_list = OldList::Unseen;
        let mut reader = message;
        while !reader.is_done() {
            match reader.tag()? {
                RESOURCE => {
                    let resource = reader.message()?;
                    form::check(resource, &form::RESOURCE, RESOURCE_LEVELS)?;
                    self.rows.resources.0[row] = view(self.body, resource.rest(), self.buffer);
                    resources += 1;
                }
                SCOPE_SPANS => self.scope_spans(reader.message()?, row as u32)?,
                tag if tag.field() == OLD_SCOPE_SPANS => {
                    if tag.wire_type() != BYTES {
                        return Err(tag.refuse(reader.at()).into());
                    }
                    self.old_scope_spans(reader.message()?, row as u32, message, &mut old_list)?;
                }
                tag => {
                    let table = &form::RESOURCE_SPANS;
                    form::check_field(&mut reader, tag, table, RESOURCE_SPANS_LEVELS)?;
                }
            }
        }
        if resources > 1 {
            self.rows.resources.0[row] = self.rows.join(parts(message, RESOURCE));
        }
        Ok(())
    }

    fn take_row(&mut self) -> Result<(), DecodeError> {
        let rows_max = self.rows_max;
        let left = self.rows_left.checked_sub(1);
        self.rows_left = left.ok_or(DecodeError::Rows { rows_max })?;
        Ok(())
    }

    /// The list counts where there is no newer one; else it is checked only.
    #[cold]
    fn old_scope_spans(
        &mut self,
        scope_spans: Reader<'a>,
        resource: u32,
        resource_spans: Reader<'a>,
        old_list: &mut OldList,
    ) -> Result<(), DecodeError> {
        const SCOPE_SPANS: Tag = Tag::new(2, BYTES);
        if matches!(old_list, OldList::Unseen) {
            *old_list = match parts(resource_spans, SCOPE_SPANS).next() {
                None => OldList::Counts,
                Some(_) => OldList::Replaced,
            };
        }
        let before = self.rows.mark();
        self.scope_spans(scope_spans, resource)?;
        if matches!(old_list, OldList::Replaced) {
            self.rows.truncate(before);
        }
        Ok(())
    }

    fn scope_spans(&mut self, mut reader: Reader<'a>, resource: u32) -> Result<(), DecodeError> {
        const SPAN: Tag = Tag::new(2, BYTES);
        while !reader.is_done() {
            match reader.tag()? {
                SPAN => self.span(reader.bytes()?, resource)?,
                tag => {
                    let table = &form::SCOPE_SPANS;
                    form::check_field(&mut reader, tag, table, SCOPE_SPANS_LEVELS)?;
                }
            }
        }
        Ok(())
    }

    // PERF: a reader that is made here, not handed over, stays in registers; bench `decode/guide`.
    #[inline(never)]
    fn span(&mut self, message: &'a [u8], resource: u32) -> Result<(), DecodeError> {
        const TRACE_ID: Tag = Tag::new(1, BYTES);
        const SPAN_ID: Tag = Tag::new(2, BYTES);
        const PARENT_SPAN_ID: Tag = Tag::new(4, BYTES);
        const NAME: Tag = Tag::new(5, BYTES);
        const KIND: Tag = Tag::new(6, VARINT);
        const START: Tag = Tag::new(7, FIXED64);
        const END: Tag = Tag::new(8, FIXED64);
        const EVENT: Tag = Tag::new(11, BYTES);
        const STATUS: Tag = Tag::new(15, BYTES);
        const FLAGS: Tag = Tag::new(16, FIXED32);
        self.take_row()?;
        let row = self.rows.spans.begin(resource);
        let mut reader = Reader::new(self.body).of_part(message);
        while !reader.is_done() {
            if reader.rest().first() == Some(&SPAN_ATTRIBUTE_BYTE) {
                let behind = self.usual_attributes(reader.rest(), row);
                reader = reader.of_part(behind);
                if reader.is_done() {
                    break;
                }
            }
            match reader.tag()? {
                SPAN_ATTRIBUTE => {
                    let attribute = form::key_value(reader.message()?, SPAN_LEVELS - 1)?;
                    if let Some(column) = self.span_keys.find(attribute.key) {
                        let cell = self.cell(attribute);
                        self.rows.spans.attributes.set_first(column, row, cell);
                    }
                }
                TRACE_ID => form::trace_id(&mut reader)?,
                SPAN_ID | PARENT_SPAN_ID => form::span_id(&mut reader)?,
                NAME => {
                    let name = reader.bytes()?;
                    if let Some(cell) = self.rows.spans.name.get_mut(row) {
                        *cell = view(self.body, name, self.buffer);
                    }
                }
                // An enum has 32 bits; protobuf cuts what is longer.
                KIND => set(&mut self.rows.spans.kind, row, reader.varint()? as i32),
                START => set(&mut self.rows.spans.start, row, reader.fixed64()?),
                END => set(&mut self.rows.spans.end, row, reader.fixed64()?),
                STATUS => self.status(reader.bytes()?, row)?,
                FLAGS => drop(reader.fixed32()?),
                EVENT if self.rows.events.is_some() => self.event(reader.message()?, row as u32)?,
                tag => reader
                    .apart(|reader| form::check_field(reader, tag, &form::SPAN, SPAN_LEVELS))?,
            }
        }
        Ok(())
    }

    /// Walks over attributes as every SDK writes them, as long as they come; returns what is behind.
    // PERF: attributes stand together and are most of a span; in a function of their own their loop
    // stays in registers. Bench `decode/form_only`.
    #[inline(never)]
    fn usual_attributes(&mut self, mut rest: &'a [u8], row: usize) -> &'a [u8] {
        while let Some((key, value)) = form::take_usual_attribute(&mut rest, SPAN_ATTRIBUTE_BYTE) {
            if let Some(column) = self.span_keys.find(key) {
                let cell = view(self.body, value, self.buffer);
                self.rows.spans.attributes.set_first(column, row, cell);
            }
        }
        rest
    }

    #[inline]
    fn status(&mut self, message: &'a [u8], row: usize) -> Result<(), DecodeError> {
        const CODE: Tag = Tag::new(3, VARINT);
        let mut reader = Reader::new(self.body).of_part(message);
        while !reader.is_done() {
            match reader.tag()? {
                CODE => set(&mut self.rows.spans.status, row, reader.varint()? as i32),
                tag => reader
                    .apart(|reader| form::check_field(reader, tag, &form::STATUS, STATUS_LEVELS))?,
            }
        }
        Ok(())
    }

    fn event(&mut self, mut reader: Reader<'a>, span: u32) -> Result<(), DecodeError> {
        const ATTRIBUTE: Tag = Tag::new(3, BYTES);
        self.take_row()?;
        let Some(events) = &mut self.rows.events else {
            return Ok(());
        };
        let row = events.begin(span);
        while !reader.is_done() {
            match reader.tag()? {
                ATTRIBUTE => {
                    let attribute = form::key_value(reader.message()?, EVENT_LEVELS - 1)?;
                    if let Some(column) = self.event_keys.find(attribute.key) {
                        let cell = self.cell(attribute);
                        if let Some(events) = &mut self.rows.events {
                            events.attributes.set_first(column, row, cell);
                        }
                    }
                }
                tag => form::check_field(&mut reader, tag, &form::EVENT, EVENT_LEVELS)?,
            }
        }
        Ok(())
    }

    /// The cell of an attribute that somebody wants.
    #[inline]
    fn cell(&mut self, attribute: Attribute<'a>) -> u128 {
        const VALUE: Tag = Tag::new(2, BYTES);
        match attribute.value {
            AttributeValue::Whole(value) => view(self.body, value, self.buffer),
            AttributeValue::InParts(message) => self.rows.join(parts(message, VALUE)),
        }
    }
}

/// Whether the former instrumentation library list of a `ResourceSpans` counts.
enum OldList {
    Unseen,
    Counts,
    Replaced,
}

/// Writes a number where somebody asked for it.
#[inline]
fn set<T>(column: &mut [T], row: usize, number: T) {
    if let Some(cell) = column.get_mut(row) {
        *cell = number;
    }
}

/// The fields of `message` with this tag, in order. Ends at the first malformed field: the walk
/// that finds it refuses the request.
fn parts(mut reader: Reader<'_>, wanted: Tag) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        while !reader.is_done() {
            let tag = reader.tag().ok()?;
            if tag == wanted {
                return reader.bytes().ok();
            }
            reader.skip(tag, RESOURCE_SPANS_LEVELS).ok()?;
        }
        None
    })
}
