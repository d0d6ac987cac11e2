//! Models of `store::handover`: every interleaving of a worker that runs and a folder that folds.
//!
//! A run adds one distinct number to its window. Whatever happens, each number is folded exactly
//! once, a worker's numbers arrive in its order, and every access to a window is ordered after the
//! last one of the other side (loom tracks a cell inside the window).

use loom::thread;
use spanmill_loom::store::handover::{FolderSide, WorkerSide, handover};
use spanmill_loom::store::window::{OwnerId, SeenResource, Window};

fn run(side: &mut WorkerSide, number: u128) {
    let mut window = side.take();
    window.touch();
    window.resources.push(SeenResource {
        owner: OwnerId(0),
        resource: number,
    });
}

fn read(window: &Window, folded: &mut Vec<u128>) {
    window.touch();
    folded.extend(window.resources.iter().map(|seen| seen.resource));
}

/// One fold that asks `times` times.
fn fold(side: &mut FolderSide, folded: &mut Vec<u128>, times: usize) {
    for _ in 0..times {
        if let Some(window) = side.collect() {
            read(&window, folded);
            side.give_back(window);
        }
        thread::yield_now();
    }
}

/// The final fold of an idle worker: two windows at most.
fn finish(side: &mut FolderSide, folded: &mut Vec<u128>) {
    for _ in 0..1 + usize::from(side.is_posted()) {
        let window = side
            .collect()
            .expect("an idle worker's window can be had at once");
        read(&window, folded);
        side.give_back(window);
    }
}

#[test]
fn each_run_is_folded_once_and_in_order() {
    loom::model(|| {
        let (mut worker, mut folder) = handover(0);
        let working = thread::spawn(move || {
            run(&mut worker, 1);
            run(&mut worker, 2);
            worker
        });
        let mut folded = Vec::new();
        fold(&mut folder, &mut folded, 2);
        let worker = working.join().expect("worker ends");
        finish(&mut folder, &mut folded);
        assert_eq!(folded, [1, 2]);
        drop(worker);
    });
}

#[test]
fn a_left_window_comes_before_the_current_one() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (mut worker, mut folder) = handover(0);
        let working = thread::spawn(move || {
            run(&mut worker, 1);
            run(&mut worker, 2);
            run(&mut worker, 3);
            worker
        });
        let mut folded = Vec::new();
        fold(&mut folder, &mut folded, 3);
        let _worker = working.join().expect("worker ends");
        finish(&mut folder, &mut folded);
        assert_eq!(folded, [1, 2, 3]);
    });
}

#[test]
fn a_new_epoch_starts_with_a_fresh_window() {
    loom::model(|| {
        let (mut worker, mut folder) = handover(0);
        let working = thread::spawn(move || {
            let mut seen = Vec::new();
            for _ in 0..2 {
                let window = worker.take();
                window.touch();
                seen.push((window.sequence, window.epoch));
            }
            seen
        });
        folder.want_epoch();
        let mut folded = Vec::new();
        fold(&mut folder, &mut folded, 1);
        let seen = working.join().expect("worker ends");
        // Within one window the epoch does not change.
        assert!(seen[0] == seen[1] || seen[1].0 == seen[0].0 + 1);
    });
}

/// Both sides go away at any moment; loom reports a window that nobody frees.
#[test]
fn shutdown_frees_every_window() {
    loom::model(|| {
        let (mut worker, mut folder) = handover(0);
        let working = thread::spawn(move || {
            run(&mut worker, 1);
        });
        let mut folded = Vec::new();
        fold(&mut folder, &mut folded, 2);
        drop(folder);
        working.join().expect("worker ends");
        assert!(folded.is_empty() || folded == [1]);
    });
}
