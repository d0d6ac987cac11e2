//! Which turns there are, and when they are due.

use std::path::Path;

use bytes::Bytes;

use super::*;
use crate::generate::Target;
use crate::generate::capture::Captured;

fn options(pace: Pace) -> RunOptions {
    RunOptions {
        pace,
        items_per_request: 100,
        ..RunOptions::new(Target::parse("localhost", 1).expect("an address"))
    }
}

fn schedule(pace: Pace) -> Schedule {
    Schedule::new(&options(pace), Instant::now(), watch::channel(None).1)
}

fn open(rate: f64, duration: Option<Duration>) -> Pace {
    Pace::steady(rate, duration, None)
}

/// The n-th turn, taken at the start.
fn turn(schedule: &Schedule, number: u64) -> Option<Turn> {
    turn_at(schedule, number, schedule.begun)
}

fn turn_at(schedule: &Schedule, number: u64, now: Instant) -> Option<Turn> {
    let before = Progress {
        requests: number,
        items: 100 * number,
    };
    schedule.turn(before, now)
}

#[test]
fn count_ends_with_a_smaller_request() {
    let schedule = schedule(Pace::closed(None, Some(250)));
    let items: Vec<u32> = std::iter::from_fn(|| schedule.take())
        .map(|turn| turn.items)
        .collect();
    assert_eq!(items, [100, 100, 50]);
}

#[test]
fn broken_requests_use_up_nothing_of_the_count() {
    let options = RunOptions {
        malformed_share: 0.5,
        ..options(Pace::closed(None, Some(10_050)))
    };
    let defects = Defects::of(&options);
    let schedule = Schedule::new(&options, Instant::now(), watch::channel(None).1);
    let turns: Vec<Turn> = std::iter::from_fn(|| schedule.take()).collect();
    let (broken, whole): (Vec<Turn>, Vec<Turn>) = turns
        .iter()
        .partition(|turn| defects.draw(turn.number).is_some());
    let items: u32 = whole.iter().map(|turn| turn.items).sum();
    assert_eq!((whole.len(), items), (101, 10_050));
    assert!((70..130).contains(&broken.len()), "{}", broken.len());
    let numbers = turns.iter().map(|turn| turn.number);
    assert!(numbers.eq(0..turns.len() as u64));
}

#[test]
fn open_loop_turns_are_evenly_spaced_and_end_with_the_duration() {
    let schedule = schedule(open(1_000.0, Some(Duration::from_secs(1))));
    let offsets: Vec<u128> = (0..20)
        .map_while(|number| turn(&schedule, number))
        .map(|turn| (turn.due.expect("open loop") - schedule.begun).as_millis())
        .collect();
    assert_eq!(offsets, (0..10).map(|turn| turn * 100).collect::<Vec<_>>());
}

#[test]
fn profile_that_runs_dry_ends_the_run() {
    let pace = Pace {
        timing: Timing::Profile(Profile::parse("ramp:1000-0:1s").expect("a profile")),
        ..open(1.0, None)
    };
    let schedule = schedule(pace);
    let turns = (0..20).map_while(|number| turn(&schedule, number));
    // The triangle holds 500 items.
    assert_eq!(turns.count(), 5);
}

#[test]
fn overdue_turn_is_lost_when_the_time_is_over() {
    let schedule = schedule(open(1_000.0, Some(Duration::from_secs(1))));
    let late = schedule.begun + Duration::from_secs(2);
    assert_eq!(turn_at(&schedule, 3, late), None);
}

#[test]
fn what_was_due_and_did_not_leave_is_missed() {
    let mut overdue = schedule(open(1_000.0, Some(Duration::from_secs(1))));
    overdue.begun -= Duration::from_secs(2);
    assert_eq!(overdue.missed(0, 0), 10);
    assert_eq!(overdue.missed(7, 700), 3);
    let mut running = schedule(open(1_000.0, None));
    running.begun -= Duration::from_millis(450);
    assert!(running.missed(0, 0) >= 5);
    assert_eq!(schedule(Pace::closed(None, None)).missed(0, 0), 0);
}

