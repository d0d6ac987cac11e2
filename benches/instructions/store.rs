//! Right of the workers: hand-over of a window, fold, births. A snapshot and a tick are a few hundred
//! instructions in all, which the compiler moves by 6 % when something else changes: no budget for them.

use std::hint::black_box;

use spanmill::store::handover::handover;
use spanmill::store::window::Window;

use crate::meter::{Case, Units, meter, meter_fresh};
use crate::spanmetrics_support::rig::{Bounds, Rig};
use crate::spanmetrics_support::{batch, guide_options, guide_rows, service};

const GROUPS: u64 = 1_000;

pub fn add(cases: &mut Vec<Case>) {
    cases.push(Case::new("store/handover", hand_over));
    cases.push(Case::new("store/fold", fold));
    cases.push(Case::new("store/fold_held", fold_held));
    cases.push(Case::new("store/births", births));
}

/// A worker that has just counted spans of about every group.
fn observed() -> Rig {
    let mut rig = Rig::new(guide_options(), &Bounds::default());
    let rows = guide_rows(GROUPS as usize * 4, GROUPS, 1);
    let batch = batch(&rig.layout, &[service("shop")], &rows);
    let worker = &mut rig.workers[0];
    let observed = (worker.grouper).observe(&batch, &mut worker.side.take(), 1_000);
    assert_eq!(observed.spans, GROUPS * 4);
    rig
}

fn collected(rig: &mut Rig) -> Box<Window> {
    rig.workers[0].folder_side.collect().expect("idle")
}

fn groups(window: &Window) -> u64 {
    window.tables[0].groups.len() as u64
}

fn hand_over() -> Units {
    let (mut worker, mut folder) = handover(2);
    meter(200, 1, "run", || {
        drop(black_box(worker.take()));
        let window = folder.collect().expect("idle");
        folder.give_back(window);
    })
}

fn fold() -> Units {
    let mut rig = observed();
    let window = collected(&mut rig);
    let groups = groups(&window);
    meter(8, groups, "group", || {
        rig.folder.fold(0, black_box(&window))
    })
}

/// A reader holds the last snapshot: every chunk is copied once.
fn fold_held() -> Units {
    let mut rig = observed();
    let window = collected(&mut rig);
    let groups = groups(&window);
    let mut held = None;
    meter(8, groups, "group", || {
        held = Some(rig.snapshot(1_000));
        rig.folder.fold(0, black_box(&window));
    })
}

/// Cells that the store meets for the first time.
fn births() -> Units {
    let mut shape = observed();
    let groups = groups(&collected(&mut shape));
    meter_fresh(
        2,
        groups,
        "cell",
        || {
            let mut rig = observed();
            let window = collected(&mut rig);
            (rig, window)
        },
        |(rig, window)| rig.folder.fold(0, black_box(window)),
    )
}
