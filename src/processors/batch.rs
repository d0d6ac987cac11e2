//! `processors.batch`. Before the scrape's store it has nothing to gain and passes through.

use std::time::Duration;

use crate::config::{Code, Key, Section, Shape};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    pub timeout: Duration,
    pub send_batch_size: u32,
    pub send_batch_max_size: u32,
}

const DORMANT: &[Key] = &[
    Key::new("metadata_keys", Shape::Texts(&[])),
    Key::new("metadata_cardinality_limit", Shape::Integer(0, 1000)),
];

impl BatchOptions {
    pub fn read(section: &mut Section) -> Self {
        section.dormant(DORMANT);
        let options = Self {
            timeout: section.duration("timeout", Duration::from_millis(200)),
            send_batch_size: section.unsigned("send_batch_size", 8192),
            send_batch_max_size: section.unsigned("send_batch_max_size", 0),
        };
        if (1..options.send_batch_size).contains(&options.send_batch_max_size) {
            section.refuse(
                "send_batch_max_size",
                Code::Conflict,
                format!(
                    "`{}` is {}, below `send_batch_size` {}",
                    section.path_of("send_batch_max_size"),
                    options.send_batch_max_size,
                    options.send_batch_size
                ),
                "0 for none, or at least `send_batch_size`",
            );
        }
        options
    }
}
