//! The columns of a trace batch while they grow, and how they become record batches and come back.
//!
//! All columns of a table are zeroed for a block of rows at once; a row that begins is a row of
//! zeros, and only what the wire says is written into it. A null is a zero view whose bit stays
//! clear. A column that nobody asked for has no cells, so a write to it finds no place and does
//! nothing. Giving up rows means zeroing them again. Vectors become Arrow buffers without a copy,
//! and become vectors again when their batch comes back and nobody else holds it.
//!
//! Runs on a worker core, per row; no allocation once the vectors have grown; no unsafe.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, BinaryViewArray, PrimitiveArray, RecordBatch};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::SchemaRef;

/// Rows zeroed at a time, first and at most: a small batch has no use for more. Whole bytes of
/// validity.
const BLOCK_ROWS_MIN: usize = 16;
const BLOCK_ROWS_MAX: usize = 64;

/// A column that grew beyond this is not kept for the next batch: one huge request must not hold
/// its memory for ever.
const KEPT_ROWS_MAX: usize = 8_192;

/// The rows of a table that has no room for one more.
const fn grown(rows: usize) -> usize {
    if rows < BLOCK_ROWS_MIN {
        BLOCK_ROWS_MIN
    } else if rows < BLOCK_ROWS_MAX {
        2 * rows
    } else {
        rows + BLOCK_ROWS_MAX
    }
}

/// Longest value that stands in the view itself (Arrow columnar format, "Variable-size Binary View").
const INLINE_BYTES_MAX: usize = 12;

/// What a view keeps of a short value: so many bytes, from the lowest.
const MASKS: [u128; INLINE_BYTES_MAX + 1] = {
    let mut masks = [0; INLINE_BYTES_MAX + 1];
    let mut bytes = 1;
    while bytes < masks.len() {
        masks[bytes] = masks[bytes - 1] << 8 | 0xff;
        bytes += 1;
    }
    masks
};

/// The view of `value`, a part of `body`, which is the data buffer with index `buffer`.
#[inline]
pub(super) fn view(body: &[u8], value: &[u8], buffer: u32) -> u128 {
    let bytes = value.len();
    let at = value.as_ptr().addr().wrapping_sub(body.as_ptr().addr());
    if let Some(mask) = MASKS.get(bytes) {
        // A short value is loaded with what follows it in the body, then masked.
        let window = match body.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(window) => u128::from_le_bytes(*window),
            None => padded(value),
        };
        bytes as u128 | (window & mask) << 32
    } else {
        let prefix = value.first_chunk().copied().unwrap_or_default();
        // Positions and lengths fit: a batch has at most `BATCH_BYTES_MAX` bytes.
        bytes as u128
            | u128::from(u32::from_le_bytes(prefix)) << 32
            | u128::from(buffer) << 64
            | (at as u128) << 96
    }
}

#[cold]
fn padded(value: &[u8]) -> u128 {
    let mut window = [0; 16];
    window[..value.len()].copy_from_slice(value);
    u128::from_le_bytes(window)
}

/// One nullable column of attribute cells.
#[derive(Debug, Default)]
struct CellColumn {
    views: Vec<u128>,
    /// One bit a row, the lowest first; set where the row has a cell.
    valid: Vec<u8>,
    /// PERF: what the last batch without any cell got. Many a batch has none of an attribute, and
    /// batches of one client have as many rows: the shells cost a small request less (bench `path`).
    none: Option<ArrayRef>,
}

impl CellColumn {
    /// The column of a batch without any cell. The vectors stay here, as zeros.
    fn no_cells(&mut self, rows: usize) -> ArrayRef {
        if let Some(none) = self.none.as_ref().filter(|none| none.len() == rows) {
            return Arc::clone(none);
        }
        let none: ArrayRef = Arc::new(BinaryViewArray::new_null(rows));
        if rows <= KEPT_ROWS_MAX {
            self.none = Some(Arc::clone(&none));
        }
        none
    }
}

