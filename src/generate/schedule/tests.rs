//! Which turns there are, and when they are due.

use super::*;

fn schedule(pace: Pace) -> Schedule {
    Schedule::new(pace, 100, Instant::now(), watch::channel(None).1)
}

fn open(rate: f64, duration: Option<Duration>) -> Pace {
    Pace {
        timing: Timing::Profile(Profile::steady(rate)),
        duration,
        items: None,
    }
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
fn open_loop_turns_are_evenly_spaced_and_end_with_the_duration() {
    let schedule = schedule(open(1_000.0, Some(Duration::from_secs(1))));
    let now = schedule.begun;
    let offsets: Vec<u128> = (0..20)
        .map_while(|number| schedule.turn(number, now))
        .map(|turn| (turn.due.expect("open loop") - now).as_millis())
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
    let turns = (0..20).map_while(|number| schedule.turn(number, schedule.begun));
    // The triangle holds 500 items.
    assert_eq!(turns.count(), 5);
}

#[test]
fn overdue_turn_is_lost_when_the_time_is_over() {
    let schedule = schedule(open(1_000.0, Some(Duration::from_secs(1))));
    let late = schedule.begun + Duration::from_secs(2);
    assert_eq!(schedule.turn(3, late), None);
}

#[test]
fn what_was_due_is_known_whether_or_not_it_was_taken() {
    let mut overdue = schedule(open(1_000.0, Some(Duration::from_secs(1))));
    overdue.begun -= Duration::from_secs(2);
    assert_eq!(overdue.due(), 10);
    let mut running = schedule(open(1_000.0, None));
    running.begun -= Duration::from_millis(450);
    assert!(running.due() >= 5);
    assert_eq!(schedule(Pace::closed(None, None)).due(), 0);
}

#[test]
fn what_comes_after_the_stop_is_not_due() {
    let begun = Instant::now() - Duration::from_secs(9);
    let (_stop, stopped) = watch::channel(Some(begun + Duration::from_millis(350)));
    let schedule = Schedule::new(open(1_000.0, None), 100, begun, stopped);
    assert_eq!(schedule.due(), 4);
}

#[tokio::test]
async fn waiting_ends_when_the_run_is_stopped() {
    let (stop, stopped) = watch::channel(None);
    let schedule = Schedule::new(open(1e-3, None), 100, Instant::now(), stopped);
    schedule.take();
    let turn = schedule.take().expect("no end");
    stop.send_replace(Some(Instant::now()));
    assert_eq!(schedule.wait(turn).await, None);
    assert_eq!(schedule.take(), None);
}

#[tokio::test]
async fn late_turn_is_counted_from_its_time_and_not_called_overslept() {
    let mut schedule = schedule(open(1_000.0, None));
    schedule.begun -= Duration::from_secs(5);
    let turn = schedule.take().expect("no end");
    let departure = schedule.wait(turn).await.expect("not stopped");
    assert_eq!(departure.counted_from, schedule.begun);
    assert_eq!(departure.overslept, Duration::ZERO);
}
