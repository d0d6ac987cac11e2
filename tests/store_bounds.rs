//! Nothing in the store grows without end, and what does not fit is counted elsewhere.

mod spanmetrics_support;

use spanmetrics_support::rig::{Bounds, Rig, total};
use spanmetrics_support::{batch, guide_options, service};
use spanmill::store::window::Window;

fn names(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|name| name.to_string()).collect()
}

fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

#[test]
fn series_beyond_the_bound_are_counted_in_the_overflow_series() {
    let bounds = Bounds {
        series_max: 3,
        ..Bounds::default()
    };
    let mut rig = Rig::new(guide_options(), &bounds);
    rig.run(0, "shop", &["a", "b", "c", "d", "e", "a", "e"], 10_000);
    rig.fold(0);
    rig.run(0, "shop", &["e", "f", "b"], 10_000);
    rig.fold(0);
    let snapshot = rig.snapshot(10_000);
    let seen: Vec<(String, u64)> = [("shop a", 2), ("shop b", 2), ("shop c", 1), ("true", 5)]
        .map(|(series, count)| (series.to_owned(), count))
        .into();
    assert_eq!(rig.seen(&snapshot), seen);
    assert_eq!(rig.count(|counts| &counts.overflowed), 5);
}

#[test]
fn room_that_an_expiry_makes_is_used_by_series_that_overflowed() {
    let mut options = guide_options();
    options.metrics_expiration = Some(std::time::Duration::from_secs(1));
    let bounds = Bounds {
        series_max: 2,
        ..Bounds::default()
    };
    let mut rig = Rig::new(options, &bounds);
    rig.run(0, "old", &["a", "b"], 10_000);
    rig.fold(0);
    rig.run(0, "new", &["a"], 11_500);
    rig.fold(0);
    rig.tick(12_000);
    for _ in 0..2 {
        rig.run(0, "new", &["a"], 12_000);
        rig.fold(0);
    }
    let snapshot = rig.snapshot(12_000);
    let seen = [("new a", 2), ("true", 1)].map(|(series, count)| (series.to_owned(), count));
    assert_eq!(rig.seen(&snapshot), seen);
}

#[test]
fn a_worker_with_too_many_groups_starts_anew_and_loses_nothing() {
    let bounds = Bounds {
        groups_max: 100,
        ..Bounds::default()
    };
    let mut rig = Rig::new(guide_options(), &bounds);
    for round in 0..5 {
        let names = names(round * 60, round * 60 + 90);
        rig.run(0, "shop", &strs(&names), 10_000);
        rig.fold(0);
    }
    let snapshot = rig.snapshot(10_000);
    assert_eq!(total(&snapshot), 5 * 90);
    assert_eq!(rig.seen(&snapshot).len(), 4 * 60 + 90);
    assert!(rig.count(|counts| &counts.epochs) >= 1);
    assert!(rig.count(|counts| &counts.groups) <= 250);
}

/// The folder is stuck: the worker is told before ranges in the arena could overflow.
#[test]
fn a_window_that_nobody_folds_has_no_room_in_the_end() {
    let mut rig = Rig::new(guide_options(), &Bounds::default());
    let worker = &mut rig.workers[0];
    let mut window = worker.side.take();
    let long = "x".repeat(1 << 20);
    let mut runs = 0;
    while window.has_room() {
        runs += 1;
        let spans = [spanmetrics_support::SpanRow {
            name: format!("{long}{runs}").into_bytes(),
            ..Default::default()
        }];
        let batch = batch(&rig.layout, &[service("shop")], &spans);
        let _ = worker.grouper.observe(&batch, &mut window, 10_000);
        assert!(runs < 1_000, "room must end");
    }
    assert!(window.bytes() < Window::BYTES_MAX + (2 << 20));
    drop(window);
    rig.fold(0);
    let snapshot = rig.snapshot(10_000);
    assert_eq!(total(&snapshot), runs);
    assert!(rig.workers[0].side.take().has_room());
}
