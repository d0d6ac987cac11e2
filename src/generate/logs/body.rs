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
    /// `None`: a brace is not closed.
    #[must_use]
    pub fn parse(text: &str, bytes_min: usize) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (key, after) = after.split_once('}')?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Attribute(key.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Some(Self { parts, bytes_min })
    }

    /// The attributes it wants.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Attribute(key) => Some(key.as_str()),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stand_where_the_template_names_them() {
        let template = Template::parse("{method} {route}: {code}", 0).unwrap();
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
        let template = Template::parse("short", 300).unwrap();
        let text = template.render(&[], &mut Random::new(1));
        assert!((300..320).contains(&text.len()), "{text}");
        assert!(text.starts_with("short "));
    }

    #[test]
    fn an_open_brace_is_no_template() {
        assert_eq!(Template::parse("user {user.id", 0), None);
    }
}