/// Attribute columns of one table, all of the same rows.
#[derive(Debug)]
pub(super) struct CellColumns(Vec<CellColumn>);

impl CellColumns {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| CellColumn::default()).collect())
    }

    /// Writes a cell unless the row has one: of equal keys the first one counts.
    #[inline]
    pub(super) fn set_first(&mut self, column: usize, row: usize, cell: u128) {
        let Some(column) = self.0.get_mut(column) else {
            return;
        };
        let bit = 1 << (row % 8);
        if let (Some(view), Some(valid)) =
            (column.views.get_mut(row), column.valid.get_mut(row / 8))
            && *valid & bit == 0
        {
            *view = cell;
            *valid |= bit;
        }
    }

    fn resize(&mut self, rows: usize) {
        for column in &mut self.0 {
            column.views.resize(rows, 0);
            column.valid.resize(rows.div_ceil(8), 0);
        }
    }

    fn clear_rows(&mut self, from: usize, to: usize) {
        for column in &mut self.0 {
            column.views[from..to].fill(0);
            for row in from..to {
                column.valid[row / 8] &= !(1 << (row % 8));
            }
        }
    }

    fn finish(&mut self, rows: usize, buffers: &Arc<[Buffer]>, out: &mut Vec<ArrayRef>) {
        for column in &mut self.0 {
            if column.valid.len() <= KEPT_ROWS_MAX / 8 && column.valid.iter().all(|bits| *bits == 0)
            {
                out.push(column.no_cells(rows));
                continue;
            }
            let mut valid = std::mem::take(&mut column.valid);
            valid.truncate(rows.div_ceil(8));
            let valid = BooleanBuffer::new(Buffer::from_vec(valid), 0, rows);
            let nulls = Some(NullBuffer::new(valid));
            out.push(views_array(&mut column.views, rows, buffers, nulls));
        }
    }

    fn recycle(&mut self, arrays: impl Iterator<Item = ArrayRef>) {
        for (column, array) in self.0.iter_mut().zip(arrays) {
            if let Some((views, valid)) = recycled_views(array) {
                column.views = views;
                column.valid = valid;
            }
        }
    }
}

/// The `spans` table.
#[derive(Debug)]
pub(super) struct SpanColumns {
    rows: usize,
    /// Rows that exist as zeros.
    room: usize,
    wanted: WantedFields,
    resource: Vec<u32>,
    pub(super) name: Vec<u128>,
    pub(super) kind: Vec<i32>,
    pub(super) status: Vec<i32>,
    pub(super) start: Vec<u64>,
    pub(super) end: Vec<u64>,
    pub(super) attributes: CellColumns,
}

/// Which fields of a span have a column.
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each column, all independent"
)]
#[derive(Clone, Copy, Debug)]
pub(super) struct WantedFields {
    pub(super) name: bool,
    pub(super) kind: bool,
    pub(super) status: bool,
    pub(super) times: bool,
}

