//! A picture of the view and a snapshot in, lines of text out, piece by piece.
//!
//! A line is made of bytes that were settled before: the family's name with its brace, the labels,
//! the `le` of the bucket, and the end of the line; only the number is new. The caller asks for a
//! piece, writes it and comes back, so that a large scrape holds neither memory nor its thread.
//!
//! Runs on the service thread, per line; no unsafe; `benches/scrape.rs` has the naive version.

use super::plan::{Family, FamilyIndex, FamilyKind, HistogramPlan, ValuePlan, slot};
use super::rows::{Member, Row, RowId};
use super::start_at_zero::Zeros;
use super::view::{Picture, add_words, sum_ns, words};
use crate::store::snapshot::{CHUNK_CELLS, Snapshot};
use crate::store::window::Layout;
use crate::telemetry::text_format::{
    Dialect, push_count_as_float, push_float, push_integer, push_time_ms,
};

/// Bytes of the longest number: a float has 17 digits, a point, a sign and an exponent.
const NUMBER_BYTES_MAX: usize = 24;

/// How the lines of one response look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) dialect: Dialect,
    /// Each line carries the time of the snapshot, or what the scraper gets in its place.
    pub(super) timestamps: bool,
    /// Counters show 0 at the first flush after their birth.
    pub(super) late_counters: bool,
    pub(super) zeros: Option<Zeros>,
}

pub(super) struct Rendering {
    picture: Picture,
    snapshot: Snapshot,
    look: Look,
    /// What follows the number of a plain line, and of a value beside a zero.
    line_end: Vec<u8>,
    value_end: Vec<u8>,
    /// The line to come: family and place in its order.
    family: usize,
    at: usize,
    done: bool,
    /// The labels of the series to come.
    labels: Vec<u8>,
}

impl Rendering {
    pub(super) fn new(picture: Picture, snapshot: Snapshot, look: Look) -> Self {
        let line_end = if look.timestamps {
            let value_ms = look.zeros.map(|zeros| zeros.value_ms);
            timed_end(value_ms.unwrap_or(snapshot.time_ms), look.dialect)
        } else {
            b"\n".to_vec()
        };
        let value_end = look
            .zeros
            .map_or_else(Vec::new, |zeros| zero_end(zeros.value_ms, look.dialect));
        Self {
            picture,
            snapshot,
            look,
            line_end,
            value_end,
            family: 0,
            at: 0,
            done: false,
            labels: Vec::new(),
        }
    }

    /// Appends whole series until `out` holds `bytes` or the end is reached; false: it is.
    ///
    /// # Hot path
    /// - runs: on the service thread, per piece of a scrape
    /// - cost: no allocation per line but the growth of `out`; ns a line in `benches/scrape.rs`
    /// - invariants: picture and snapshot were taken together
    /// - units: bytes
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, bytes: usize) -> bool {
        while !self.done {
            if out.len() >= bytes {
                return true;
            }
            self.step(out, bytes);
        }
        false
    }

    /// One family, or what fits of it.
    fn step(&mut self, out: &mut Vec<u8>, bytes: usize) {
        let page = Page {
            picture: &self.picture,
            snapshot: &self.snapshot,
            look: &self.look,
            line_end: &self.line_end,
            value_end: &self.value_end,
        };
        let Some(family) = self.picture.plan.families.get(self.family) else {
            if self.look.dialect == Dialect::OpenMetrics {
                out.extend_from_slice(b"# EOF\n");
            }
            self.done = true;
            return;
        };
        let targets = family.kind == FamilyKind::TargetInfo;
        let order = &self.picture.orders[self.family];
        let count = if targets {
            self.picture.targets.len()
        } else {
            order.len()
        };
        if self.at == 0 && count > 0 {
            out.extend_from_slice(family.header(self.look.dialect));
        }
        while self.at < count && out.len() < bytes {
            if targets {
                page.target_info(out, family, self.at);
            } else {
                page.series(out, self.family, order[self.at], &mut self.labels);
            }
            self.at += 1;
        }
        if self.at >= count {
            self.family += 1;
            self.at = 0;
        }
    }
}

