//! When items are due, against the integral of the rate.

use super::*;

fn profile(text: &str) -> Profile {
    Profile::parse(text).expect(text)
}

fn refusal(text: &str) -> String {
    Profile::parse(text).expect_err(text).to_string()
}

fn due_millis(profile: &Profile, items: u64) -> u64 {
    (due_seconds(profile, items) * 1e3).round() as u64
}

fn due_seconds(profile: &Profile, items: u64) -> f64 {
    profile.due(items).expect("an end").as_secs_f64()
}

/// The integral by the trapezoid rule over a rate that is looked up, not solved.
fn integral(rate: impl Fn(f64) -> f64, until: f64) -> f64 {
    const SLICES: u32 = 200_000;
    let width = until / f64::from(SLICES);
    (0..SLICES)
        .map(|slice| rate((f64::from(slice) + 0.5) * width) * width)
        .sum()
}

#[test]
fn ramp_reaches_its_rate_and_stays_there() {
    let ramp = profile("ramp:0-1000:10s");
    // 1000 items a second after 10 s: the triangle holds 5,000.
    assert_eq!(due_millis(&ramp, 0), 0);
    assert!((due_seconds(&ramp, 1_250) - 5.0).abs() < 1e-9);
    assert!((due_seconds(&ramp, 5_000) - 10.0).abs() < 1e-9);
    assert!((due_seconds(&ramp, 6_000) - 11.0).abs() < 1e-9);
}

#[test]
fn ramp_down_to_nothing_ends() {
    let ramp = profile("ramp:1000-0:10s");
    assert!((due_seconds(&ramp, 3_750) - 5.0).abs() < 1e-9);
    assert_eq!(ramp.due(5_000), None);
}

#[test]
fn steps_follow_each_other_and_the_last_one_stays() {
    let step = profile("step:10,0,20:5s");
    let dues = [0, 49, 50, 150, 170].map(|items| due_millis(&step, items));
    // After 50 items come five seconds of nothing.
    assert_eq!(dues, [0, 4_900, 10_000, 15_000, 16_000]);
}

#[test]
fn bursts_come_at_the_end_of_each_period() {
    let burst = profile("burst:100-1000:10s:1s");
    let dues = [0, 899, 900, 1_899, 1_900, 4_700].map(|items| due_millis(&burst, items));
    assert_eq!(dues, [0, 8_990, 9_000, 9_999, 10_000, 29_000]);
}

#[test]
fn bursts_out_of_silence_wait_for_the_next_one() {
    let burst = profile("burst:0-1000:10s:1s");
    let dues = [0, 999, 1_000].map(|items| due_millis(&burst, items));
    assert_eq!(dues, [9_000, 9_999, 19_000]);
}

#[test]
fn due_times_are_the_inverse_of_the_integral() {
    let ramp =
        |from: f64, to: f64, over: f64| move |t: f64| from + (to - from) * (t / over).min(1.0);
    let burst = |t: f64| if t.rem_euclid(2.0) < 1.5 { 50.0 } else { 900.0 };
    let step = |t: f64| [30.0, 500.0, 70.0][((t / 0.7) as usize).min(2)];
    let cases: [(&str, &dyn Fn(f64) -> f64); 4] = [
        ("ramp:20-900:4s", &ramp(20.0, 900.0, 4.0)),
        ("ramp:900-20:4s", &ramp(900.0, 20.0, 4.0)),
        ("burst:50-900:2s:0.5s", &burst),
        ("step:30,500,70:0.7s", &step),
    ];
    for (text, rate) in cases {
        let profile = profile(text);
        for items in [1, 17, 300, 777, 1_500] {
            let sent = integral(rate, due_seconds(&profile, items));
            assert!(
                (sent - items as f64).abs() < 0.05,
                "{text}: {sent} for {items}"
            );
        }
    }
}

#[test]
fn due_times_never_go_back() {
    for text in [
        "ramp:0-5000:3s",
        "burst:7-333:1s:0.3s",
        "step:1,2000,3:0.1s",
    ] {
        let profile = profile(text);
        let dues: Vec<Duration> = (0..5_000).map_while(|items| profile.due(items)).collect();
        assert_eq!(dues.len(), 5_000, "{text}");
        assert!(dues.is_sorted(), "{text}");
    }
}

#[test]
fn whole_of_a_profile_is_all_that_it_describes() {
    for (text, seconds) in [
        ("ramp:0-50000:60s", 60.0),
        ("step:1,2,3:0.1s", 0.3),
        ("burst:10-100:10s:1s", 30.0),
    ] {
        let whole = profile(text).whole();
        assert_eq!(whole, Some(Duration::from_secs_f64(seconds)), "{text}");
    }
    assert_eq!(Profile::steady(5.0).whole(), None);
}

#[test]
fn long_runs_stay_exact() {
    let steady = Profile::steady(3e6);
    assert_eq!(
        steady.due(3_000_000 * 86_400),
        Some(Duration::from_hours(24))
    );
    let burst = profile("burst:1000-9000:10s:1s");
    let a_day = 8_640 * 18_000;
    assert_eq!(burst.due(a_day), Some(Duration::from_hours(24)));
}

#[test]
fn wrong_profiles_are_refused_with_what_is_wrong() {
    for (text, part) in [
        ("", "a profile is ramp:"),
        ("wave:1-2:3s", "a profile is ramp:"),
        ("ramp:5:3s", "a profile is ramp:"),
        ("ramp:1-2", "a profile is ramp:"),
        ("ramp:1-x:3s", "`x`: a rate is"),
        ("ramp:1-inf:3s", "`inf`: a rate is"),
        ("ramp:-1-5:3s", "``: a rate is"),
        ("ramp:1-2:3", "`3` is no duration"),
        ("ramp:1-2:0s", "`0s` is no duration"),
        ("burst:1-2:3s:3s", "does not fit a period"),
        ("step:1,,2:3s", "``: a rate is"),
        ("step:0,0:3s", "nothing would be sent"),
        ("burst:0-0:3s:1s", "nothing would be sent"),
    ] {
        let said = refusal(text);
        assert!(said.contains(part), "{text}: {said}");
    }
    assert!(refusal(&format!("step:{}1:1s", "1,".repeat(1_000))).contains("1001 steps"));
}
