//! One table of what requests say, made twice: from what prost decoded and from the columns.

use arrow_array::{Array, BinaryViewArray};
use prost::Message;
use spanmill::batch::{TraceBatch, TraceColumns, TraceLayout};

use crate::schema::{AnyValue, KeyValue, Request, Resource, ScopeSpans};

/// Values are encoded anew, so that NaN equals NaN and parts equal their whole.
#[derive(Debug, Default, PartialEq)]
pub struct Table {
    pub resources: Vec<Vec<u8>>,
    pub spans: Vec<SpanRow>,
    pub events: Vec<(usize, Vec<Option<Vec<u8>>>)>,
}

#[derive(Debug, PartialEq)]
pub struct SpanRow {
    resource: usize,
    name: Option<Vec<u8>>,
    kind: Option<i32>,
    status: Option<i32>,
    times: Option<(u64, u64)>,
    attributes: Vec<Option<Vec<u8>>>,
}

impl Table {
    /// Adds the rows of a request that prost decoded, the obvious way.
    pub fn add(&mut self, request: &Request, columns: &TraceColumns) {
        for resource_spans in &request.resource_spans {
            let resource = resource_spans.resource.clone().unwrap_or_default();
            self.resources.push(resource.encode_to_vec());
            let scopes = if resource_spans.scope_spans.is_empty() {
                &resource_spans.old_scope_spans
            } else {
                &resource_spans.scope_spans
            };
            for scope_spans in scopes {
                self.add_spans(scope_spans, columns);
            }
        }
    }

    fn add_spans(&mut self, scope_spans: &ScopeSpans, columns: &TraceColumns) {
        for span in &scope_spans.spans {
            for event in &span.events {
                if let Some(keys) = &columns.event_attributes {
                    let cells = first_values(&event.attributes, keys);
                    self.events.push((self.spans.len(), cells));
                }
            }
            let status = span.status.clone().unwrap_or_default();
            self.spans.push(SpanRow {
                resource: self.resources.len() - 1,
                name: columns.name.then(|| span.name.clone()),
                kind: columns.kind.then_some(span.kind),
                status: columns.status.then_some(status.code),
                times: columns.times.then_some((span.start, span.end)),
                attributes: first_values(&span.attributes, &columns.span_attributes),
            });
        }
    }

    /// Reads a batch back.
    pub fn of(batch: &TraceBatch, layout: &TraceLayout) -> Self {
        let columns = layout.columns();
        let resources = layout.resources(batch);
        let events = columns.event_attributes.as_deref().unwrap_or_default();
        let span_of_event = layout.event_spans(batch);
        Self {
            resources: (0..resources.len())
                .map(|row| {
                    let resource = Resource::decode(resources.value(row)).expect("a resource");
                    resource.encode_to_vec()
                })
                .collect(),
            spans: (0..batch.spans.num_rows())
                .map(|row| SpanRow {
                    resource: layout.span_resources(batch).value(row) as usize,
                    name: layout.names(batch).map(|names| names.value(row).to_vec()),
                    kind: layout.kinds(batch).map(|kinds| kinds.value(row)),
                    status: layout.statuses(batch).map(|codes| codes.value(row)),
                    times: layout
                        .times(batch)
                        .map(|(starts, ends)| (starts.value(row), ends.value(row))),
                    attributes: (0..columns.span_attributes.len())
                        .map(|index| cell(layout.span_attribute(batch, index), row))
                        .collect(),
                })
                .collect(),
            events: (0..span_of_event.map_or(0, Array::len))
                .map(|row| {
                    let cells = (0..events.len())
                        .map(|index| cell(layout.event_attribute(batch, index).unwrap(), row));
                    (span_of_event.unwrap().value(row) as usize, cells.collect())
                })
                .collect(),
        }
    }
}

fn cell(column: &BinaryViewArray, row: usize) -> Option<Vec<u8>> {
    column.is_valid(row).then(|| {
        let value = AnyValue::decode(column.value(row)).expect("an AnyValue");
        value.encode_to_vec()
    })
}

fn first_values(attributes: &[KeyValue], keys: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    keys.iter()
        .map(|key| {
            let first = attributes.iter().find(|attribute| attribute.key == *key)?;
            Some(first.value.clone().unwrap_or_default().encode_to_vec())
        })
        .collect()
}