/// What a line is read from.
#[derive(Clone, Copy)]
struct Page<'a> {
    picture: &'a Picture,
    snapshot: &'a Snapshot,
    look: &'a Look,
    line_end: &'a [u8],
    value_end: &'a [u8],
}

impl<'a> Page<'a> {
    fn target_info(&self, out: &mut Vec<u8>, family: &Family, at: usize) {
        out.extend_from_slice(&family.open);
        out.extend_from_slice(&self.picture.targets[at]);
        out.extend_from_slice(b"} ");
        push_count_as_float(out, 1, self.look.dialect);
        out.push(b'\n');
    }

    /// All lines of one series: at one time, or at two when the scraper sees it first.
    fn series(&self, out: &mut Vec<u8>, family: FamilyIndex, id: RowId, labels: &mut Vec<u8>) {
        let plan = &*self.picture.plan;
        let row = self.picture.rows.get(id);
        let member = row.member.expect("rows in an order are alive");
        let metric = plan.sources[member.source as usize]
            .metrics
            .iter()
            .flatten()
            .find(|metric| metric.family == family)
            .expect("a row stands only in its source's families");
        let dialect = self.look.dialect;
        let zero_ms = self
            .look
            .zeros
            .and_then(|zeros| zeros.zero_ms(row.sequence, row.birth_ms));
        labels.clear();
        row.labels.write(labels);
        let line = Line {
            family: &plan.families[family],
            labels,
            end: if zero_ms.is_some() {
                self.value_end
            } else {
                self.line_end
            },
            dialect,
        };
        match &metric.value {
            ValuePlan::Count => {
                if let Some(zero_ms) = zero_ms {
                    let end = &zero_end(zero_ms, dialect);
                    push_counter(out, Line { end, ..line }, 0);
                }
                push_counter(out, line, self.count(row));
            }
            ValuePlan::Histogram(histogram) => {
                if let Some(zero_ms) = zero_ms {
                    let end = &zero_end(zero_ms, dialect);
                    push_histogram(out, Line { end, ..line }, histogram, &[]);
                }
                if row.merged.is_some() {
                    push_histogram(out, line, histogram, &self.added(row));
                } else {
                    push_histogram(out, line, histogram, self.words(member));
                }
            }
        }
    }

    /// The value of a counter: of its cells, and of those that are gone.
    fn count(&self, row: &Row) -> u64 {
        let living: u64 = row.members().map(|member| self.member_count(member)).sum();
        row.merged.as_ref().map_or(living, |merged| {
            let layout = row
                .member
                .map_or(Layout::Counter, |member| self.layout(member));
            living + count_of(&merged.base, layout)
        })
    }

    fn member_count(&self, member: Member) -> u64 {
        if self.look.late_counters && self.is_in_first_flush(member) {
            return 0;
        }
        count_of(self.words(member), self.layout(member))
    }

    /// The words of all cells of a row and of those that are gone, added up.
    fn added(&self, row: &Row) -> Vec<u64> {
        let mut sum = row
            .merged
            .as_ref()
            .map_or_else(Vec::new, |merged| merged.base.clone());
        for member in row.members() {
            add_words(&mut sum, self.words(member), self.layout(member));
        }
        sum
    }

    fn is_in_first_flush(&self, member: Member) -> bool {
        let cell = member.cell as usize;
        self.snapshot
            .tables
            .get(self.table(member))
            .and_then(|table| table.chunks.get(cell / CHUNK_CELLS))
            .and_then(|chunk| chunk.cells.get(cell % CHUNK_CELLS))
            .is_some_and(|cell| cell.birth_flush + 1 == self.snapshot.flush)
    }

