//! Known series cost no allocation: neither on the worker nor in the fold.
//!
//! A test binary of its own, because it counts every allocation of the process.

mod counting_allocator;
mod spanmetrics_support;

use std::sync::Arc;

use counting_allocator::allocations;
use spanmetrics_support::{batch, guide_options, guide_rows, service, text};
use spanmill::batch::TraceLayout;
use spanmill::connectors::spanmetrics::SpanMetrics;
use spanmill::store::folder::{Folder, StoreSpec};
use spanmill::store::handover::handover;
use spanmill::store::window::{OwnerId, TableId};

#[test]
fn known_series_allocate_nothing_from_batch_to_cell() {
    let mut options = guide_options();
    options.events = Some(vec![spanmetrics_support::dimension("exception.type", None)]);
    let connector = SpanMetrics::new(options);
    let layout = Arc::new(TraceLayout::new(connector.columns()));
    let tables = connector.tables(OwnerId(0));
    let (mut worker, mut side) = handover(tables.len());
    let mut folder = Folder::new(StoreSpec {
        workers: 1,
        owners: vec![connector.owner(false)],
        tables,
        series_max: StoreSpec::SERIES_MAX,
        series_bytes_max: StoreSpec::SERIES_BYTES_MAX,
        groups_max: StoreSpec::GROUPS_MAX,
    });
    let mut grouper = connector.grouper(Arc::clone(&layout), OwnerId(0), TableId(0));
    let mut spans = guide_rows(512, 100, 3);
    for (at, span) in spans.iter_mut().enumerate() {
        span.resource = at % 2;
        let kind = ["Timeout", "java.lang.IllegalStateException"][at % 2];
        span.events = vec![vec![("exception.type".to_owned(), text(kind))]; at % 3];
    }
    let batch = batch(&layout, &[service("shop"), Vec::new()], &spans);
    let mut run = || {
        for _ in 0..10 {
            let observed = grouper.observe(&batch, &mut worker.take(), 1_000);
            assert_eq!((observed.spans, observed.no_service_name), (256, 256));
        }
        let window = side.collect().expect("an idle worker");
        folder.fold(0, &window);
        side.give_back(window);
    };
    let mut round = || allocations(&mut run);
    // Two windows take turns: each grows once.
    assert!(round() > 0, "births allocate, or nothing is counted");
    round();
    assert_eq!([round(), round(), round()], [0, 0, 0]);
}