impl SpanColumns {
    pub(super) fn new(wanted: WantedFields, attributes: usize) -> Self {
        Self {
            rows: 0,
            room: 0,
            wanted,
            resource: Vec::new(),
            name: Vec::new(),
            kind: Vec::new(),
            status: Vec::new(),
            start: Vec::new(),
            end: Vec::new(),
            attributes: CellColumns::new(attributes),
        }
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Begins a row of zeros and nulls; returns its number.
    #[inline]
    pub(super) fn begin(&mut self, resource: u32) -> usize {
        let row = self.rows;
        if row == self.room {
            self.grow();
        }
        self.resource[row] = resource;
        self.rows += 1;
        row
    }

    #[cold]
    fn grow(&mut self) {
        let room = grown(self.room);
        self.room = room;
        let WantedFields {
            name,
            kind,
            status,
            times,
        } = self.wanted;
        self.resource.resize(room, 0);
        self.name.resize(if name { room } else { 0 }, 0);
        self.kind.resize(if kind { room } else { 0 }, 0);
        self.status.resize(if status { room } else { 0 }, 0);
        self.start.resize(if times { room } else { 0 }, 0);
        self.end.resize(if times { room } else { 0 }, 0);
        self.attributes.resize(room);
    }

    /// Gives up the rows from `rows` on.
    #[cold]
    pub(super) fn truncate(&mut self, rows: usize) {
        fn clear<T: Default + Copy>(column: &mut [T], from: usize, to: usize) {
            if let Some(rows) = column.get_mut(from..to) {
                rows.fill(T::default());
            }
        }
        let from = rows;
        let to = std::mem::replace(&mut self.rows, from);
        clear(&mut self.resource, from, to);
        clear(&mut self.name, from, to);
        clear(&mut self.kind, from, to);
        clear(&mut self.status, from, to);
        clear(&mut self.start, from, to);
        clear(&mut self.end, from, to);
        self.attributes.clear_rows(from, to);
    }

    /// The rows as a record batch; none are left.
    pub(super) fn finish(&mut self, schema: &SchemaRef, buffers: &Arc<[Buffer]>) -> RecordBatch {
        let rows = std::mem::take(&mut self.rows);
        self.room = 0;
        let mut columns = Vec::with_capacity(schema.fields().len());
        columns.push(numbers_array::<UInt32Type>(&mut self.resource, rows));
        if self.wanted.name {
            columns.push(views_array(&mut self.name, rows, buffers, None));
        }
        if self.wanted.kind {
            columns.push(numbers_array::<Int32Type>(&mut self.kind, rows));
        }
        if self.wanted.status {
            columns.push(numbers_array::<Int32Type>(&mut self.status, rows));
        }
        if self.wanted.times {
            columns.push(numbers_array::<UInt64Type>(&mut self.start, rows));
            columns.push(numbers_array::<UInt64Type>(&mut self.end, rows));
        }
        self.attributes.finish(rows, buffers, &mut columns);
        record_batch(schema, columns)
    }

    /// Takes the vectors of a batch back. Call it between `finish` and the next `begin`.
    pub(super) fn recycle(&mut self, batch: RecordBatch) {
        debug_assert_eq!(self.rows, 0);
        self.room = 0;
        let mut columns = batch.into_parts().1.into_iter();
        recycle_numbers::<UInt32Type>(&mut self.resource, columns.next());
        if self.wanted.name
            && let Some((views, _)) = columns.next().and_then(recycled_views)
        {
            self.name = views;
        }
        if self.wanted.kind {
            recycle_numbers::<Int32Type>(&mut self.kind, columns.next());
        }
        if self.wanted.status {
            recycle_numbers::<Int32Type>(&mut self.status, columns.next());
        }
        if self.wanted.times {
            recycle_numbers::<UInt64Type>(&mut self.start, columns.next());
            recycle_numbers::<UInt64Type>(&mut self.end, columns.next());
        }
        self.attributes.recycle(columns);
    }
}

/// The `events` table.
#[derive(Debug)]
pub(super) struct EventColumns {
    rows: usize,
    room: usize,
    span: Vec<u32>,
    pub(super) attributes: CellColumns,
    /// PERF: most small requests have no event; making and taking back two empty columns would cost
    /// them a tenth of all instructions (bench `path`).
    none: RecordBatch,
}

impl EventColumns {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self {
            rows: 0,
            room: 0,
            span: Vec::new(),
            // All but the first column, which names the span.
            attributes: CellColumns::new(schema.fields().len() - 1),
            none: RecordBatch::new_empty(Arc::clone(schema)),
        }
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Begins a row of nulls; returns its number.
    #[inline]
    pub(super) fn begin(&mut self, span: u32) -> usize {
        let row = self.rows;
        if row == self.room {
            self.room = grown(self.room);
            self.span.resize(self.room, 0);
            self.attributes.resize(self.room);
        }
        self.span[row] = span;
        self.rows += 1;
        row
    }

    /// Gives up the rows from `rows` on.
    #[cold]
    pub(super) fn truncate(&mut self, rows: usize) {
        let to = std::mem::replace(&mut self.rows, rows);
        self.attributes.clear_rows(rows, to);
    }

