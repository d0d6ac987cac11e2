//! The text between a series' braces, kept as what it has of its own.
//!
//! Series of one resource share most of their labels, and the text of a label set is by far the
//! largest thing that a view keeps. So a text is a base that others share and a patch: which parts of
//! the base to take, and what comes between them. The base is a hint: whatever it is, the text comes
//! out whole, only the patch grows.
//!
//! Made once a series; written once a series and scrape, on the service thread.
#![allow(
    clippy::cast_possible_truncation,
    reason = "a varint takes the low seven bits"
)]

use std::sync::Arc;

use super::rows::next_value;

/// Labels of the base that are looked through for a name: sets of one resource differ by few.
const LABELS_AHEAD_MAX: usize = 8;

/// `skip, take, count` as varints and `count` bytes, again and again: of the base `skip` bytes are
/// passed over and `take` are taken, then come the bytes.
#[derive(Clone, Debug)]
pub(super) struct LabelText {
    base: Arc<[u8]>,
    patch: Arc<[u8]>,
    bytes: u32,
}

impl LabelText {
    pub(super) fn new(text: &[u8], base: &Arc<[u8]>) -> Self {
        Self {
            base: Arc::clone(base),
            patch: patch(text, base).into(),
            bytes: u32::try_from(text.len()).expect("identities are far below 4 GiB"),
        }
    }

    /// Bytes of the text.
    pub(super) fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// Appends the text.
    ///
    /// # Hot path
    /// - runs: on the service thread, once a series and family of a scrape
    /// - cost: no allocation but the growth of `out`; a copy for each stretch (bench `scrape`)
    /// - invariants: none
    /// - units: none
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.bytes());
        let mut base = &*self.base;
        let mut patch = &*self.patch;
        while !patch.is_empty() {
            base = &base[read_number(&mut patch)..];
            let (taken, behind) = base.split_at(read_number(&mut patch));
            base = behind;
            out.extend_from_slice(taken);
            let count = read_number(&mut patch);
            let (own, rest) = patch.split_at(count);
            out.extend_from_slice(own);
            patch = rest;
        }
    }

    /// Whether this is the text.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        let mut own = Vec::new();
        self.bytes() == text.len() && {
            self.write(&mut own);
            own == text
        }
    }
}

/// One step of a patch that is being made.
#[derive(Default)]
struct Step<'a> {
    skip: usize,
    take: usize,
    own: Vec<&'a [u8]>,
}

impl Step<'_> {
    fn write(self, patch: &mut Vec<u8>) {
        push_number(patch, self.skip);
        push_number(patch, self.take);
        push_number(patch, self.own.iter().map(|part| part.len()).sum());
        patch.extend(self.own.concat());
    }
}

/// What makes `text` of `base`, label by label: of a label that the base has under the same name, what
/// both start with is taken.
fn patch(text: &[u8], base: &[u8]) -> Vec<u8> {
    let mut patch = Vec::new();
    let mut step = Step::default();
    let mut rest = base;
    for label in labels(text) {
        let Some(ahead) = ahead(label, rest) else {
            step.own.push(label);
            continue;
        };
        let (passed, theirs) = rest.split_at(ahead);
        let of_base = labels(theirs).next().unwrap_or_default();
        let same = label
            .iter()
            .zip(of_base)
            .take_while(|(a, b)| a == b)
            .count();
        if !passed.is_empty() || !step.own.is_empty() {
            std::mem::take(&mut step).write(&mut patch);
            step.skip = passed.len();
        }
        step.take += same;
        if same < label.len() {
            step.own.push(&label[same..]);
        }
        rest = &theirs[same..];
        if same < of_base.len() {
            // The rest of their label is passed over before anything else is taken.
            std::mem::take(&mut step).write(&mut patch);
            step.skip = of_base.len() - same;
            rest = &theirs[of_base.len()..];
        }
    }
    step.write(&mut patch);
    patch
}

/// How many bytes ahead the base has a label of this name, if it is near.
fn ahead(label: &[u8], base: &[u8]) -> Option<usize> {
    let mut passed = 0;
    for theirs in labels(base).take(LABELS_AHEAD_MAX) {
        if name(theirs) == name(label) {
            return Some(passed);
        }
        passed += theirs.len();
    }
    None
}

/// The labels with their commas, together the whole text.
fn labels(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let behind = next_value(text).map_or(0, |(_, rest)| rest.len());
        let (label, rest) = text.split_at(text.len() - behind);
        text = rest;
        (!label.is_empty()).then_some(label)
    })
}

fn name(label: &[u8]) -> &[u8] {
    label.split(|byte| *byte == b'=').next().unwrap_or_default()
}

fn push_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(from: &mut &[u8]) -> usize {
    let mut number = 0;
    let mut shift = 0;
    while let Some((byte, rest)) = from.split_first() {
        *from = rest;
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::{Strategy, prop_assert_eq, proptest};

    use super::LabelText;

    const BASE: &str =
        r#"host="node-1",http_route="/cart/{id}",job="shop",span_name="GET /cart",user="u-1""#;

    fn kept(text: &str, base: &str) -> LabelText {
        LabelText::new(text.as_bytes(), &Arc::from(base.as_bytes()))
    }

    fn written(text: &LabelText) -> String {
        let mut out = Vec::new();
        text.write(&mut out);
        String::from_utf8(out).expect("what came in")
    }

    #[test]
    fn what_a_text_shares_with_its_base_is_not_kept() {
        for (text, own_bytes) in [
            (BASE, 0),
            (&*BASE.replace("u-1", "u-2"), 2),
            (&*BASE.replace("cart", "c"), 9),
            (&*BASE.replace(r#"http_route="/cart/{id}","#, ""), 0),
            (&*BASE.replace("job", "ip=\"::1\",job"), 9),
            (r#"host="node-1""#, 0),
        ] {
            let kept = kept(text, BASE);
            assert_eq!(written(&kept), text);
            assert!(kept.is(text.as_bytes()) && !kept.is(&text.as_bytes()[1..]));
            let bytes = kept.patch.len();
            assert!(
                (own_bytes + 3..=own_bytes + 12).contains(&bytes),
                "{text}: {bytes}"
            );
        }
    }

    fn labels() -> impl Strategy<Value = String> {
        let label = ("[a-f]{1,2}", r#"([=,xy]|\\\\|\\"|\\n){0,9}"#);
        proptest::collection::vec(label, 0..20).prop_map(|labels| {
            let labels = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{value}\""));
            labels.collect::<Vec<_>>().join(",")
        })
    }

    proptest! {
        #[test]
        fn any_text_comes_back_whatever_its_base(text in labels(), base in labels()) {
            prop_assert_eq!(written(&kept(&text, &base)), text);
        }

        #[test]
        fn what_is_no_list_of_labels_comes_back_too(text in ".{0,40}", base in ".{0,40}") {
            prop_assert_eq!(written(&kept(&text, &base)), text);
        }
    }
}
