//! Nothing in the store grows without end, and what does not fit is counted elsewhere.

mod spanmetrics_support;

use spanmetrics_support::rig::{Bounds, Rig, total};
use spanmetrics_support::{SpanRow, batch, dimension, guide_options, service, text};
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
fn series_whose_keys_are_too_many_bytes_are_counted_in_the_overflow_series() {
    let bounds = Bounds {
        series_bytes_max: 1_000,
        ..Bounds::default()
    };
    let mut rig = Rig::new(guide_options(), &bounds);
    let long: Vec<String> = ["a", "b", "c", "d"].map(|name| name.repeat(400)).into();
    rig.run(0, "shop", &strs(&long), 10_000);
    rig.fold(0);
    rig.run(0, "shop", &strs(&long), 10_000);
    rig.fold(0);
    let snapshot = rig.snapshot(10_000);
    // The third crosses the bound.
    let mut seen: Vec<(String, u64)> = (long[..3].iter())
        .map(|name| (format!("shop {name}"), 2))
        .collect();
    seen.push(("true".to_owned(), 2));
    assert_eq!(rig.seen(&snapshot), seen);
    assert_eq!(rig.count(|counts| &counts.overflowed), 2);
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

/// One request of a few bytes when compressed: a thousand groups that each would keep a long value.
#[test]
fn identities_that_are_too_long_are_counted_in_the_overflow_series_and_kept_nowhere() {
    let mut options = guide_options();
    options.events = Some(vec![dimension("default", None)]);
    let mut rig = Rig::new(options, &Bounds::default());
    let long = "x".repeat(1 << 20);
    let event = |number: u32| vec![("default".to_owned(), text(&number.to_string()))];
    let spans = [
        SpanRow {
            name: b"long".to_vec(),
            attributes: vec![("user.id".to_owned(), text(&long))],
            events: (0..1_000).map(event).collect(),
            ..Default::default()
        },
        SpanRow {
            name: b"short".to_vec(),
            resource: 1,
            ..Default::default()
        },
        SpanRow {
            name: b"usual".to_vec(),
            resource: 2,
            events: vec![event(1)],
            ..Default::default()
        },
    ];
    let resources = [service("shop"), service(&long), service("shop")];
    let batch = batch(&rig.layout, &resources, &spans);
    for _ in 0..2 {
        let worker = &mut rig.workers[0];
        let mut window = worker.side.take();
        let _ = worker.grouper.observe(&batch, &mut window, 10_000);
        assert!(window.bytes() < 300_000, "{} bytes", window.bytes());
        drop(window);
        rig.fold(0);
    }
    let snapshot = rig.snapshot(10_000);
    let seen = [("shop usual", 2), ("true", 4)].map(|(series, count)| (series.to_owned(), count));
    assert_eq!(rig.seen(&snapshot), seen);
    assert_eq!(rig.count(|counts| &counts.overflowed), 2 * (2 + 1_000));
    // One of spans, one of events, one overflow of each.
    assert_eq!(rig.count(|counts| &counts.births), 4);
    assert_eq!(rig.count(|counts| &counts.epochs), 0);
}

/// The folder is stuck: the worker is told before ranges in the arena could overflow.
#[test]
fn a_window_that_nobody_folds_has_no_room_in_the_end() {
    let mut rig = Rig::new(guide_options(), &Bounds::default());
    let worker = &mut rig.workers[0];
    let mut window = worker.side.take();
    let long = "x".repeat(10_000);
    let mut runs = 0;
    while window.has_room() {
        runs += 1;
        let spans: Vec<SpanRow> = (0..100)
            .map(|span| SpanRow {
                name: format!("{long}{runs}.{span}").into_bytes(),
                ..Default::default()
            })
            .collect();
        let batch = batch(&rig.layout, &[service("shop")], &spans);
        let _ = worker.grouper.observe(&batch, &mut window, 10_000);
        assert!(runs < 1_000, "room must end");
    }
    assert!(window.bytes() < Window::BYTES_MAX + (2 << 20));
    drop(window);
    rig.fold(0);
    let snapshot = rig.snapshot(10_000);
    assert_eq!(total(&snapshot), runs * 100);
    assert!(rig.workers[0].side.take().has_room());
}
