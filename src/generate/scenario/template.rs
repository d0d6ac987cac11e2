//! Texts with places for what tells one resource from another.
//!
//! `{service}`, `{pod}`, `{n}` (the number of the pod), `{hex:8}` (fresh hexadecimal digits) and
//! `{uuid}`. Other braces are text, as in a route. How long a filled text may become is told without
//! filling it: a few bytes of a file stand for many of a resource.

use std::fmt::Write;

use crate::generate::random::Random;
use crate::generate::value::{Attribute, Value};

/// Fresh digits in one place.
const DIGITS_MAX: usize = 1_024;
/// No word of a place is longer.
const WORD_BYTES_MAX: usize = 16;
/// Hexadecimal digits between the dashes of a UUID.
const UUID_DIGITS: [usize; 5] = [8, 4, 4, 4, 12];
const UUID_BYTES: usize = 36;
/// What a length takes that has grown.
const LENGTH_BYTES: u64 = 9;

/// What the places of one resource stand for.
pub struct Words<'a> {
    pub service: &'a str,
    pub pod: &'a str,
    pub number: u32,
}

/// Bytes of what the places of some resources stand for, at most.
#[derive(Clone, Copy, Debug)]
pub struct Widths {
    pub service: usize,
    pub pod: usize,
    pub number: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Service,
    Pod,
    Number,
    Uuid,
    Hex { digits: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Place(Place),
}

impl Place {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "service" => Self::Service,
            "pod" => Self::Pod,
            "n" => Self::Number,
            "uuid" => Self::Uuid,
            _ => {
                let digits = word.strip_prefix("hex:")?.parse().ok()?;
                (digits <= DIGITS_MAX).then_some(Self::Hex { digits })?
            }
        })
    }

    /// The place that a text begins with, and what stands behind it.
    fn at_front(text: &str) -> Option<(Self, &str)> {
        let inner = text.strip_prefix('{')?;
        let end = inner.bytes().take(WORD_BYTES_MAX).position(|b| b == b'}')?;
        Some((Self::parse(&inner[..end])?, &inner[end + 1..]))
    }
}

/// A text as its places and what stands between them.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if let Some((place, behind)) = Place::at_front(rest) {
            rest = behind;
            return Some(Piece::Place(place));
        }
        // A brace that opens no place is text.
        let begin = usize::from(rest.starts_with('{'));
        let next = rest[begin..].find('{');
        let (piece, behind) = rest.split_at(next.map_or(rest.len(), |index| begin + index));
        rest = behind;
        (!piece.is_empty()).then_some(Piece::Text(piece))
    })
}

/// The word of a place that is not closed, as in `shop.{pod`.
#[must_use]
pub fn unclosed(text: &str) -> Option<&str> {
    let mut behind_braces = text.split('{').skip(1);
    behind_braces.find_map(|inner| {
        let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == ':';
        let end = inner.find(|c: char| !is_of_word(c)).unwrap_or(inner.len());
        let word = &inner[..end];
        (!inner.contains('}') && Place::parse(word).is_some()).then_some(word)
    })
}

/// The same in any text of a value.
#[must_use]
pub fn unclosed_in(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => unclosed(text),
        Value::List(values) => values.iter().find_map(unclosed_in),
        Value::Map(attributes) => {
            let mut values = attributes.iter().map(|attribute| &attribute.value);
            values.find_map(unclosed_in)
        }
        _ => None,
    }
}

/// The filled text, if it is the same on all pods of a service.
#[must_use]
pub fn same_on_all(text: &str, service: &str) -> Option<String> {
    pieces(text)
        .map(|piece| match piece {
            Piece::Text(text) => Some(text),
            Piece::Place(Place::Service) => Some(service),
            Piece::Place(_) => None,
        })
        .collect()
}

impl Words<'_> {
    /// The text with its places filled in.
    pub fn fill(&self, text: &str, random: &mut Random) -> String {
        let mut out = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Place(place) => self.put(place, random, &mut out),
            }
        }
        out
    }

    /// The same for every text in a value.
    pub fn fill_value(&self, value: &Value, random: &mut Random) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.fill(text, random)),
            Value::List(values) => {
                let filled = values.iter().map(|value| self.fill_value(value, random));
                Value::List(filled.collect())
            }
            Value::Map(attributes) => {
                let filled = attributes.iter().map(|attribute| {
                    let value = self.fill_value(&attribute.value, random);
                    Attribute::new(attribute.key.clone(), value)
                });
                Value::Map(filled.collect())
            }
            other => other.clone(),
        }
    }

    fn put(&self, place: Place, random: &mut Random, out: &mut String) {
        match place {
            Place::Service => out.push_str(self.service),
            Place::Pod => out.push_str(self.pod),
            Place::Number => {
                write!(out, "{}", self.number).expect("writing to a String cannot fail");
            }
            Place::Uuid => {
                for (index, digits) in UUID_DIGITS.into_iter().enumerate() {
                    if index > 0 {
                        out.push('-');
                    }
                    put_digits(digits, random, out);
                }
            }
            Place::Hex { digits } => put_digits(digits, random, out),
        }
    }
}

