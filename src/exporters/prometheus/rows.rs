//! The series of a view: their labels, their cells and their order in the output.
//!
//! A row is one label set of one source and stands for all its metrics that share the labels: the
//! labels are by far the largest thing here, and calls and duration of a cell have them in common.
//! Rows stand in chunks behind `Arc`, like the store's cells: a scrape that is being written keeps
//! its picture while births and deaths go on, and nobody waits for a slow scraper.

use std::cmp::Ordering;
use std::sync::Arc;

use memchr::{memchr, memchr2, memrchr};

use super::label_text::LabelText;

/// Rows of a chunk.
const CHUNK_ROWS: usize = 256;

/// Index of a row in its view. Reused after the row's death.
pub(super) type RowId = u32;

/// Which metrics of the source a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// The labels hold `le` or what it is renamed to: counters and histograms differ in it.
    Counts,
    Histograms,
}

/// One cell that a row reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Index into the plan's sources.
    pub(super) source: u16,
    pub(super) cell: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Without `le`.
    pub(super) labels: LabelText,
    /// Of their text.
    pub(super) labels_hash: u64,
    pub(super) labels_count: u16,
    pub(super) part: Part,
    /// `None`: the row is dead.
    pub(super) member: Option<Member>,
    /// Only when several cells became one series.
    pub(super) merged: Option<Arc<Merged>>,
    /// Grows with each birth in the view: a scraper has seen a row when it has seen a later one.
    pub(super) sequence: u64,
    /// Of the earliest cell at the row's birth, Unix milliseconds.
    pub(super) birth_ms: u64,
}

/// What a row of several cells keeps besides.
#[derive(Clone, Debug, Default)]
pub(super) struct Merged {
    pub(super) others: Vec<Member>,
    /// Words as last seen of each member, the first one's first.
    pub(super) seen: Vec<Vec<u64>>,
    /// Sum of the last seen words of members that are gone.
    pub(super) base: Vec<u64>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    chunks: Vec<Arc<Vec<Row>>>,
}

impl Rows {
    pub(super) fn get(&self, id: RowId) -> &Row {
        let id = id as usize;
        &self.chunks[id / CHUNK_ROWS][id % CHUNK_ROWS]
    }

    /// Copies the row's chunk when a picture still holds it.
    pub(super) fn get_mut(&mut self, id: RowId) -> &mut Row {
        let id = id as usize;
        &mut Arc::make_mut(&mut self.chunks[id / CHUNK_ROWS])[id % CHUNK_ROWS]
    }

    pub(super) fn push(&mut self, row: Row) -> RowId {
        if self
            .chunks
            .last()
            .is_none_or(|chunk| chunk.len() == CHUNK_ROWS)
        {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK_ROWS)));
        }
        let before = (self.chunks.len() - 1) * CHUNK_ROWS;
        let chunk = Arc::make_mut(self.chunks.last_mut().expect("one was just pushed"));
        chunk.push(row);
        u32::try_from(before + chunk.len() - 1).expect("no more rows than cells")
    }
}

impl Row {
    pub(super) fn members(&self) -> impl Iterator<Item = Member> {
        let others = self
            .merged
            .as_ref()
            .map_or(&[][..], |merged| &merged.others);
        self.member.into_iter().chain(others.iter().copied())
    }
}

/// The order of series in a family: fewer labels first, then the values, label by label, whatever
/// the names are.
pub(super) fn compare(a_count: u16, a_text: &[u8], b_count: u16, b_text: &[u8]) -> Ordering {
    a_count.cmp(&b_count).then_with(|| {
        let same = same_labels(a_text, b_text);
        compare_values(&a_text[same..], &b_text[same..])
    })
}

/// Bytes of leading labels that are the same in both texts, or fewer.
///
/// PERF: neighbours in a sort share most of their text, and values are slow to read one by one;
/// `scrape_births` pays for it.
fn same_labels(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 32;
    let steps = a
        .chunks_exact(STEP)
        .zip(b.chunks_exact(STEP))
        .take_while(|(a, b)| a == b)
        .count();
    // A quote before a comma ends a label, unless it is escaped or opens a value. What only looks
    // like one of these is passed over: an earlier label does as well.
    let mut end = steps * STEP;
    while let Some(quote) = memrchr(b'"', &a[..end]) {
        let before = quote.checked_sub(1).map(|at| a[at]);
        if a[..steps * STEP].get(quote + 1) == Some(&b',') && !matches!(before, Some(b'\\' | b'='))
        {
            return quote + 2;
        }
        end = quote;
    }
    0
}

