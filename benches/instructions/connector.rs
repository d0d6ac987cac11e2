//! The connector: rows of a batch to groups of a window that knows them, or does not.

use std::hint::black_box;

use spanmill::batch::TraceBatch;

use crate::meter::{Case, Units, meter, meter_fresh};
use crate::spanmetrics_support::rig::{Bounds, Rig, Worker};
use crate::spanmetrics_support::{batch, guide_options, guide_rows, service};

const GROUPS: u64 = 1_000;

pub fn add(cases: &mut Vec<Case>) {
    for rows in [10, 50, 512] {
        cases.push(Case::new(format!("groups/known/{rows}"), move || {
            known(rows)
        }));
    }
    cases.push(Case::new("groups/births", births));
}

fn rig() -> Rig {
    Rig::new(guide_options(), &Bounds::default())
}

fn batch_of(rig: &Rig, rows: usize, groups: u64) -> TraceBatch {
    batch(
        &rig.layout,
        &[service("shop")],
        &guide_rows(rows, groups, 1),
    )
}

fn observe(worker: &mut Worker, batch: &TraceBatch) {
    let mut window = worker.side.take();
    let observed = worker.grouper.observe(batch, &mut window, 1_000);
    assert_eq!(observed.spans, batch.spans.num_rows() as u64);
}

fn known(rows: usize) -> Units {
    let mut rig = rig();
    let every = batch_of(&rig, GROUPS as usize * 4, GROUPS);
    let batch = batch_of(&rig, rows, GROUPS);
    let worker = &mut rig.workers[0];
    observe(worker, &every);
    let turns = 4_096 / rows as u64;
    meter(turns, rows as u64, "row", || {
        observe(worker, black_box(&batch));
    })
}

/// A batch of groups that the worker meets for the first time: the key of each is written out.
fn births() -> Units {
    // Drawn from so many that hardly two rows share a group.
    let batch = batch_of(&rig(), 256, 1 << 30);
    meter_fresh(8, 256, "group", rig, |rig| {
        observe(&mut rig.workers[0], black_box(&batch));
    })
}