impl Widths {
    /// Bytes of a filled text, at most.
    #[must_use]
    pub fn text(&self, text: &str) -> u64 {
        let bytes = pieces(text).map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Place(Place::Service) => self.service,
            Piece::Place(Place::Pod) => self.pod,
            Piece::Place(Place::Number) => self.number,
            Piece::Place(Place::Uuid) => UUID_BYTES,
            Piece::Place(Place::Hex { digits }) => digits,
        });
        bytes.map(|bytes| bytes as u64).sum()
    }

    /// Bytes of a value with its texts filled, as it is encoded, at most.
    #[must_use]
    pub fn value(&self, value: &Value) -> u64 {
        value.bytes() as u64 + self.growth(value)
    }

    fn growth(&self, value: &Value) -> u64 {
        match value {
            Value::Text(text) => {
                let grown = self.text(text).saturating_sub(text.len() as u64);
                grown + LENGTH_BYTES
            }
            Value::List(values) => {
                let grown = values.iter().map(|value| self.growth(value));
                grown.sum::<u64>() + LENGTH_BYTES
            }
            Value::Map(attributes) => {
                let values = attributes.iter().map(|attribute| &attribute.value);
                let grown = values.map(|value| self.growth(value) + LENGTH_BYTES);
                grown.sum::<u64>() + LENGTH_BYTES
            }
            _ => 0,
        }
    }
}

fn put_digits(digits: usize, random: &mut Random, out: &mut String) {
    for _ in 0..digits {
        let digit = char::from_digit(random.below(16), 16);
        out.push(digit.expect("a digit below the radix"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_other_braces_are_text() {
        let words = Words {
            service: "cart",
            pod: "cart-1",
            number: 1,
        };
        let mut random = Random::new(1);
        let mut fill = |text: &str| words.fill(text, &mut random);
        assert_eq!(fill("shop.{pod}.{service}"), "shop.cart-1.cart");
        assert_eq!(fill("/users/{userId}/{n}"), "/users/{userId}/1");
        assert_eq!(fill("/\u{e9}{\u{e9}}{n}\u{e9}"), "/\u{e9}{\u{e9}}1\u{e9}");
        assert_eq!(fill("{"), "{");
        assert_eq!(fill("{x{n}}"), "{x1}");
        assert_eq!(fill("a{}b{hex:x}"), "a{}b{hex:x}");
        assert_eq!(fill("{hex:9999}"), "{hex:9999}");
        let (one, other) = (fill("{hex:12}"), fill("{hex:12}"));
        assert!(one.len() == 12 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
        let uuid = fill("{uuid}");
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }

    #[test]
    fn place_that_is_not_closed_is_found() {
        for (text, word) in [
            ("a{pod", Some("pod")),
            ("{pod.{service}", Some("pod")),
            ("{hex:8-{n}", Some("hex:8")),
            ("{n}{n", Some("n")),
            ("{", None),
            ("{name", None),
            ("{pod name}", None),
            ("{pod}", None),
        ] {
            assert_eq!(unclosed(text), word, "{text}");
        }
        let nested = Value::List(vec![Value::Map(vec![Attribute::text("k", "{uuid")])]);
        assert_eq!(unclosed_in(&nested), Some("uuid"));
    }

    #[test]
    fn name_is_the_same_on_all_pods_unless_a_place_differs() {
        assert_eq!(
            same_on_all("x-{service}", "cart").as_deref(),
            Some("x-cart")
        );
        assert_eq!(same_on_all("{service}-{n}", "cart"), None);
    }

    #[test]
    fn bytes_of_a_filled_value_are_bounded_without_filling_it() {
        let words = Words {
            service: "cart",
            pod: "cart-117",
            number: 117,
        };
        let widths = Widths {
            service: 4,
            pod: 8,
            number: 3,
        };
        let text = "{service} {pod} {n} {uuid} {hex:1024} {other}";
        let filled = words.fill(text, &mut Random::new(1));
        assert_eq!(widths.text(text), filled.len() as u64);
        let value = Value::Map(vec![
            Attribute::new("list", Value::List(vec![Value::Text(text.to_owned()); 9])),
            Attribute::int("n", 3),
        ]);
        let filled = words.fill_value(&value, &mut Random::new(1)).bytes() as u64;
        let bound = widths.value(&value);
        assert!((filled..filled + 300).contains(&bound), "{filled} {bound}");
    }
}
