//! What a record says: text with the record's own attributes in it, or a map.

use crate::generate::random::Random;
use crate::generate::scenario::attributes::Spec;
use crate::generate::value::{Attribute, Value, find};

/// What fills a body up: words that compress as those of real logs do.
const WORDS: [&str; 16] = [
    "request",
    "upstream",
    "retry",
    "connection",
    "timeout",
    "handler",
    "worker",
    "cache",
    "queue",
    "session",
    "payload",
    "commit",
    "shard",
    "replica",
    "lease",
    "token",
];

/// The longest of them, with its space.
const WORD_BYTES_MAX: usize = 11;

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Text(Template),
    /// Drawn for each record.
    Map(Vec<Spec>),
}

/// `user {user.id} logged in`
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
    /// Filled up to at least so many bytes.
    bytes_min: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// The text of an attribute.
    Attribute(String),
}

impl Template {
    /// A brace that is not around a key is text, as in a body of JSON.
    #[must_use]
    pub fn parse(text: &str, bytes_min: usize) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut literal = String::new();
        while let Some((before, after)) = rest.split_once('{') {
            literal.push_str(before);
            let key_bytes = after.find(|c: char| !is_of_key(c)).unwrap_or(after.len());
            let (key, behind) = after.split_at(key_bytes);
            match behind.strip_prefix('}') {
                Some(behind) if !key.is_empty() => {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                    parts.push(Part::Attribute(key.to_owned()));
                    rest = behind;
                }
                _ => {
                    literal.push('{');
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        parts.push(Part::Text(literal));
        Self { parts, bytes_min }
    }

    /// The attributes it wants.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Attribute(key) => Some(key.as_str()),
        })
    }

    /// Bytes of its text, at most; `of_key` tells those of an attribute's text.
    pub fn bytes_max(&self, of_key: impl Fn(&str) -> u64) -> u64 {
        let bytes = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.len() as u64,
            Part::Attribute(key) => of_key(key),
        });
        let text = bytes.fold(0, u64::saturating_add);
        // The last word may go beyond.
        text.max((self.bytes_min + WORD_BYTES_MAX) as u64)
    }

    pub(super) fn render(&self, attributes: &[Attribute], random: &mut Random) -> String {
        let mut text = String::with_capacity(self.bytes_min);
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Attribute(key) => {
                    let value = find(attributes, key).map(Value::label_text);
                    text.push_str(&value.unwrap_or_default());
                }
            }
        }
        while text.len() < self.bytes_min {
            text.push(' ');
            text.push_str(WORDS[random.below(WORDS.len() as u32) as usize]);
        }
        text
    }
}

fn is_of_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stand_where_the_template_names_them() {
        let template = Template::parse("{method} {route}: {code}", 0);
        assert_eq!(
            template.keys().collect::<Vec<_>>(),
            ["method", "route", "code"]
        );
        let attributes = [
            Attribute::text("route", "/cart"),
            Attribute::text("method", "GET"),
            Attribute::int("code", 200),
        ];
        let text = template.render(&attributes, &mut Random::new(1));
        assert_eq!(text, "GET /cart: 200");
    }

    #[test]
    fn a_body_is_filled_up_with_words() {
        let template = Template::parse("short", 300);
        for seed in 0..200 {
            let text = template.render(&[], &mut Random::new(seed));
            let most = template.bytes_max(|_| 0) as usize;
            assert!((300..=most).contains(&text.len()), "{text}");
            assert!(text.starts_with("short "));
        }
    }

    #[test]
    fn braces_that_name_nothing_are_text() {
        let template = Template::parse(r#"{"user":"{user}"} {} {user"#, 0);
        assert_eq!(template.keys().collect::<Vec<_>>(), ["user"]);
        let text = template.render(&[Attribute::text("user", "u")], &mut Random::new(1));
        assert_eq!(text, r#"{"user":"u"} {} {user"#);
    }
}
