//! Cells go with their resource and come back without losing a count.

mod spanmetrics_support;

use std::time::Duration;

use spanmetrics_support::rig::{Bounds, OWNER, Rig, cells};
use spanmetrics_support::{batch, guide_options, service};

fn rig(resources_max: usize, bounds: &Bounds) -> Rig {
    let mut options = guide_options();
    options.metrics_expiration = Some(Duration::from_secs(1));
    options.resources_max = resources_max;
    Rig::new(options, bounds)
}

fn pair(series: &str, count: u64) -> (String, u64) {
    (series.to_owned(), count)
}

#[test]
fn a_resource_not_seen_for_the_expiration_goes_with_all_its_cells() {
    let mut rig = rig(100, &Bounds::default());
    rig.run(0, "old", &["a", "b"], 10_000);
    rig.run(0, "young", &["a"], 10_500);
    rig.fold(0);
    rig.run(0, "young", &["a"], 10_600);
    rig.fold(0);
    rig.tick(11_000);
    let all = [pair("old a", 1), pair("old b", 1), pair("young a", 2)];
    // All were in a window whose last run began at 10,500.
    let snapshot = rig.snapshot(11_000);
    assert_eq!(rig.seen(&snapshot), all);
    rig.tick(11_500);
    let snapshot = rig.snapshot(11_500);
    assert_eq!(rig.seen(&snapshot), [pair("young a", 2)]);
    assert_eq!(rig.count(|counts| &counts.expired), 2);
    assert_eq!(rig.count(|counts| &counts.cells), 1);
}

#[test]
fn a_resource_that_comes_without_spans_stays() {
    let mut rig = rig(100, &Bounds::default());
    rig.run(0, "shop", &["a"], 10_000);
    rig.fold(0);
    rig.run(0, "shop", &[], 10_900);
    rig.fold(0);
    rig.tick(11_800);
    let snapshot = rig.snapshot(11_800);
    assert_eq!(rig.seen(&snapshot), [pair("shop a", 1)]);
}

#[test]
fn counts_in_a_window_over_an_expiry_are_in_a_new_cell() {
    let mut rig = rig(100, &Bounds::default());
    rig.run(0, "shop", &["a", "b"], 10_000);
    rig.fold(0);
    let shown = rig.snapshot(11_990);
    // Known groups, counted before the expiry, folded after it.
    rig.run(0, "shop", &["a", "a", "a"], 11_000);
    rig.tick(12_000);
    let snapshot = rig.snapshot(12_000);
    assert_eq!(rig.seen(&snapshot), []);
    rig.fold(0);
    let reborn = rig.snapshot(12_000);
    assert_eq!(rig.seen(&reborn), [pair("shop a", 3)]);
    let (cell, _) = cells(&reborn).next().expect("one cell");
    assert!(
        cell.birth_ms > shown.time_ms + 1,
        "a zero 1 ms before the birth is new"
    );
    assert!(reborn.time_ms >= cell.birth_ms);
    assert!(cell.generation > 0);
    // The handle leads to the new cell from now on; the other group is born again when it comes.
    rig.run(0, "shop", &["a", "b"], 12_100);
    rig.fold(0);
    let snapshot = rig.snapshot(12_200);
    assert_eq!(rig.seen(&snapshot), [pair("shop a", 4), pair("shop b", 1)]);
}

#[test]
fn a_cell_reborn_by_one_worker_is_found_by_the_other() {
    let bounds = Bounds {
        workers: 2,
        ..Bounds::default()
    };
    let mut rig = rig(100, &bounds);
    for worker in 0..2 {
        rig.run(worker, "shop", &["a"], 10_000);
        rig.fold(worker);
    }
    rig.tick(12_000);
    for worker in 0..2 {
        rig.run(worker, "shop", &["a"], 12_000);
        rig.fold(worker);
    }
    let snapshot = rig.snapshot(12_000);
    assert_eq!(rig.seen(&snapshot), [pair("shop a", 2)]);
    assert_eq!(rig.count(|counts| &counts.births), 2);
}

