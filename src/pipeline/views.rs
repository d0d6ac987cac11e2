//! A connector's streams on their way to an exporter: what processors between them do to an identity.
//!
//! A `resource` processor in a metrics pipeline changes who the series are, not what they count, so
//! it runs once at each birth. The data point's attributes were settled by the connector and stay.

use std::sync::Arc;

use crate::batch::{any_value, value_text};
use crate::naming::stream::{Attribute, SeriesIdentity, Stream};
use crate::processors::resource::{ResourceOptions, rewrite};

/// `stream` as it looks behind `processors`.
pub(super) fn behind(stream: Stream, processors: &[ResourceOptions]) -> Stream {
    if processors.is_empty() {
        return stream;
    }
    let processors = processors.to_vec();
    let describe = Arc::clone(&stream.describe);
    let behind = move |resource: &[u8], key: &[u8]| {
        let rewritten = processors
            .iter()
            .fold(resource.to_vec(), |bytes, options| rewrite(options, &bytes));
        SeriesIdentity {
            resource: attributes(&rewritten),
            ..describe(resource, key)
        }
    };
    Stream {
        describe: Arc::new(behind),
        ..stream
    }
}

fn attributes(resource: &[u8]) -> Vec<Attribute> {
    any_value::key_values(resource)
        .map(|pair| Attribute {
            key: pair.key.to_vec(),
            text: value_text::text(any_value::read(&pair.value)),
        })
        .collect()
}