    pub(super) fn finish(&mut self, buffers: &Arc<[Buffer]>) -> RecordBatch {
        // Columns that grew for a malformed request go the long way, and are dropped.
        if self.rows == 0 && self.room <= KEPT_ROWS_MAX {
            return self.none.clone();
        }
        let rows = std::mem::take(&mut self.rows);
        self.room = 0;
        let schema = self.none.schema_ref();
        let mut columns = Vec::with_capacity(schema.fields().len());
        columns.push(numbers_array::<UInt32Type>(&mut self.span, rows));
        self.attributes.finish(rows, buffers, &mut columns);
        record_batch(schema, columns)
    }

    pub(super) fn recycle(&mut self, batch: RecordBatch) {
        debug_assert_eq!(self.rows, 0);
        if batch.num_rows() == 0 {
            return;
        }
        self.room = 0;
        let mut columns = batch.into_parts().1.into_iter();
        recycle_numbers::<UInt32Type>(&mut self.span, columns.next());
        self.attributes.recycle(columns);
    }
}

/// The `resources` table: rows are added whole.
#[derive(Debug, Default)]
pub(super) struct ResourceColumn(pub(super) Vec<u128>);

impl ResourceColumn {
    pub(super) fn finish(&mut self, schema: &SchemaRef, buffers: &Arc<[Buffer]>) -> RecordBatch {
        let rows = self.0.len();
        let column = views_array(&mut self.0, rows, buffers, None);
        record_batch(schema, vec![column])
    }

    pub(super) fn recycle(&mut self, batch: RecordBatch) {
        let column = batch.into_parts().1.into_iter().next();
        if let Some((views, _)) = column.and_then(recycled_views) {
            self.0 = views;
        }
    }
}

fn record_batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(Arc::clone(schema), columns)
        .expect("the columns follow the schema and have the same rows")
}

fn numbers_array<T: ArrowPrimitiveType>(cells: &mut Vec<T::Native>, rows: usize) -> ArrayRef {
    let mut cells = std::mem::take(cells);
    cells.truncate(rows);
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(cells), None))
}

fn views_array(
    views: &mut Vec<u128>,
    rows: usize,
    buffers: &Arc<[Buffer]>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let mut views = std::mem::take(views);
    views.truncate(rows);
    let array = BinaryViewArray::try_new(ScalarBuffer::from(views), Arc::clone(buffers), nulls);
    Arc::new(array.expect("every view was cut from its buffer"))
}

/// An empty vector with the memory of `buffer`, if nobody else holds it.
fn recycled_vec<T: ArrowNativeType>(buffer: Buffer, kept_max: usize) -> Option<Vec<T>> {
    let mut vec = buffer.into_vec::<T>().ok()?;
    vec.clear();
    (vec.capacity() <= kept_max).then_some(vec)
}

fn recycle_numbers<T: ArrowPrimitiveType>(cells: &mut Vec<T::Native>, array: Option<ArrayRef>) {
    let Some(array) = array else {
        return;
    };
    // The clone shares the memory; when the array goes, it is the only one left.
    let numbers = array.as_any().downcast_ref::<PrimitiveArray<T>>();
    let buffer = numbers.map(|numbers| numbers.values().inner().clone());
    drop(array);
    if let Some(vec) = buffer.and_then(|buffer| recycled_vec(buffer, KEPT_ROWS_MAX)) {
        *cells = vec;
    }
}

/// Views and validity of a column.
fn recycled_views(array: ArrayRef) -> Option<(Vec<u128>, Vec<u8>)> {
    let cells = array.as_any().downcast_ref::<BinaryViewArray>()?;
    let views = cells.views().inner().clone();
    let valid = cells.nulls().map(|nulls| nulls.buffer().clone());
    drop(array);
    let views = recycled_vec(views, KEPT_ROWS_MAX)?;
    let valid = valid.and_then(|valid| recycled_vec(valid, KEPT_ROWS_MAX));
    Some((views, valid.unwrap_or_default()))
}