#[test]
fn beyond_the_bound_the_least_recently_used_resources_go() {
    let mut options = guide_options();
    options.resources_max = 2;
    let mut rig = Rig::new(options, &Bounds::default());
    for name in ["first", "second", "third"] {
        rig.run(0, name, &["a"], 10_000);
        rig.fold(0);
    }
    rig.run(0, "first", &[], 10_000);
    rig.fold(0);
    rig.tick(10_000);
    let snapshot = rig.snapshot(10_000);
    assert_eq!(
        rig.seen(&snapshot),
        [pair("first a", 1), pair("third a", 1)]
    );
}

#[test]
fn a_late_leaver_is_shown_by_one_more_flush() {
    let bounds = Bounds {
        leaves_late: true,
        ..Bounds::default()
    };
    let mut rig = rig(100, &bounds);
    rig.run(0, "shop", &["a"], 10_000);
    rig.fold(0);
    for (flush, is_shown) in [(1, true), (2, true), (3, false)] {
        rig.tick(11_000 + flush);
        let shown = rig.folder.last_flush(OWNER).expect("kept").clone();
        assert_eq!(shown.flush, flush);
        assert_eq!(rig.seen(&shown).len(), usize::from(is_shown));
    }
}

#[test]
fn a_late_leaver_that_comes_back_keeps_its_counts() {
    let bounds = Bounds {
        leaves_late: true,
        ..Bounds::default()
    };
    let mut rig = rig(100, &bounds);
    rig.run(0, "shop", &["a"], 10_000);
    rig.fold(0);
    rig.tick(11_000);
    rig.run(0, "shop", &["a"], 11_500);
    rig.fold(0);
    rig.tick(12_000);
    rig.tick(12_100);
    let snapshot = rig.snapshot(12_100);
    assert_eq!(rig.seen(&snapshot), [pair("shop a", 2)]);
    let (cell, _) = cells(&snapshot).next().expect("one cell");
    assert_eq!((cell.birth_ms, cell.birth_flush), (10_000, 0));
}

#[test]
fn a_worker_whose_groups_are_mostly_stale_starts_anew() {
    let mut rig = rig(100, &Bounds::default());
    let names: Vec<String> = (0..2_000).map(|name| name.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    rig.run(0, "gone", &names, 10_000);
    rig.fold(0);
    rig.run(0, "shop", &["a"], 11_500);
    rig.fold(0);
    assert_eq!(rig.count(|counts| &counts.groups), 2_001);
    rig.tick(12_000);
    assert_eq!(rig.count(|counts| &counts.epochs), 1);
    rig.run(0, "shop", &["a"], 12_000);
    rig.fold(0);
    let snapshot = rig.snapshot(12_000);
    assert_eq!(rig.seen(&snapshot), [pair("shop a", 2)]);
    assert_eq!(rig.count(|counts| &counts.groups), 1);
}

/// A window that a worker holds through ticks and epochs is folded whole.
#[test]
fn a_window_held_over_an_expiry_and_a_new_epoch_loses_nothing() {
    let mut rig = rig(100, &Bounds::default());
    rig.run(0, "shop", &["a"], 10_000);
    rig.fold(0);
    let spans = spanmetrics_support::guide_rows(100, 10, 1);
    let rows = batch(&rig.layout, &[service("shop")], &spans);
    let spanmetrics_support::rig::Worker {
        side,
        grouper,
        folder_side,
    } = &mut rig.workers[0];
    {
        let mut window = side.take();
        let _ = grouper.observe(&rows, &mut window, 10_100);
        assert!(folder_side.collect().is_none(), "the worker is busy");
        rig.folder.tick(OWNER, 13_000);
        folder_side.want_epoch();
        let _ = grouper.observe(&rows, &mut window, 10_100);
    }
    for _ in 0..2 {
        let window = folder_side.collect().expect("left by the worker");
        rig.folder.fold(0, &window);
        folder_side.give_back(window);
    }
    rig.run(0, "shop", &["a"], 13_000);
    rig.fold(0);
    let snapshot = rig.snapshot(13_000);
    assert_eq!(spanmetrics_support::rig::total(&snapshot), 201);
}
