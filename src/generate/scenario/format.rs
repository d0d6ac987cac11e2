//! Numbered texts: `u-{n}`, or `u-{n:07}` with leading zeros.

use std::fmt::Write;

/// Digits that a number is filled up to.
const WIDTH_MAX: usize = 64;

/// A text with a place for one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    before: String,
    width: usize,
    after: String,
}

impl Format {
    /// `None`: not exactly one number stands in it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (before, rest) = text.split_once("{n")?;
        let (width, after) = rest.split_once('}')?;
        let width = match width {
            "" => 0,
            width => width.strip_prefix(':')?.parse().ok()?,
        };
        let is_single = !after.contains("{n") && width <= WIDTH_MAX;
        is_single.then(|| Self {
            before: before.to_owned(),
            width,
            after: after.to_owned(),
        })
    }

    /// Appends the text of a number.
    pub fn write(&self, number: u64, out: &mut String) {
        let (before, width, after) = (&self.before, self.width, &self.after);
        write!(out, "{before}{number:0width$}{after}").expect("writing to a String cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_stands_where_its_place_is() {
        for (text, expected) in [
            ("{n}", Some("42")),
            ("u-{n:07}", Some("u-0000042")),
            ("/v{n}/x", Some("/v42/x")),
            ("{service}-{n:1}", Some("{service}-42")),
            ("u", None),
            ("{n}{n}", None),
            ("{n:x}", None),
            ("{n:65}", None),
            ("{n", None),
        ] {
            let got = Format::parse(text).map(|format| {
                let mut out = String::new();
                format.write(42, &mut out);
                out
            });
            assert_eq!(got.as_deref(), expected, "{text}");
        }
    }
}
