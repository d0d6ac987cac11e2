//! The `resource` processor with the guide's list, and batches of resources for it.
//!
//! Shared by the benches; whoever uses it has `requests` beside it.

#[path = "../../tests/guide_keys/mod.rs"]
mod guide_keys;

use std::sync::Arc;

use arrow_array::{BinaryViewArray, RecordBatch};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use spanmill::batch::{TraceBatch, TraceLayout};
use spanmill::processors::resource::ResourceProcessor;
use spanmill::processors::resource::options::{Action, ResourceOptions};

use crate::requests;

pub fn processor() -> ResourceProcessor {
    let delete = |key: &str| Action::Delete {
        key: Some(key.to_owned()),
        pattern: None,
    };
    let actions = guide_keys::DELETED.map(delete).to_vec();
    ResourceProcessor::new(&ResourceOptions { actions })
}

/// A batch of resources that differ in one attribute.
pub fn batch(layout: &TraceLayout, numbers: std::ops::Range<usize>) -> TraceBatch {
    let resources = numbers.map(|number| {
        let mut resource = requests::resource();
        let pod = resource.attributes[8].value.as_mut().expect("has one");
        pod.value = Some(Value::StringValue(format!("checkout-{number}")));
        resource.encode_to_vec()
    });
    let column = BinaryViewArray::from_iter_values(resources);
    let schema = Arc::clone(layout.resources_schema());
    TraceBatch {
        resources: RecordBatch::try_new(schema, vec![Arc::new(column)]).expect("one column"),
        spans: RecordBatch::new_empty(Arc::clone(layout.spans_schema())),
        events: None,
    }
}