    fn words(&self, member: Member) -> &'a [u64] {
        words(self.snapshot, self.table(member), member.cell)
    }

    fn table(&self, member: Member) -> usize {
        self.picture.plan.sources[member.source as usize].table
    }

    fn layout(&self, member: Member) -> Layout {
        self.snapshot
            .tables
            .get(self.table(member))
            .map_or(Layout::Counter, |table| table.layout)
    }
}

/// What a line has besides its number.
#[derive(Clone, Copy)]
struct Line<'a> {
    family: &'a Family,
    labels: &'a [u8],
    end: &'a [u8],
    dialect: Dialect,
}

/// The end of a zero and of the value beside it. `OpenMetrics` allows more than the exponents that
/// the reference prints, and at least one of its parsers (Python's) takes `1.699999996999e+09` for
/// little more than a second.
fn zero_end(time_ms: u64, dialect: Dialect) -> Vec<u8> {
    match dialect {
        Dialect::Text => format!(" {time_ms}\n"),
        Dialect::OpenMetrics => format!(" {}.{:03}\n", time_ms / 1000, time_ms % 1000),
    }
    .into_bytes()
}

fn timed_end(time_ms: u64, dialect: Dialect) -> Vec<u8> {
    let mut end = b" ".to_vec();
    push_time_ms(&mut end, time_ms, dialect);
    end.push(b'\n');
    end
}

fn count_of(words: &[u64], layout: Layout) -> u64 {
    match layout {
        Layout::Counter => words.first().copied().unwrap_or_default(),
        Layout::Histogram { .. } => words.iter().skip(2).sum(),
    }
}

fn push_counter(out: &mut Vec<u8>, line: Line, count: u64) {
    debug_assert!(!line.labels.is_empty(), "the scope labels are always there");
    out.reserve(line.family.open.len() + line.labels.len() + NUMBER_BYTES_MAX + line.end.len());
    out.extend_from_slice(&line.family.open);
    out.extend_from_slice(line.labels);
    out.extend_from_slice(b"} ");
    push_count_as_float(out, count, line.dialect);
    out.extend_from_slice(line.end);
}

/// Buckets, sum and count of one series at one time; no words: a zero.
fn push_histogram(out: &mut Vec<u8>, line: Line, plan: &HistogramPlan, words: &[u64]) {
    let Line {
        family,
        labels,
        end,
        dialect,
    } = line;
    debug_assert!(!labels.is_empty(), "the scope labels are always there");
    // PERF: one check of the capacity for all lines; `scrape` pays for it.
    let bytes = family.open_bucket.len() + labels.len() + plan.le_bytes_max + NUMBER_BYTES_MAX;
    out.reserve(plan.lines() * (bytes + end.len()));
    let slot = slot(dialect);
    let push_line = |out: &mut Vec<u8>, open: &[u8], le: &[u8], count| {
        out.extend_from_slice(open);
        out.extend_from_slice(labels);
        out.extend_from_slice(le);
        match dialect {
            Dialect::Text => push_count_as_float(out, count, dialect),
            Dialect::OpenMetrics => push_integer(out, count),
        }
        out.extend_from_slice(end);
    };
    let (sum, buckets) = words.split_at_checked(2).unwrap_or_default();
    let mut cumulative = 0;
    for bound in &plan.bounds {
        cumulative += buckets.get(bound.bucket).copied().unwrap_or_default();
        push_line(out, &family.open_bucket, &bound.le[slot], cumulative);
    }
    let total = buckets.iter().sum();
    if let Some(le) = &plan.infinity {
        push_line(out, &family.open_bucket, &le[slot], total);
    }
    out.extend_from_slice(&family.open_sum);
    out.extend_from_slice(labels);
    out.extend_from_slice(b"} ");
    let sum_ns = if sum.is_empty() { 0 } else { sum_ns(sum) };
    #[allow(clippy::cast_precision_loss, reason = "the format has only doubles")]
    push_float(out, sum_ns as f64 / plan.nanos_per_unit, dialect);
    out.extend_from_slice(end);
    push_line(out, &family.open_count, b"} ", total);
}