#[test]
fn what_no_item_is_left_for_is_not_missed() {
    let mut overdue = schedule(Pace::steady(1_000.0, None, Some(350)));
    overdue.begun -= Duration::from_secs(2);
    assert_eq!(overdue.missed(0, 0), 4);
    assert_eq!(overdue.missed(3, 300), 1);
    assert_eq!(overdue.missed(9, 350), 0);
}

#[test]
fn what_comes_after_the_stop_is_not_due() {
    let begun = Instant::now().checked_sub(Duration::from_secs(9));
    let begun = begun.expect("the machine is up for that long");
    let (_stop, stopped) = watch::channel(Some(begun + Duration::from_millis(350)));
    let schedule = Schedule::new(&options(open(1_000.0, None)), begun, stopped);
    assert_eq!(schedule.missed(0, 0), 4);
}

#[test]
fn search_for_what_is_due_ends_whatever_is_due() {
    let billions = schedule(open(1e9, None));
    let century = Duration::from_hours(24 * 36_525);
    assert!(billions.due_before(billions.begun + century) > 1 << 54);

    let captured = [0, 1].map(|at| Captured {
        at: Duration::from_nanos(at),
        is_grpc: false,
        path: "/v1/logs".to_owned(),
        content_type: "application/json".to_owned(),
        encoding: None,
        body: Bytes::new(),
    });
    let target = Target::parse("localhost", 1).expect("an address");
    let replay = Replay::new(Path::new("c"), captured.to_vec(), &target, false);
    let replay = Arc::new(replay.expect("a capture"));
    let nanoseconds = schedule(Pace {
        timing: Timing::AsCaptured(replay),
        ..open(1.0, Some(Duration::from_secs(5)))
    });
    let end = nanoseconds.end().expect("bounded");
    assert_eq!(nanoseconds.due_before(end), 5_000_000_000);
}

#[tokio::test]
async fn waiting_ends_when_the_run_is_stopped() {
    let (stop, stopped) = watch::channel(None);
    let schedule = Schedule::new(&options(open(1e-3, None)), Instant::now(), stopped);
    schedule.take();
    let turn = schedule.take().expect("no end");
    let due = turn.due.expect("an open loop");
    stop.send_replace(Some(Instant::now()));
    let timer = Timer::new().expect("a descriptor");
    assert_eq!(schedule.wait(due, Instant::now(), &timer).await, None);
    assert_eq!(schedule.take(), None);
    schedule.ended().await;
}

#[tokio::test]
async fn run_ends_with_its_time() {
    let (_stop, stopped) = watch::channel(None);
    let pace = Pace::closed(Some(Duration::from_millis(2)), None);
    let schedule = Schedule::new(&options(pace), Instant::now(), stopped);
    schedule.ended().await;
    assert_eq!(schedule.take(), None);
}

#[tokio::test]
async fn latency_is_counted_from_the_time_of_the_turn() {
    let (_stop, stopped) = watch::channel(None);
    let schedule = Schedule::new(&options(open(1_000.0, None)), Instant::now(), stopped);
    let timer = Timer::new().expect("a descriptor");
    let free_since = schedule.begun;
    let due = schedule.begun + Duration::from_millis(3);
    let departure = schedule.wait(due, free_since, &timer).await;
    let departure = departure.expect("not stopped");
    assert!(Instant::now() >= due);
    assert_eq!(departure.counted_from, due);
}

#[tokio::test]
async fn lane_that_was_free_in_time_has_overslept_and_a_busy_one_has_not() {
    let mut schedule = schedule(open(1_000.0, None));
    schedule.begun -= Duration::from_secs(5);
    let turn = schedule.take().expect("no end");
    let due = turn.due.expect("an open loop");
    assert_eq!(due, schedule.begun);
    let timer = Timer::new().expect("a descriptor");
    for (free_since, overslept_min) in [
        (due, Duration::from_secs(5)),
        (due + Duration::from_secs(1), Duration::ZERO),
    ] {
        let departure = schedule.wait(due, free_since, &timer).await;
        let departure = departure.expect("not stopped");
        assert_eq!(departure.counted_from, due);
        assert!(departure.overslept >= overslept_min);
        assert_eq!(departure.overslept.is_zero(), overslept_min.is_zero());
    }
}
