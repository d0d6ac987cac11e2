//! Texts with places for what tells one resource from another.
//!
//! `{service}`, `{pod}`, `{n}` (the number of the pod), `{hex:8}` (fresh hexadecimal digits) and
//! `{uuid}`. Other braces are text, as in a route.

use std::fmt::Write;

use crate::generate::random::Random;
use crate::generate::value::{Attribute, Value};

/// Fresh digits in one place.
const DIGITS_MAX: usize = 1_024;

/// What the places of one resource stand for.
pub struct Words<'a> {
    pub service: &'a str,
    pub pod: &'a str,
    pub number: u32,
}

impl Words<'_> {
    /// The text with its places filled in.
    pub fn fill(&self, text: &str, random: &mut Random) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(begin) = rest.find('{') {
            out.push_str(&rest[..begin]);
            rest = &rest[begin..];
            let end = rest.find('}').map_or(rest.len(), |index| index + 1);
            let place = rest[1..end].trim_end_matches('}');
            if !self.fill_place(place, random, &mut out) {
                out.push_str(&rest[..end]);
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
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

    /// Whether there is such a place.
    fn fill_place(&self, place: &str, random: &mut Random, out: &mut String) -> bool {
        match place {
            "service" => out.push_str(self.service),
            "pod" => out.push_str(self.pod),
            "n" => write!(out, "{}", self.number).expect("writing to a String cannot fail"),
            "uuid" => {
                for (index, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
                    if index > 0 {
                        out.push('-');
                    }
                    put_digits(digits, random, out);
                }
            }
            _ => {
                let digits = place
                    .strip_prefix("hex:")
                    .and_then(|text| text.parse().ok());
                match digits {
                    Some(digits) if digits <= DIGITS_MAX => put_digits(digits, random, out),
                    _ => return false,
                }
            }
        }
        true
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
        assert_eq!(fill("{"), "{");
        assert_eq!(fill("a{}b{hex:x}"), "a{}b{hex:x}");
        assert_eq!(fill("{hex:9999}"), "{hex:9999}");
        let (one, other) = (fill("{hex:12}"), fill("{hex:12}"));
        assert!(one.len() == 12 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
        let uuid = fill("{uuid}");
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
