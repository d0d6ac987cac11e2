//! `processors.resource`: actions over the attributes of resources, once per distinct resource.
//!
//! A trace batch comes in; the batch goes out with rewritten resources and the same spans. What a
//! resource becomes depends on its bytes alone, so it is worked out once and remembered under them:
//! a batch of known resources costs a hash and a comparison of each. Rows of spans are never
//! touched, and nothing is ever dropped.
//!
//! | file | purpose |
//! |---|---|
//! | `options` | what the user wrote, settled |
//! | `actions` | what the actions do to one resource |
//! | `convert` | one value becomes another: hash, conversion |
//!
//! Runs on a worker core, per resource of a batch; no unsafe; see the bench `resource`.

use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray, RecordBatch};
use arrow_buffer::{Buffer, ScalarBuffer};
use hashbrown::HashMap;

use crate::batch::TraceBatch;
use crate::telemetry::random::RandomState;
use options::Action;
pub use options::ResourceOptions;

mod actions;
mod convert;
pub mod options;

#[cfg(test)]
mod tests;

/// Resources remembered by one worker. When there are more, all are forgotten and the work starts
/// anew, so that resources of clients long gone do not keep the place of present ones.
const RESOURCES_MAX: usize = 1_024;

/// A larger resource is rewritten each time.
const RESOURCE_BYTES_MAX: usize = 8 << 10;

/// The processor of one pipeline on one worker.
#[derive(Debug)]
pub struct ResourceProcessor {
    actions: Vec<Action>,
    /// Bytes of a resource as it came -> as it goes.
    known: HashMap<Box<[u8]>, Buffer, RandomState>,
    resources_max: usize,
}

/// What the actions make of one resource, both as bytes of the OTLP `Resource` message. For paths
/// that see a resource once, at a birth.
#[must_use]
pub fn rewrite(options: &ResourceOptions, resource: &[u8]) -> Vec<u8> {
    actions::apply(&options.actions, resource)
}

impl ResourceProcessor {
    #[must_use]
    pub fn new(options: &ResourceOptions) -> Self {
        Self {
            actions: options.actions.clone(),
            known: HashMap::default(),
            resources_max: RESOURCES_MAX,
        }
    }

    /// Rewrites the resources of a batch.
    ///
    /// # Hot path
    /// - runs: on a worker, once a batch, over its resources
    /// - cost: a hash and a comparison a known resource; a few allocations a batch, none a row of
    ///   known resources; see the bench `resource/known`
    /// - invariants: the batch has the layout of `batch::traces`
    /// - units: rows
    #[must_use]
    pub fn run(&mut self, batch: TraceBatch) -> TraceBatch {
        let resources = self.rewrite(batch.resources.column(0).as_binary_view());
        let resources = RecordBatch::try_new(batch.resources.schema(), vec![Arc::new(resources)])
            .expect("one column of as many rows replaces another");
        TraceBatch { resources, ..batch }
    }

    fn rewrite(&mut self, resources: &BinaryViewArray) -> BinaryViewArray {
        let mut views = Vec::with_capacity(resources.len());
        let mut buffers = Vec::with_capacity(resources.len());
        for row in 0..resources.len() {
            let rewritten = self.rewritten(resources.value(row));
            // A batch has at most `u32::MAX` rows.
            views.push(make_view(&rewritten, buffers.len() as u32, 0));
            buffers.push(rewritten);
        }
        BinaryViewArray::try_new(ScalarBuffer::from(views), buffers, None)
            .expect("every view is all of its buffer")
    }

    fn rewritten(&mut self, resource: &[u8]) -> Buffer {
        if let Some(rewritten) = self.known.get(resource) {
            return rewritten.clone();
        }
        let rewritten = Buffer::from_vec(actions::apply(&self.actions, resource));
        if resource.len() <= RESOURCE_BYTES_MAX {
            if self.known.len() >= self.resources_max {
                self.known.clear();
            }
            self.known.insert(resource.into(), rewritten.clone());
        }
        rewritten
    }
}