fn compare_values(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while let (Some((a_value, a_rest)), Some((b_value, b_rest))) = (next_value(a), next_value(b)) {
        let order = if memchr(b'\\', a_value).is_none() && memchr(b'\\', b_value).is_none() {
            a_value.cmp(b_value)
        } else {
            unescaped(a_value).cmp(unescaped(b_value))
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
    Ordering::Equal
}

/// The first value of `name="value",...` as it is written, and what follows the comma.
pub(super) fn next_value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = memchr(b'=', text)? + 2;
    let mut end = start;
    loop {
        end += memchr2(b'"', b'\\', text.get(end..)?)?;
        if text[end] == b'"' {
            return Some((&text[start..end], text.get(end + 2..).unwrap_or_default()));
        }
        end += 2;
    }
}

fn unescaped(value: &[u8]) -> impl Iterator<Item = u8> {
    let mut bytes = value.iter().copied();
    std::iter::from_fn(move || match bytes.next()? {
        b'\\' => Some(match bytes.next()? {
            b'n' => b'\n',
            other => other,
        }),
        other => Some(other),
    })
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{compare, next_value};

    fn order(a: &str, b: &str) -> Ordering {
        let count = |text: &str| u16::try_from(text.matches("=\"").count()).expect("few");
        compare(count(a), a.as_bytes(), count(b), b.as_bytes())
    }

    #[test]
    fn series_are_ordered_by_count_and_values_and_never_by_names() {
        let sorted = [
            "",
            r#"zz="0""#,
            r#"a="1""#,
            r#"a="10""#,
            r#"b="2""#,
            r#"a="9""#,
            r#"a="1",b="0""#,
        ];
        for pair in sorted.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(order(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(order(r#"a="1""#, r#"b="1""#), Ordering::Equal);
    }

    #[test]
    fn values_are_compared_as_they_were_before_escaping() {
        // A quote is 0x22 and a line feed 0x0a, but both are written with a backslash, 0x5c.
        assert_eq!(order(r#"a="x\"""#, r#"a="xA""#), Ordering::Less);
        assert_eq!(order(r#"a="x\n""#, r#"a="x""#), Ordering::Greater);
        assert_eq!(order(r#"a="x\n""#, r#"a="x ""#), Ordering::Less);
        assert_eq!(order(r#"a="x\\""#, r#"a="xA""#), Ordering::Greater);
    }

    proptest::proptest! {
        #[test]
        fn what_texts_have_in_common_does_not_change_their_order(
            common in proptest::collection::vec("[=,x\"\\\\\n]{0,20}", 1..6),
            a in "[=,x\"\\\\\n]{0,9}",
            b in "[=,x\"\\\\\n]{0,9}",
            after in "[=,x\"\\\\\n]{0,9}",
        ) {
            let text = |last: &str| {
                let mut text = Vec::new();
                for value in common.iter().map(String::as_str).chain([last, &after]) {
                    text.extend_from_slice(if text.is_empty() { b"n=\"" } else { b",n=\"" });
                    crate::telemetry::text_format::push_label_value(&mut text, value);
                    text.push(b'"');
                }
                text
            };
            let order = compare(0, &text(&a), 0, &text(&b));
            proptest::prop_assert_eq!(order, a.as_bytes().cmp(b.as_bytes()));
        }
    }

    #[test]
    fn quotes_and_backslashes_inside_a_value_do_not_end_it() {
        let text = br#"a="x\"=\\",b="2""#;
        let (value, rest) = next_value(text).expect("a label");
        assert_eq!(value, br#"x\"=\\"#);
        assert_eq!(next_value(rest), Some((&b"2"[..], &b""[..])));
        assert_eq!(next_value(b""), None);
    }
}
