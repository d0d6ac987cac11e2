//! `extensions.zpages`: what the user wrote, settled.

use crate::config::{Key, Section, Shape, blocks};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZpagesOptions {
    /// `host:port` as written; `localhost:55679` by default.
    pub endpoint: String,
}

const DORMANT: &[Key] = &[
    Key::new(
        "expvar",
        Shape::Block(&[Key::new("enabled", Shape::Bool(false))]),
    ),
    Key::new("response_headers", Shape::TextMap),
];

impl ZpagesOptions {
    pub fn read(section: &mut Section) -> Self {
        section.not_yet(blocks::HTTP_SERVER_GUARDS, blocks::GUARD_LABEL);
        section.dormant(blocks::HTTP_SERVER);
        section.dormant(blocks::HTTP_SERVER_LIMITS);
        section.dormant(DORMANT);
        Self {
            endpoint: section.listen_endpoint("localhost:55679"),
        }
    }
}
